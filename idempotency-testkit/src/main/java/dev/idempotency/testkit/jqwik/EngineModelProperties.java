package dev.idempotency.testkit.jqwik;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.jqwik.EngineScenario.Fate;
import dev.idempotency.testkit.jqwik.EngineScenario.Policy;
import dev.idempotency.testkit.jqwik.EngineScenario.Trouble;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.Action;
import net.jqwik.api.state.ActionChain;
import net.jqwik.api.state.Transformer;

/**
 * Random sequences of what happens to an operation, run on the whole library over a store: requests with one payload and
 * another, calls that succeed, are declined, lose their request or their reply, outlast their lease or are never sent, a
 * store that fails, a process that dies at any of its steps, time that passes, purges and overrides. Each sequence has one of
 * the policies hold, lookup, native key and seal.
 *
 * <p>After each step, the provider's ledger and a {@link dev.idempotency.testkit.ReferenceKeyModel} of each key say what must
 * be so: at most one effect for each key and generation, and under hold and lookup at most one call; each answer is that
 * effect, and the same for all callers; a decline stays declined; another payload is refused; nothing is called that may not
 * be; and each write that the store has applied is one that the model allows.
 *
 * <p>A failure prints the shortest sequence that fails and jqwik's seed; {@code @Property(seed = "...")} on an overriding
 * method runs it again. All runs in one thread, without waiting. Where the provider goes on knowing a key, as a lookup and a
 * seal need it, callers do not use a key again that the store has forgotten.
 *
 * @since 0.1.0
 */
public abstract class EngineModelProperties {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456Z");

    /** For subclasses. */
    protected EngineModelProperties() {}

    /**
     * The store under test, asked for once for each sequence.
     *
     * @param clock the sequence's clock, which stands still but for the sequence; the store's time must go with it
     * @return a new store, or a shared one; it may have records of other keys, which nobody uses or purges meanwhile
     */
    protected abstract IdempotencyStore store(ManualClock clock);

    /** How failures of calls are classified; a wrong one must be found out. */
    FailureClassifier failures() {
        return FailureClassifier.conservative().on(ConnectException.class, FailureClass.NOT_SENT);
    }

    /**
     * Runs one sequence.
     *
     * @param chain the steps
     */
    @Property(tries = 300, shrinking = ShrinkingMode.BOUNDED)
    public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
        chain.run();
    }

    /**
     * The sequences of {@link #steps_anyPolicy_haveOneEffectAndOneAnswer}.
     *
     * @return a generator of sequences of up to 40 steps on three keys
     */
    @Provide
    public Arbitrary<ActionChain<EngineScenario>> sequences() {
        return Arbitraries.of(Policy.class).flatMap(this::sequences);
    }

    private Arbitrary<ActionChain<EngineScenario>> sequences(Policy policy) {
        return ActionChain.startWith(() -> {
                    var clock = new ManualClock(START);
                    return new EngineScenario(store(clock), clock, policy, failures());
                })
                .withAction(10, action(executing(Arbitraries.just(new Trouble(1, StoreFault.NONE, true)))))
                .withAction(5, action(executing(troubles())))
                .withAction(
                        4, action(pauses().map(pause -> step("elapse " + pause, scenario -> scenario.elapse(pause)))))
                .withAction(2, action(just("go on", EngineScenario::goOn)))
                .withAction(1, action(just("kill", EngineScenario::kill)))
                .withAction(1, action(just("purge", EngineScenario::purge)))
                .withAction(
                        2,
                        action(Combinators.combine(which(), payloads())
                                .as((key, payload) -> step(
                                        "override " + key + " by " + payload,
                                        scenario -> scenario.override(key, payload)))))
                .withMaxTransformations(40);
    }

    private interface Step {
        void take(EngineScenario scenario);
    }

    private static Transformer<EngineScenario> step(String description, Step step) {
        return Transformer.mutate(description, step::take);
    }

    private static Arbitrary<Transformer<EngineScenario>> just(String description, Step step) {
        return Arbitraries.just(step(description, step));
    }

    private static Action.Independent<EngineScenario> action(Arbitrary<Transformer<EngineScenario>> steps) {
        return () -> steps;
    }

    private static Arbitrary<Integer> which() {
        return Arbitraries.integers().between(0, EngineScenario.KEYS - 1);
    }

    private static Arbitrary<String> payloads() {
        return Arbitraries.of("A", "A", "A", "B");
    }

    private static Arbitrary<Trouble> troubles() {
        var crashes = Arbitraries.of(StoreFault.CRASH_BEFORE, StoreFault.CRASH_AFTER);
        var step = Arbitraries.integers().between(1, 5);
        return Arbitraries.oneOf(
                Combinators.combine(step, crashes).as((nth, fault) -> new Trouble(nth, fault, true)),
                Combinators.combine(step, faults(), Arbitraries.of(false, true)).as(Trouble::new));
    }

    private static Arbitrary<StoreFault> faults() {
        return Arbitraries.of(StoreFault.NOT_WRITTEN, StoreFault.PERHAPS_WRITTEN, StoreFault.REPLY_LOST);
    }

    private static Arbitrary<Duration> pauses() {
        return Arbitraries.oneOf(
                Arbitraries.of(
                        EngineScenario.LEASE.dividedBy(2),
                        EngineScenario.LEASE,
                        EngineScenario.WINDOW,
                        EngineScenario.RETENTION,
                        EngineScenario.RETENTION.plus(EngineScenario.TOMBSTONE).plus(EngineScenario.LEASE)),
                IdempotencyArbitraries.durations(EngineScenario.RETENTION));
    }

    private static Arbitrary<Transformer<EngineScenario>> executing(Arbitrary<Trouble> troubles) {
        var fates = Arbitraries.of(Fate.class).list().ofMinSize(1).ofMaxSize(3);
        return Combinators.combine(which(), payloads(), fates, faults(), troubles)
                .as((key, payload, calls, then, trouble) -> step(
                        "execute " + key + " with " + payload + ", whose calls " + calls + ", store then " + then + ", "
                                + trouble,
                        scenario -> scenario.execute(
                                key, payload, calls, then, trouble.fault() == StoreFault.NONE ? null : trouble)));
    }
}

package dev.idempotency.testkit.jqwik;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.util.List;
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
import org.jspecify.annotations.Nullable;

/**
 * Random sequences of steps, run on a store and on a {@link dev.idempotency.testkit.ReferenceStore}: every answer and every
 * record must be the same, to the microsecond. Where the contract leaves a choice, such as when a record that is due is
 * removed, either is right.
 *
 * <p>A failure prints the shortest sequence that fails and jqwik's seed; {@code @Property(seed = "...")} on an overriding
 * method runs it again. Each sequence has keys of its own, so that stores may be shared, but nobody else must purge meanwhile.
 *
 * @since 0.1.0
 */
public abstract class StoreModelProperties {
    /** For subclasses. */
    protected StoreModelProperties() {}

    /**
     * The store under test, asked for once for each sequence.
     *
     * @return a new store, or a shared one; it may have records of other keys
     */
    protected abstract IdempotencyStore store();

    /**
     * Lets time pass for the store: moves a fake clock, or really waits.
     *
     * @param duration how long at least; never more than {@link #longestPause()}
     */
    protected abstract void elapse(Duration duration);

    /**
     * The longest pause between two steps; leases and retentions are chosen around it.
     *
     * @return a minute unless overridden; a store that really waits wants milliseconds
     */
    protected Duration longestPause() {
        return Duration.ofMinutes(1);
    }

    /**
     * Runs one sequence.
     *
     * @param chain the steps
     */
    @Property(tries = 200, shrinking = ShrinkingMode.BOUNDED)
    public void steps_onStoreAndReference_haveTheSameAnswers(@ForAll("sequences") ActionChain<StoreComparison> chain) {
        chain.run();
    }

    /**
     * The sequences of {@link #steps_onStoreAndReference_haveTheSameAnswers}.
     *
     * @return a generator of sequences of up to 40 steps on four keys, some of which look alike
     */
    @Provide
    public Arbitrary<ActionChain<StoreComparison>> sequences() {
        return ActionChain.startWith(() -> new StoreComparison(store(), this::elapse))
                .withAction(4, action(reserving()))
                .withAction(8, action(replacing()))
                .withAction(2, action(which().map(key -> step("find " + key, pair -> pair.find(key)))))
                .withAction(
                        3,
                        action(IdempotencyArbitraries.durations(longestPause())
                                .map(pause -> step("elapse " + pause, pair -> pair.elapse(pause)))))
                .withAction(
                        2,
                        action(Arbitraries.integers()
                                .between(1, 5)
                                .map(limit -> step("purge " + limit, pair -> pair.purge(limit)))))
                .withAction(
                        2,
                        action(Arbitraries.integers()
                                .between(1, 5)
                                .map(limit -> step("list by " + limit, pair -> pair.list(limit)))))
                .withMaxTransformations(40);
    }

    private interface Step {
        void take(StoreComparison pair);
    }

    private static Transformer<StoreComparison> step(String description, Step step) {
        return Transformer.mutate(description, step::take);
    }

    private static Action.Independent<StoreComparison> action(Arbitrary<Transformer<StoreComparison>> steps) {
        return () -> steps;
    }

    private static Arbitrary<Integer> which() {
        return Arbitraries.integers().between(0, StoreComparison.KEYS - 1);
    }

    private Arbitrary<Duration> spans() {
        return IdempotencyArbitraries.durations(longestPause().multipliedBy(2));
    }

    private Arbitrary<Transformer<StoreComparison>> reserving() {
        var record = IdempotencyArbitraries.records(new IdempotencyKey("any", "any"));
        return Combinators.combine(which(), record, spans(), spans(), spans())
                .as((key, first, lease, retention, tombstone) -> step(
                        "reserve " + key + " as " + first.token(),
                        pair -> pair.reserve(key, first, lease, retention, tombstone)));
    }

    private Arbitrary<Transformer<StoreComparison>> replacing() {
        var record = IdempotencyArbitraries.records(new IdempotencyKey("any", "any"));
        var flags = Combinators.combine(
                        Arbitraries.of(false, false, false, true),
                        Arbitraries.of(false, true),
                        Arbitraries.of(false, true),
                        Arbitraries.of(Expected.class))
                .as(Flags::new);
        return Combinators.combine(which(), record, flags, spans().injectNull(0.3), spans().injectNull(0.3), spans())
                .as((key, next, how, lease, retention, tombstone) -> step(
                        "replace " + key + " by " + next.state() + " " + next.token() + ", " + how + ", lease " + lease
                                + ", retention " + retention + ", tombstone " + tombstone,
                        pair -> pair.replace(key, next, how, lease, retention, tombstone)));
    }

    /** What a replacement expects to stand. */
    enum Expected {
        STANDING,
        STANDING_TOO,
        STANDING_AS_WELL,
        AN_EARLIER_ONE,
        ANOTHER_VERSION,
        ANOTHER_TOKEN
    }

    /** What a replacement does to the times, and what it expects. */
    record Flags(boolean created, boolean firstSent, boolean newState, Expected expected) {
        Write write(
                IdempotencyRecord next, @Nullable Duration lease, @Nullable Duration retention, Duration tombstone) {
            return new Write(next, created, firstSent, newState, lease, retention, tombstone);
        }
    }

    /** A record as another would have it: every field but the key, with the version and times of what it replaces. */
    static IdempotencyRecord successor(IdempotencyRecord of, IdempotencyRecord content) {
        return of.with()
                .generation(content.generation())
                .fingerprint(content.fingerprint())
                .state(content.state())
                .version(of.version() + 1)
                .token(content.token())
                .attempt(content.attempt())
                .nativeKey(content.nativeKey())
                .terms(content.terms())
                .result(content.result())
                .request(content.request())
                .evidence(content.evidence())
                .build();
    }

    /** The first record of a key. */
    static IdempotencyRecord first(IdempotencyKey key, IdempotencyRecord content) {
        AttemptToken token = content.token();
        List<Evidence> none = List.of();
        return new IdempotencyRecord(
                key,
                1,
                content.fingerprint(),
                State.IN_FLIGHT,
                1,
                token,
                1,
                content.nativeKey(),
                content.terms(),
                null,
                content.request(),
                none,
                IdempotencyRecord.Times.UNSET);
    }
}

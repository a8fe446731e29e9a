package dev.idempotency.testkit.jqwik;

import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.app.App;
import dev.idempotency.testkit.app.Program;
import dev.idempotency.testkit.app.Program.Fate;
import dev.idempotency.testkit.app.Program.Step;
import dev.idempotency.testkit.app.Program.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;

/**
 * Random programs, run on your application: callers and retries on two processes, processes that die, stand still and start again,
 * requests and replies that are lost, late or refused, a store that fails, time that passes up to and beyond the provider's
 * window. After each step the provider's ledger says what must be so: at most one write for each request, every answer true,
 * nothing sent past the library.
 *
 * <p>Give the requests, and the application as {@link App} asks for it. A failure names the {@link
 * dev.idempotency.testkit.app.Mistake mistake}, has the shortest program that shows it and what happened, and jqwik prints its seed;
 * {@code @Property(seed = "...")} on an overriding method runs it again. All runs in one thread, without waiting.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public abstract class EffectAtMostOnceProperties<I, O> implements App<I, O> {
    private static final int REQUESTS = 3;

    /** For subclasses. */
    protected EffectAtMostOnceProperties() {}

    /**
     * The requests to try. Two that are not equal must be two writes. Let them have in common what two requests may have in
     * common: few amounts, few customers.
     *
     * @return a generator
     */
    protected abstract Arbitrary<I> requests();

    /**
     * Runs one program.
     *
     * @param program what happens
     */
    @Property(tries = 300, shrinking = ShrinkingMode.BOUNDED)
    public void programs_ofAnyKind_haveOneEffectPerRequest(@ForAll("programs") Program<I> program) {
        program.run(this);
    }

    /**
     * The programs of {@link #programs_ofAnyKind_haveOneEffectPerRequest}.
     *
     * @return a generator of programs of up to 8 steps on three requests
     */
    @Provide
    public Arbitrary<Program<I>> programs() {
        return Combinators.combine(
                        requests().list().ofSize(REQUESTS).uniqueElements(),
                        steps().list().ofMinSize(1).ofMaxSize(8))
                .as(Program::new);
    }

    private Arbitrary<Step> steps() {
        return Arbitraries.frequencyOf(
                Tuple.of(6, executions().map(step -> step)),
                Tuple.of(3, Arbitraries.of(pauses()).map(Step.Elapse::new)),
                Tuple.of(
                        1,
                        Arbitraries.integers().between(0, Program.PROCESSES - 1).map(Step.Kill::new)));
    }

    private static Arbitrary<Step> executions() {
        var fates = Arbitraries.frequencyOf(
                        Tuple.of(1, Arbitraries.just(Fate.ANSWERED)), Tuple.of(4, Arbitraries.of(Fate.class)))
                .list()
                .ofMaxSize(3);
        var trouble = Combinators.combine(
                        Arbitraries.integers().between(1, 4),
                        Arbitraries.of(StoreFault.class).filter(fault -> fault != StoreFault.NONE),
                        Arbitraries.of(false, true))
                .as(Trouble::new)
                .injectNull(0.7);
        return Combinators.combine(
                        Arbitraries.integers().between(0, Program.PROCESSES - 1),
                        Arbitraries.integers().between(0, REQUESTS - 1),
                        fates,
                        Arbitraries.frequency(Tuple.of(3, 0), Tuple.of(1, 1)),
                        trouble)
                .as(Step.Execute::new);
    }

    /** Around everything that has a length here. */
    private List<Duration> pauses() {
        var pauses = new ArrayList<>(List.of(
                Duration.ofSeconds(1),
                Duration.ofSeconds(31),
                longestTransit().dividedBy(2),
                longestTransit().plusSeconds(1),
                longestTransit()
                        .plus(longestPause())
                        .plus(provider().lookupLag())
                        .plusSeconds(5),
                Duration.ofMinutes(2),
                Duration.ofHours(2)));
        Duration window = provider().window();
        if (window != null) {
            pauses.add(window.minus(longestTransit()).minus(longestPause()).minusSeconds(30));
            pauses.add(window.minusSeconds(30));
            pauses.add(window.plusSeconds(1));
        }
        pauses.removeIf(pause -> pause.isNegative() || pause.isZero());
        return pauses;
    }
}

package dev.idempotency.metrics;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyListener.Outcome;
import dev.idempotency.IdempotencyListener.Run;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * A Micrometer observation, and so a span, for every execution, recovery, lookup and seal. What is observed below them on the same
 * thread, as calls of an instrumented HTTP client are, becomes a part of them. Thread-safe.
 *
 * <p>Keys appear as {@link dev.idempotency.IdempotencyKey#digest() digests}; payloads, results and messages of exceptions
 * do not appear.
 *
 * @since 0.1.0
 */
public final class ObservationTracing implements Idempotency.Tracing {
    /** What callers may expect to happen; anything else marks the span as failed. */
    private static final Set<Outcome> EXPECTED =
            Set.of(Outcome.EXECUTED, Outcome.FOUND, Outcome.REPLAYED, Outcome.DECLINED, Outcome.MISSING);

    private final ObservationRegistry registry;

    private ObservationTracing(ObservationRegistry registry) {
        this.registry = registry;
    }

    /**
     * Observes in a registry.
     *
     * @param registry where handlers, as that of a tracer, are registered
     * @return to be given to {@link Idempotency.Builder#tracing}
     * @throws NullPointerException if {@code registry} is null
     */
    public static ObservationTracing on(ObservationRegistry registry) {
        return new ObservationTracing(Objects.requireNonNull(registry, "registry"));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public Idempotency.Tracing.Span start(Run run, String operation, String keyDigest) {
        return new ObservedRun(Observation.createNotStarted("idempotency." + word(run), registry)
                .contextualName(word(run) + " " + operation)
                .lowCardinalityKeyValue("operation", operation)
                .highCardinalityKeyValue("key.digest", keyDigest)
                .start());
    }

    private record ObservedRun(Observation observation) implements Idempotency.Tracing.Span {
        @Override
        public Idempotency.Tracing.Scope enter() {
            return observation.openScope()::close;
        }

        @Override
        public void end(Outcome outcome, int attempt) {
            observation
                    .lowCardinalityKeyValue("outcome", word(outcome))
                    .highCardinalityKeyValue("attempt", Integer.toString(attempt));
            if (!EXPECTED.contains(outcome)) {
                observation.error(new RunFailed(word(outcome)));
            }
            observation.stop();
        }
    }

    /** Stands for what callers get, whose message names the key. */
    private static final class RunFailed extends Exception {
        private static final long serialVersionUID = 1L;

        RunFailed(String outcome) {
            super(outcome, null, false, false);
        }
    }
}

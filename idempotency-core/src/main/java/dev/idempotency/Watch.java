package dev.idempotency;

import dev.idempotency.Idempotency.Tracing;
import dev.idempotency.IdempotencyListener.Outcome;
import dev.idempotency.IdempotencyListener.Run;
import dev.idempotency.store.StoreException;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One run as listeners and traces see it: how long it took, and how it ended. Thread-safe. */
final class Watch {
    /** Nobody watches. */
    static final Watch NONE = new Watch(null, Run.EXECUTE, new IdempotencyKey("none", "none"));

    private static final Tracing.Scope NOWHERE = () -> {};

    private final @Nullable Audience audience;
    private final Run run;
    private final IdempotencyKey key;
    private final long startedAt;
    private volatile Tracing.@Nullable Span span;
    private volatile int attempt;
    private volatile Outcome success = Outcome.EXECUTED;
    private final AtomicReference<@Nullable Outcome> end = new AtomicReference<>();

    Watch(@Nullable Audience audience, Run run, IdempotencyKey key) {
        this.audience = audience;
        this.run = run;
        this.key = key;
        this.startedAt = audience == null ? 0 : audience.nanoTime();
    }

    void spanned(Tracing.Span started) {
        span = started;
    }

    /** A run within this one, which is the current one of this thread. */
    Watch within(Run inner) {
        return audience == null ? NONE : audience.watch(inner, key);
    }

    /** What happened meanwhile tells how a success came about. */
    void heard(IdempotencyEvent event) {
        if (audience == null) {
            return;
        }
        attempt = Math.max(attempt, event.attempt());
        if (event.type() == IdempotencyEvent.Type.REPLAYED) {
            success = Outcome.REPLAYED;
        } else if (event.type() == IdempotencyEvent.Type.FOUND) {
            success = Outcome.FOUND;
        }
    }

    /** Makes this the current run of this thread, until that is closed on this thread. After the end, nothing. */
    Tracing.Scope enter() {
        Tracing.Span current = span;
        if (current == null || end.get() != null) {
            return NOWHERE;
        }
        Tracing.Scope[] entered = {NOWHERE};
        Audience.quietly("enter", () -> entered[0] = Objects.requireNonNull(current.enter(), "scope"));
        Tracing.Scope scope = entered[0];
        return scope == NOWHERE ? NOWHERE : () -> Audience.quietly("close", scope::close);
    }

    /** Runs in this thread, from beginning to end. */
    <T extends @Nullable Object> T around(Supplier<T> body) {
        T value;
        try {
            Tracing.Scope scope = enter();
            try {
                value = body.get();
            } finally {
                scope.close();
            }
        } catch (RuntimeException | Error e) {
            ended(e);
            throw e;
        }
        ended(null);
        return value;
    }

    /** The execution is over, with a result or with what its caller gets instead. */
    void ended(@Nullable Throwable failure) {
        end(failure == null ? success : outcome(failure));
    }

    /** The run is over, and nobody gets what its caller would have got. */
    void ended(@Nullable Answer<?> answer, @Nullable Throwable failure) {
        if (failure != null || answer == null || answer.failure() == null) {
            ended(failure);
        } else if (audience != null) {
            ended(answer.failure().get());
        }
    }

    private static Outcome outcome(Throwable failure) {
        Throwable reason =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (reason instanceof DeclinedException) {
            return Outcome.DECLINED;
        } else if (reason instanceof NotExecutedException) {
            return Outcome.NOT_EXECUTED;
        } else if (reason instanceof InDoubtException) {
            return Outcome.IN_DOUBT;
        } else if (reason instanceof InFlightException) {
            return Outcome.IN_FLIGHT;
        } else if (reason instanceof MismatchException) {
            return Outcome.MISMATCHED;
        } else if (reason instanceof ResultUnavailableException) {
            return Outcome.RESULT_UNAVAILABLE;
        }
        return reason instanceof StoreException ? Outcome.STORE_FAILED : Outcome.FAILED;
    }

    /** The provider has said, or not said, what became of an attempt in doubt. */
    void answered(Step.Outcome investigated) {
        Object finding = investigated.value();
        if (investigated.failure() == null && finding instanceof Finding.Found<?>) {
            end(Outcome.FOUND);
        } else if (investigated.failure() == null && finding instanceof Finding.Missing<?>) {
            end(Outcome.MISSING);
        } else {
            end(
                    investigated.failure() == null && finding instanceof Finding.Unknown<?>
                            ? Outcome.UNKNOWN
                            : Outcome.FAILED);
        }
    }

    private void end(Outcome outcome) {
        if (audience == null || !end.compareAndSet(null, outcome)) {
            return;
        }
        Tracing.Span started = span;
        if (started != null) {
            Audience.quietly("end", () -> started.end(outcome, attempt));
        }
        audience.tellRun(run, key, outcome, startedAt);
    }
}

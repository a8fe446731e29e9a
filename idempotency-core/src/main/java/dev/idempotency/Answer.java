package dev.idempotency;

import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How an execution ended.
 *
 * @param value gives each caller a copy of the result that is his own, or null if that is the result; null if there is a failure
 * @param failure makes the exception that the caller gets; null if there is a result
 * @param shared whether callers that waited for this execution in the same process get the same answer
 */
record Answer<O extends @Nullable Object>(
        @Nullable Supplier<? extends O> value, @Nullable Supplier<? extends RuntimeException> failure, boolean shared) {

    static <O extends @Nullable Object> Answer<O> of(Supplier<? extends O> value) {
        return new Answer<>(Objects.requireNonNull(value, "value"), null, true);
    }

    static <O extends @Nullable Object> Answer<O> failed(Supplier<? extends RuntimeException> failure) {
        return new Answer<>(null, Objects.requireNonNull(failure, "failure"), true);
    }

    /** For failures that say nothing about the key, only about this caller. */
    static <O extends @Nullable Object> Answer<O> failedAlone(Supplier<? extends RuntimeException> failure) {
        return new Answer<>(null, failure, false);
    }

    /** Does not print the result. */
    @Override
    public String toString() {
        return "Answer[" + (failure == null ? "result" : "failure") + (shared ? "" : ", not shared") + "]";
    }

    /** May be called once for each caller. */
    O get() {
        if (failure != null) {
            throw failure.get();
        }
        return Objects.requireNonNull(value, "value").get();
    }
}

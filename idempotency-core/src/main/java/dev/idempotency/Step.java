package dev.idempotency;

import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What an execution wants done next, and how it goes on from there. The execution itself does no input or output, starts
 * no thread and reads no clock but the one that it was given, so that the same code runs in a thread, in no thread, and
 * in a simulation.
 *
 * @param <R> what comes out in the end
 */
sealed interface Step<R> {
    /** One step of the store. */
    record Ask<R>(Request request, Function<Reply, Step<R>> then) implements Step<R> {}

    /** The call itself. */
    record Call<R>(RunningAttempt attempt, Function<Outcome, Step<R>> then) implements Step<R> {}

    /** The call, and the record of what it returned, in one transaction of the store. */
    record Transact<R>(RunningAttempt attempt, Recording recording, Function<Ending, Step<R>> then)
            implements Step<R> {}

    /** A lookup or a seal of an attempt in doubt. */
    record Investigate<R>(RunningAttempt attempt, boolean seal, Function<Outcome, Step<R>> then) implements Step<R> {}

    /**
     * Time passes; less of it when the store tells that the attempt which this run waits for has ended.
     *
     * @param onInterrupt what follows when the caller's thread is interrupted meanwhile; null where an interrupt changes nothing
     */
    record Pause<R>(
            Duration duration, @Nullable Supplier<Step<R>> onInterrupt, boolean mayBeWoken, Supplier<Step<R>> then)
            implements Step<R> {
        Pause(Duration duration, @Nullable Supplier<Step<R>> onInterrupt, Supplier<Step<R>> then) {
            this(duration, onInterrupt, false, then);
        }
    }

    /** The end; {@code afterwards} goes on without the caller. */
    record Done<R>(R answer, @Nullable Step<?> afterwards) implements Step<R> {}

    /** What is asked of the store, and how: in the thread that asks, or in none. */
    record Request(
            String name,
            Function<IdempotencyStore, Snapshot> run,
            Function<AsyncStore, CompletionStage<Snapshot>> start) {
        static Request reserve(Write write) {
            return new Request("reserve", store -> store.reserve(write), store -> store.reserveAsync(write));
        }

        static Request replace(String name, IdempotencyRecord expected, Write write) {
            return new Request(
                    name, store -> store.replace(expected, write), store -> store.replaceAsync(expected, write));
        }

        static Request find(IdempotencyKey key) {
            return new Request("find", store -> store.find(key), store -> store.findAsync(key));
        }
    }

    /** What the store said: exactly one of the two. */
    record Reply(@Nullable Snapshot snapshot, @Nullable StoreException failure) {
        Snapshot standing() {
            return Objects.requireNonNull(snapshot, "snapshot");
        }
    }

    /** Records what a call returned, in the call's own transaction. */
    @FunctionalInterface
    interface Recording {
        /**
         * Records it.
         *
         * @return false if the key is not the attempt's own any more: then the transaction is to be rolled back
         * @throws Exception if it could not be recorded: the same
         */
        boolean record(@Nullable Object value, Replacing transaction) throws Exception;
    }

    /** The compare-and-set of a store, inside a transaction. */
    @FunctionalInterface
    interface Replacing {
        Snapshot replace(IdempotencyRecord expected, Write write);
    }

    /**
     * How a transaction ended.
     *
     * @param failure why it was not committed, or why nobody knows; null once it is, and for an attempt that had lost its key
     */
    record Ending(How how, @Nullable Throwable failure) {
        enum How {
            COMMITTED,
            ROLLED_BACK,
            UNKNOWN
        }
    }

    /** How a call or an investigation ended: with a value, which may be null, or with a failure. */
    record Outcome(@Nullable Object value, @Nullable Throwable failure) {}
}

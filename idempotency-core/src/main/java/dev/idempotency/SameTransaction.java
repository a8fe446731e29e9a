package dev.idempotency;

import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A call whose effect is in the store's own database, and the store in whose transactions it writes.
 *
 * @param <T> the store's transaction
 */
record SameTransaction<I, O extends @Nullable Object, T>(
        TransactionalStore<T> store, Operation.TransactionalCall<I, O, T> call) {

    /** Thrown to roll back what belongs to an attempt that has lost its key. */
    private static final class Superseded extends Exception {
        private static final long serialVersionUID = 1L;

        Superseded() {
            super("another attempt has the key", null, false, false);
        }
    }

    boolean isJoined() {
        return store.isJoined();
    }

    /** Makes the call and records what it returned, in one transaction. */
    Step.Ending run(I request, Attempt attempt, Step.Recording recording) {
        var work = new Work(request, attempt, recording);
        try {
            store.inTransaction(work);
            return new Step.Ending(Step.Ending.How.COMMITTED, null);
        } catch (Throwable failure) {
            if (failure instanceof Superseded) {
                return new Step.Ending(Step.Ending.How.ROLLED_BACK, null);
            }
            boolean certain = failure == work.thrown || (failure instanceof StoreException e && !e.mayHaveWritten());
            return new Step.Ending(
                    certain || !work.started ? Step.Ending.How.ROLLED_BACK : Step.Ending.How.UNKNOWN, failure);
        }
    }

    private final class Work implements TransactionalStore.Work<T, Boolean> {
        private final I request;
        private final Attempt attempt;
        private final Step.Recording recording;
        private boolean started;
        private @Nullable Throwable thrown;

        Work(I request, Attempt attempt, Step.Recording recording) {
            this.request = request;
            this.attempt = attempt;
            this.recording = recording;
        }

        @Override
        public Boolean run(T transaction) throws Exception {
            Objects.requireNonNull(transaction, "transaction");
            started = true;
            try {
                O value = call.call(request, attempt, transaction);
                if (!recording.record(value, (expected, write) -> store.replace(transaction, expected, write))) {
                    throw new Superseded();
                }
                return true;
            } catch (Throwable t) {
                thrown = t;
                throw t;
            }
        }
    }
}

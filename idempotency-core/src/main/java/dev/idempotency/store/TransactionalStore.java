package dev.idempotency.store;

import org.jspecify.annotations.Nullable;

/**
 * A store in whose own transactions code of the user's can write too, so that an effect and the record of its outcome are
 * committed together or not at all. Thread-safe, as every store is; a transaction is not.
 *
 * <p>The steps of {@link IdempotencyStore} stay what they are: in a transaction of their own, whatever transaction this
 * thread is in.
 *
 * @param <T> the transaction, as code of the user's gets it: a connection, a handle, a session
 * @since 0.1.0
 */
public interface TransactionalStore<T> extends IdempotencyStore {
    /**
     * What is done in one transaction.
     *
     * @param <T> the transaction
     * @param <R> what comes out
     */
    @FunctionalInterface
    interface Work<T, R extends @Nullable Object> {
        /**
         * Does it.
         *
         * @param transaction the transaction; not to be ended, and not to be kept
         * @return what comes out, null included
         * @throws Exception if the transaction is to be rolled back
         */
        R run(T transaction) throws Exception;
    }

    /**
     * Runs work in one transaction, and commits it. On a thread that has joined a transaction of the caller's, the work runs
     * in that one, and the commit is the caller's.
     *
     * @param work what is to be done
     * @param <R> what comes out
     * @return what the work returned, once the commit is acknowledged, or, in a joined transaction, once all of it went well
     * @throws Exception what the work threw, whatever that is, {@code Error}s included; all that it wrote is rolled back then,
     *     and can never be committed
     * @throws StoreException if the store failed: before the work, or in the commit. {@code mayHaveWritten} says whether the
     *     transaction may have been committed all the same
     */
    <R extends @Nullable Object> R inTransaction(Work<? super T, R> work) throws Exception;

    /**
     * As {@link IdempotencyStore#replace}, inside a transaction: what it writes counts when that is committed. Waits for
     * whoever is replacing the same record in a transaction that is still open.
     *
     * @param transaction an open transaction of this store's {@link #inTransaction}
     * @param expected what must stand
     * @param write what replaces it; same key, higher version
     * @return {@code applied} and the written record with its times; or not applied, and what stands instead
     * @throws StoreException if the store failed; the transaction can then only be rolled back
     */
    Snapshot replace(T transaction, IdempotencyRecord expected, Write write);

    /**
     * Tells whether this thread has joined a transaction of the caller's, so that an outcome is not committed yet when
     * {@link #inTransaction} returns it.
     *
     * @return true while it has
     */
    boolean isJoined();
}

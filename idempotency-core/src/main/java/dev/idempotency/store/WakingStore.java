package dev.idempotency.store;

import dev.idempotency.IdempotencyKey;

/**
 * A store that tells when an attempt has ended, in whichever process, so that those who wait for it need not ask again and
 * again. Thread-safe, as every store is.
 *
 * <p>What it tells may be lost, late, repeated or wrong: it only makes a waiting run look sooner, and waiting runs look from
 * time to time anyway.
 *
 * @since 0.1.0
 */
public interface WakingStore extends IdempotencyStore {
    /** Somebody's wish to be told. Thread-safe. */
    interface Watch extends AutoCloseable {
        /** Ends the wish; may be done twice. Never blocks, never throws. */
        @Override
        void close();
    }

    /**
     * Asks to be told whenever a record that was {@link State#IN_FLIGHT} has come into another state. Never waits for the
     * store.
     *
     * @param key which record; it need not exist
     * @param wake is run each time, in a thread of the store's; returns at once and never throws
     * @return to be closed when nobody waits any more
     */
    Watch watch(IdempotencyKey key, Runnable wake);
}

package dev.idempotency.testkit;

/**
 * The steps that an {@link dev.idempotency.store.IdempotencyStore} can take.
 *
 * @since 0.1.0
 */
public enum StoreStep {
    /** {@link dev.idempotency.store.IdempotencyStore#reserve reserve}. */
    RESERVE,
    /** {@link dev.idempotency.store.IdempotencyStore#replace replace}. */
    REPLACE,
    /** {@link dev.idempotency.store.IdempotencyStore#find find}. */
    FIND,
    /** {@link dev.idempotency.store.IdempotencyStore#listUnresolved listUnresolved}. */
    LIST,
    /** {@link dev.idempotency.store.IdempotencyStore#purge purge}. */
    PURGE
}

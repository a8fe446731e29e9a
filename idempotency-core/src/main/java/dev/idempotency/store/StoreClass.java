package dev.idempotency.store;

/**
 * What a store does with writes that it has acknowledged. Part of the guarantee: see {@code docs/guarantees.md}.
 *
 * @since 0.1.0
 */
public enum StoreClass {
    /** Keeps every acknowledged write through a crash of any process, its own included. */
    DURABLE,
    /** May lose acknowledged writes in a failover or a crash of the store. */
    LOSSY,
    /** Keeps acknowledged writes as long as this process lives. */
    PROCESS
}

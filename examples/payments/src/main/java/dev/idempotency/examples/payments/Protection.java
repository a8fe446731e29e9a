package dev.idempotency.examples.payments;

/** What stands between the callers and the provider. */
enum Protection {
    /** The library: {@link Payments#withLibrary}. */
    LIBRARY,
    /** A record with a lease, and whoever comes after the lease calls again: {@link BlindTakeover}. */
    BLIND_TAKEOVER,
    /** Nothing: {@link Payments#withoutLibrary}. */
    NONE
}

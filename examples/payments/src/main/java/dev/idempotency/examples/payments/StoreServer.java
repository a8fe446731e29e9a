package dev.idempotency.examples.payments;

import dev.idempotency.store.IdempotencyStore;

/** A server that keeps records while paying processes come and go: the example's own, or one that is there already. */
interface StoreServer extends AutoCloseable {
    /** Where a process finds it. */
    String url();

    @Override
    void close();

    /**
     * A store on such a server, and the connections that it needs.
     *
     * @param connections are closed after it
     */
    record Opened(IdempotencyStore store, Runnable connections) implements AutoCloseable {
        @Override
        public void close() {
            connections.run();
        }
    }
}

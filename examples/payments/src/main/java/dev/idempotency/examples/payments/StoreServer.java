package dev.idempotency.examples.payments;

import dev.idempotency.store.IdempotencyStore;

/**
 * A server that keeps records while paying processes come and go.
 *
 * @param url where a process finds it
 * @param stop ends it; does nothing to a server of the user's own
 */
record StoreServer(String url, Runnable stop) implements AutoCloseable {
    /**
     * A store on such a server, opened by a process, with the connections that it needs.
     *
     * @param disconnect closes them
     */
    record Opened(IdempotencyStore store, Runnable disconnect) implements AutoCloseable {
        @Override
        public void close() {
            disconnect.run();
        }
    }

    @Override
    public void close() {
        stop.run();
    }
}

package dev.idempotency.examples.slack.events;

/**
 * A server that this example has started.
 *
 * @param url where a process finds it
 * @param kill ends it as {@code kill -9} does
 * @param restart starts it again, on what it had written
 * @param stop ends it, and removes what it had written
 * @param monitor what it is closed under. It closes itself when this process ends: whoever needs it until later holds this
 */
record StoreServer(String url, Runnable kill, Runnable restart, Runnable stop, Object monitor)
        implements AutoCloseable {
    /** A server of the user's, which this example leaves alone. */
    static StoreServer ofUser(String url) {
        return new StoreServer(url, () -> {}, () -> {}, () -> {}, new Object());
    }

    @Override
    public void close() {
        stop.run();
    }
}

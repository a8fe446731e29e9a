package dev.idempotency.inbox;

/**
 * Hears what happens to messages. Called on the thread that made it happen, so it must be quick and thread-safe. What it throws
 * is logged and changes nothing.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface InboxListener {
    /**
     * Something happened.
     *
     * @param event what, and to which message
     */
    void on(InboxEvent event);
}

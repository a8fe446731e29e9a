package dev.idempotency;

/**
 * Hears everything that happens. Called on the thread that made it happen, so it must be quick and thread-safe. What it
 * throws is logged and changes nothing.
 */
@FunctionalInterface
public interface IdempotencyListener {
    /**
     * Something happened.
     *
     * @param event what, and to which key
     */
    void on(IdempotencyEvent event);
}

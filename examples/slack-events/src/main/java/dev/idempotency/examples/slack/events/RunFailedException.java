package dev.idempotency.examples.slack.events;

/** A run cannot go on. */
final class RunFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    RunFailedException(String message) {
        super(message);
    }
}

package dev.idempotency.slack;

/**
 * Bytes that are not what Slack sends. Says what is wrong with them, never what is in them.
 *
 * @since 0.1.0
 */
public final class MalformedEventException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedEventException(String message) {
        super(message);
    }
}

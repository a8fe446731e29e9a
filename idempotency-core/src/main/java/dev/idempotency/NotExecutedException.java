package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * The write definitely did not happen.
 *
 * <p>Also for calls to throw, where they know that nothing was sent or that the provider refused before execution: it
 * is then classified as {@link FailureClass#NOT_EXECUTED}.
 *
 * @since 0.1.0
 */
public final class NotExecutedException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    private final boolean closed;

    /**
     * For a call that knows that its write did not and will not happen.
     *
     * @param message why; no payload, no secret
     * @param cause what lies behind it; may be null
     */
    public NotExecutedException(String message, @Nullable Throwable cause) {
        super(message, cause);
        this.closed = false;
    }

    NotExecutedException(IdempotencyKey key, String message, boolean closed, @Nullable Throwable cause) {
        super(key, message, cause);
        this.closed = closed;
    }

    /**
     * Tells whether the key is closed, so that only an override reopens it.
     *
     * @return false when executing the same request again makes a new attempt
     */
    public boolean isClosed() {
        return closed;
    }
}

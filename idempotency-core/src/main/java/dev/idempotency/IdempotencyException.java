package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * Something kept an operation from giving its result. Each situation has its own subclass. Messages name the key and
 * never the payload or the result.
 *
 * @since 0.1.0
 */
public abstract class IdempotencyException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable IdempotencyKey key;

    /**
     * For exceptions that know their key.
     *
     * @param key which operation
     * @param message what happened; no payload, no secret
     * @param cause what lies behind it; may be null
     */
    protected IdempotencyException(IdempotencyKey key, String message, @Nullable Throwable cause) {
        super(message + " [" + key + "]", cause);
        this.key = key;
    }

    /**
     * For exceptions that are thrown where no key is known.
     *
     * @param message what happened; no payload, no secret
     * @param cause what lies behind it; may be null
     */
    protected IdempotencyException(String message, @Nullable Throwable cause) {
        super(message, cause);
        this.key = null;
    }

    /**
     * Which operation it is about.
     *
     * @return the key; null where it was not known, and after deserialization
     */
    public final @Nullable IdempotencyKey key() {
        return key;
    }
}

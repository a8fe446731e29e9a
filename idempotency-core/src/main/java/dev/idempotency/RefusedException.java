package dev.idempotency;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A person's act was refused, and the record stands as it was. The message says what would be right.
 *
 * @since 0.1.0
 */
public final class RefusedException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    /** Why an act is refused. */
    public enum Reason {
        /** No record stands for the key. */
        UNKNOWN_KEY,
        /** The record is not the one that was reviewed: something has happened since. */
        CHANGED,
        /** A key in this state does not need, or does not bear, this act. */
        WRONG_STATE,
        /** The key has not been in doubt for long enough: what is in flight may still take effect. */
        NOT_QUIESCENT,
        /** Who approves is who asked. */
        SAME_PERSON,
        /** No such request waits for an approval. */
        NO_REQUEST,
        /** The payload is the one that the key has already. */
        SAME_PAYLOAD
    }

    private final Reason reason;
    private final transient @Nullable Instant until;

    RefusedException(IdempotencyKey key, Reason reason, String message, @Nullable Instant until) {
        super(key, message, null);
        this.reason = reason;
        this.until = until;
    }

    /**
     * Why it was refused.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    /**
     * From when on the same act is allowed, if nothing else happens.
     *
     * @return the store's time; null unless the reason is {@link Reason#NOT_QUIESCENT}, and after deserialization
     */
    public @Nullable Instant until() {
        return until;
    }
}

package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * The key belongs to a request with another payload. Nothing was called. Either the key does not identify the request,
 * or the caller changed the request; letting the new payload take over needs {@link Admin#requestOverride}.
 *
 * @since 0.1.0
 */
public final class MismatchException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable Fingerprint offered;

    MismatchException(IdempotencyKey key, Fingerprint offered) {
        super(key, "The key was used with another payload; nothing was called", null);
        this.offered = offered;
    }

    /**
     * The fingerprint of the payload that was refused: what an override would let take over the key.
     *
     * @return the fingerprint; null after deserialization
     */
    public @Nullable Fingerprint offered() {
        return offered;
    }
}

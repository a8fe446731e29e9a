package dev.idempotency;

/**
 * The key belongs to a request with another payload. Nothing was called. Either the key does not identify the request,
 * or the caller changed the request; letting the new payload take over needs {@link Operation#requestOverride}.
 */
public final class MismatchException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    MismatchException(IdempotencyKey key) {
        super(key, "The key was used with another payload; nothing was called", null);
    }
}

package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * Another run of the same request is under way, and its outcome did not come within the time that this one may wait.
 * Nothing was called. Executing the same request again later gives the outcome.
 */
public final class InFlightException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    InFlightException(IdempotencyKey key, String message, @Nullable Throwable cause) {
        super(key, message, cause);
    }
}

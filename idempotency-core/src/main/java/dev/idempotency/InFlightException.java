package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * Another run of the same request is under way, and its outcome did not come within the time that this one may wait.
 * Executing the same request again later gives the outcome. As a rule this run called nothing; where its own call had an
 * unknown outcome, that other run is resolving it.
 *
 * @since 0.1.0
 */
public final class InFlightException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    InFlightException(IdempotencyKey key, String message, @Nullable Throwable cause) {
        super(key, message, cause);
    }
}

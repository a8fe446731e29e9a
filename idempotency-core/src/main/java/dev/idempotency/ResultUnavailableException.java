package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * The operation ran, but its result cannot be given out: it has expired and only a tombstone is left, it was too large to be
 * kept, or the codec cannot read what was recorded. No further call is made until somebody decides.
 *
 * @since 0.1.0
 */
public final class ResultUnavailableException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    ResultUnavailableException(IdempotencyKey key, String message, @Nullable Throwable cause) {
        super(key, message, cause);
    }
}

package dev.idempotency.store;

import dev.idempotency.IdempotencyException;
import org.jspecify.annotations.Nullable;

/**
 * A store failed. Says whether its write may have happened all the same.
 *
 * @since 0.1.0
 */
public sealed class StoreException extends IdempotencyException permits UnknownFormatException {
    private static final long serialVersionUID = 1L;

    private final boolean mayHaveWritten;

    /**
     * A failure of the store.
     *
     * @param message what failed; no payload, no secret
     * @param mayHaveWritten false only if the write certainly did not and will not happen
     * @param cause what the store's driver said; null when there is nothing more to say
     */
    public StoreException(String message, boolean mayHaveWritten, @Nullable Throwable cause) {
        super(message, cause);
        this.mayHaveWritten = mayHaveWritten;
    }

    /**
     * Tells whether the write may have happened, or may still happen.
     *
     * @return false only if it certainly did not and will not
     */
    public boolean mayHaveWritten() {
        return mayHaveWritten;
    }
}

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
    private final boolean retryable;

    /**
     * A failure of the store, which may be over when the step is tried again.
     *
     * @param message what failed; no payload, no secret
     * @param mayHaveWritten false only if the write certainly did not and will not happen
     * @param cause what the store's driver said; null when there is nothing more to say
     */
    public StoreException(String message, boolean mayHaveWritten, @Nullable Throwable cause) {
        this(message, mayHaveWritten, true, cause);
    }

    private StoreException(String message, boolean mayHaveWritten, boolean retryable, @Nullable Throwable cause) {
        super(message, cause);
        this.mayHaveWritten = mayHaveWritten;
        this.retryable = retryable;
    }

    /**
     * A failure before anything was sent, which the same step would only meet again if it were tried again at once: the
     * store has waited for a connection as long as it may, or the key is none that it can hold.
     *
     * @param message what failed; no payload, no secret
     * @param cause what made that known; null when there is nothing more to say
     * @return a failure that has certainly not written, and is not {@link #isRetryable() retryable}
     */
    public static StoreException notRetryable(String message, @Nullable Throwable cause) {
        return new StoreException(message, false, false, cause);
    }

    /**
     * Tells whether the write may have happened, or may still happen.
     *
     * @return false only if it certainly did not and will not
     */
    public boolean mayHaveWritten() {
        return mayHaveWritten;
    }

    /**
     * Tells whether the same step may succeed if it is tried again at once. If not, the caller is to hear of the failure
     * without any further try.
     *
     * @return false only for a failure that was made by {@link #notRetryable}
     */
    public boolean isRetryable() {
        return retryable;
    }
}

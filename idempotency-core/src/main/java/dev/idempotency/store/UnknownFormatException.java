package dev.idempotency.store;

import org.jspecify.annotations.Nullable;

/**
 * What stands in the store is of a format that this version of the library does not know: a newer version wrote it, and this
 * process is to be updated to that version. What stands was left as it is; nothing in the store needs repair.
 *
 * @since 0.1.0
 */
public final class UnknownFormatException extends StoreException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure to read what a newer version wrote.
     *
     * @param what what cannot be read, such as "The record of charge-card:ORD-1"; no payload, no secret
     * @param mayHaveWritten false only if the write certainly did not and will not happen
     * @param cause what made that known; null when there is nothing more to say
     */
    public UnknownFormatException(String what, boolean mayHaveWritten, @Nullable Throwable cause) {
        super(
                what
                        + " is of a format that this version of the library does not know. Unless somebody"
                        + " has changed it by hand, it was written by a newer version:"
                        + " update this process to that one, and leave the store as it is",
                mayHaveWritten,
                cause);
    }
}

package dev.idempotency.slack;

/**
 * What became of a delivery that was to be put into the inbox.
 *
 * @since 0.1.0
 */
public enum Taken {
    /** It is in the inbox now. */
    ACCEPTED,
    /** It was there before. */
    DUPLICATE,
    /** It is in the spill buffer, and goes to the inbox when the store answers again. */
    SPILLED,
    /** Too much at once: there was no time left to try. */
    SHED,
    /** The store did not take it in time. It may be in the inbox all the same. */
    FAILED;

    /**
     * Whether Slack may forget it.
     *
     * @return true when it cannot be lost any more: only then is it acknowledged
     */
    public boolean isSafe() {
        return this == ACCEPTED || this == DUPLICATE || this == SPILLED;
    }
}

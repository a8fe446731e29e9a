package dev.idempotency.store;

/**
 * The state of one key. What may follow what is written down in {@code docs/state-machine.md}.
 *
 * @since 0.1.0
 */
public enum State {
    /** Nothing stands in the way of a call: the key was released, or reopened by an override. */
    OPEN,
    /** One attempt owns the key and may be talking to the provider. */
    IN_FLIGHT,
    /** An attempt may or may not have taken effect. Only evidence ends this state. */
    IN_DOUBT,
    /** The outcome is known and recorded: a result, or a definite decline. */
    COMPLETED,
    /** The write definitely did not happen, and will not happen under this generation of the key. */
    CLOSED;

    /**
     * Tells whether a key in this state still needs something to happen.
     *
     * @return true for {@link #IN_FLIGHT} and {@link #IN_DOUBT}; such a record is never expired, evicted or purged
     */
    public boolean isUnresolved() {
        return this == IN_FLIGHT || this == IN_DOUBT;
    }

    /**
     * Tells whether the outcome of this generation of the key is settled.
     *
     * @return true for {@link #COMPLETED} and {@link #CLOSED}
     */
    public boolean isTerminal() {
        return this == COMPLETED || this == CLOSED;
    }
}

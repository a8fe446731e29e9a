package dev.idempotency.inbox;

import java.util.Objects;

/**
 * A task's word that no attempt at a message will ever succeed: it becomes a dead letter at once.
 *
 * @since 0.1.0
 */
public final class UnprocessableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    /**
     * Gives a message up.
     *
     * @param reason why, for people; is stored and logged, so nothing of the payload. Without the character 0
     * @throws NullPointerException if {@code reason} is null
     */
    public UnprocessableException(String reason) {
        super(reason);
        this.reason = Objects.requireNonNull(reason, "reason");
    }

    /**
     * Why.
     *
     * @return the reason
     */
    public String reason() {
        return reason;
    }
}

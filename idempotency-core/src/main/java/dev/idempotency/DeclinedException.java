package dev.idempotency;

import java.util.Objects;

/**
 * The provider's definite "no": a documented business decline, which is an outcome like any other. For calls to throw;
 * it is recorded, and every later run of the request gets an equal one.
 *
 * @since 0.1.0
 */
public final class DeclinedException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    /** The longest reason, in characters. */
    public static final int MAX_REASON = 2000;

    private final String reason;

    /**
     * A decline.
     *
     * @param reason why, in the provider's terms; stored with the key and given to every later run; not blank, at most
     *     {@value #MAX_REASON} characters
     * @throws NullPointerException if {@code reason} is null
     * @throws IllegalArgumentException if {@code reason} is blank or too long
     */
    public DeclinedException(String reason) {
        super("Declined by the provider", null);
        this.reason = requireReason(reason);
    }

    DeclinedException(IdempotencyKey key, String reason) {
        super(key, "Declined by the provider", null);
        this.reason = requireReason(reason);
    }

    private static String requireReason(String reason) {
        Objects.requireNonNull(reason, "reason");
        if (reason.isBlank() || reason.length() > MAX_REASON) {
            throw new IllegalArgumentException("reason must have 1 to " + MAX_REASON + " characters");
        }
        return reason;
    }

    /**
     * Why the provider declined.
     *
     * @return the reason that was recorded
     */
    public String reason() {
        return reason;
    }
}

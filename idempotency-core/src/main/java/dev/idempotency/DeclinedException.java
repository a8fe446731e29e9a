package dev.idempotency;

import org.jspecify.annotations.Nullable;

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
     * @param reason why, in the provider's terms; stored with the key and given to every later run. Often the provider's own
     *     words, which nobody has checked: what is beyond {@value #MAX_REASON} characters is cut off, and one that is blank or null
     *     becomes {@code "no reason given"}
     */
    public DeclinedException(@Nullable String reason) {
        super("Declined by the provider", null);
        this.reason = usable(reason);
    }

    DeclinedException(IdempotencyKey key, @Nullable String reason) {
        super(key, "Declined by the provider", null);
        this.reason = usable(reason);
    }

    /** Never refuses: an exception of this constructor inside a call would make a doubt of a definite "no". */
    private static String usable(@Nullable String reason) {
        if (reason == null || reason.isBlank()) {
            return "no reason given";
        }
        if (reason.length() <= MAX_REASON) {
            return reason;
        }
        boolean splitsPair = Character.isHighSurrogate(reason.charAt(MAX_REASON - 1))
                && Character.isLowSurrogate(reason.charAt(MAX_REASON));
        return reason.substring(0, splitsPair ? MAX_REASON - 1 : MAX_REASON);
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

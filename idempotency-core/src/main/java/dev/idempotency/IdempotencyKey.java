package dev.idempotency;

import java.util.HexFormat;

/**
 * The identity of one logical write: every retry, replay and concurrent run of it has the same key.
 *
 * @param scope the operation's name, or name and tenant joined by a slash; 1 to {@value #MAX_SCOPE} characters
 * @param value which of the operation's writes; 1 to {@value #MAX_VALUE} characters
 * @since 0.1.0
 */
public record IdempotencyKey(String scope, String value) {
    /** The longest scope, in characters. */
    public static final int MAX_SCOPE = 200;

    /** The longest value, in characters. Longer input is stored as a digest by {@link Operation}. */
    public static final int MAX_VALUE = 255;

    /**
     * Makes a key from its parts.
     *
     * @param scope as described above
     * @param value as described above
     * @throws NullPointerException if a part is null
     * @throws IllegalArgumentException if a part is blank, too long, or has a control character or a lone surrogate
     */
    public IdempotencyKey {
        Settings.text("scope", scope, MAX_SCOPE);
        Settings.text("value", value, MAX_VALUE);
    }

    /**
     * The operation's name, without the tenant.
     *
     * @return the scope up to its first slash
     */
    public String operation() {
        int slash = scope.indexOf('/');
        return slash < 0 ? scope : scope.substring(0, slash);
    }

    /**
     * Stands for this key where its text must not appear, as in traces. Not a secret: who can guess a key can check the
     * guess.
     *
     * @return the first 16 hexadecimal digits of the SHA-256 of scope and value, framed by their lengths
     */
    public String digest() {
        return HexFormat.of().formatHex(Digests.sha256(Digests.frame(scope, value)), 0, 8);
    }

    @Override
    public String toString() {
        return scope + ":" + value;
    }
}

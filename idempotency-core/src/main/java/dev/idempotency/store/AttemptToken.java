package dev.idempotency.store;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;

/**
 * Proof of one attempt: 128 random bits, new at every entry to {@link State#IN_FLIGHT} and never used again.
 *
 * <p>Never a counter and never the name of a host: a counter that starts again after a purge, or a name that survives
 * a restart, lets an old attempt pass for a new one.
 *
 * @param value 32 lower-case hexadecimal digits
 * @since 0.1.0
 */
public record AttemptToken(String value) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int LENGTH = 16;

    /** Drawn ahead: the source has one lock for all threads. What a thread never uses goes with it. */
    @SuppressWarnings("ThreadLocalUsage") // one for each thread, whatever makes tokens
    private static final ThreadLocal<ByteBuffer> AHEAD =
            ThreadLocal.withInitial(() -> ByteBuffer.allocate(32 * LENGTH).limit(0));

    /**
     * Makes a token from its text form.
     *
     * @param value as described above
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if {@code value} is not 32 lower-case hexadecimal digits
     */
    public AttemptToken {
        Objects.requireNonNull(value, "value");
        if (!isToken(value)) {
            throw new IllegalArgumentException("value must be 32 lower-case hexadecimal digits");
        }
    }

    private static boolean isToken(String value) {
        if (value.length() != 32) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    /**
     * Draws a new token from a cryptographically strong source. Thread-safe.
     *
     * @return a token that no other attempt has
     */
    public static AttemptToken random() {
        ByteBuffer ahead = AHEAD.get();
        if (!ahead.hasRemaining()) {
            var drawn = new byte[ahead.capacity()];
            RANDOM.nextBytes(drawn);
            ahead.clear().put(drawn).flip();
        }
        var bytes = new byte[LENGTH];
        ahead.get(bytes);
        return new AttemptToken(HexFormat.of().formatHex(bytes));
    }
}

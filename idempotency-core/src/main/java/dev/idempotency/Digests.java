package dev.idempotency;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256, and text framed by its length so that parts cannot run into each other. */
final class Digests {
    private static final MessageDigest SHA_256 = sha256();

    private Digests() {}

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static byte[] sha256(byte[] bytes) {
        try {
            // Looking the algorithm up costs more than a short digest.
            return ((MessageDigest) SHA_256.clone()).digest(bytes);
        } catch (CloneNotSupportedException e) {
            return sha256().digest(bytes);
        }
    }

    static byte[] sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    /** {@code ("a", "b:c")} and {@code ("a:b", "c")} differ: {@code 1:a3:b:c} and {@code 3:a:b1:c}. */
    static String frame(String... parts) {
        var framed = new StringBuilder();
        for (String part : parts) {
            framed.append(part.length()).append(':').append(part);
        }
        return framed.toString();
    }
}

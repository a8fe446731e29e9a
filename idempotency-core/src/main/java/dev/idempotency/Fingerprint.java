package dev.idempotency;

import java.util.Objects;

/**
 * What a request said: a digest of its canonical form. Two requests under one key must have equal fingerprints.
 *
 * @param algorithm how the digest was made; {@value #JCS_SHA256} is SHA-256 over RFC 8785 canonical JSON
 * @param digest the digest in lower-case hexadecimal
 * @since 0.1.0
 */
public record Fingerprint(String algorithm, String digest) {
    /** SHA-256 over RFC 8785 canonical JSON; numbers that a double cannot hold exactly are taken as strings. */
    public static final String JCS_SHA256 = "jcs-sha256";

    /**
     * Makes a fingerprint from its parts.
     *
     * @param algorithm as described above
     * @param digest as described above
     * @throws NullPointerException if a part is null
     * @throws IllegalArgumentException if {@code algorithm} is not 1 to 32 characters, or {@code digest} not 1 to 128
     */
    public Fingerprint {
        Objects.requireNonNull(algorithm, "algorithm");
        Objects.requireNonNull(digest, "digest");
        if (algorithm.isBlank() || algorithm.length() > 32) {
            throw new IllegalArgumentException("algorithm must have 1 to 32 characters");
        }
        if (digest.isBlank() || digest.length() > 128) {
            throw new IllegalArgumentException("digest must have 1 to 128 characters");
        }
    }
}

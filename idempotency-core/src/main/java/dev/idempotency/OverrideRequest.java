package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import java.util.Objects;

/**
 * One person's wish to let another payload take over a key, for a second person to review. It holds for the record
 * exactly as it was read: any later write makes it void.
 *
 * @param key which operation
 * @param reviewedVersion the version of the record that was read
 * @param reviewedToken the latest attempt of the record that was read
 * @param fingerprint the fingerprint of the new payload
 * @param requestedBy who wishes it
 * @param reason why
 */
public record OverrideRequest(
        IdempotencyKey key,
        long reviewedVersion,
        AttemptToken reviewedToken,
        Fingerprint fingerprint,
        String requestedBy,
        String reason) {
    /**
     * Checks the request.
     *
     * @param key as described above
     * @param reviewedVersion as described above
     * @param reviewedToken as described above
     * @param fingerprint as described above
     * @param requestedBy as described above
     * @param reason as described above
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if {@code requestedBy} (at most 200 characters) or {@code reason} (at most 1,000)
     *     is blank, too long or has control characters
     */
    public OverrideRequest {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(reviewedToken, "reviewedToken");
        Objects.requireNonNull(fingerprint, "fingerprint");
        Settings.text("requestedBy", requestedBy, 200);
        Settings.text("reason", reason, 1000);
    }
}

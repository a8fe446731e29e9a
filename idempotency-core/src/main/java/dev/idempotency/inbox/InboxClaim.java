package dev.idempotency.inbox;

import dev.idempotency.store.AttemptToken;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A message that was claimed, and the proof of it. Whoever has it renews it, and ends it with one of done, retry or bury.
 *
 * @param message what was claimed
 * @param token proof of this claim: 128 random bits, new with every claim
 * @param attempt how often the message was claimed since it was offered or replayed, with this time; from 1
 * @param receivedAt when it was offered, by the store's clock
 * @param claimedAt when it was claimed, by the store's clock
 * @param lastReason why it was to be tried again; null when nobody said so
 * @since 0.1.0
 */
public record InboxClaim(
        InboxMessage message,
        AttemptToken token,
        int attempt,
        Instant receivedAt,
        Instant claimedAt,
        @Nullable String lastReason) {
    /**
     * Checks the claim.
     *
     * @param message as described above
     * @param token as described above
     * @param attempt as described above
     * @param receivedAt as described above
     * @param claimedAt as described above
     * @param lastReason as described above
     * @throws NullPointerException if an argument other than {@code lastReason} is null
     * @throws IllegalArgumentException if {@code attempt} is below 1
     */
    public InboxClaim {
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(receivedAt, "receivedAt");
        Objects.requireNonNull(claimedAt, "claimedAt");
        if (attempt < 1) {
            throw new IllegalArgumentException("attempt is " + attempt + "; it must be at least 1");
        }
    }
}

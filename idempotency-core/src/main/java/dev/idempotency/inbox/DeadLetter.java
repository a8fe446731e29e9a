package dev.idempotency.inbox;

import java.time.Instant;
import java.util.Objects;

/**
 * A message that nobody tries any more, until somebody replays or discards it.
 *
 * @param message what it is
 * @param attempts how often it was claimed; from 1
 * @param receivedAt when it was offered, by the store's clock
 * @param buriedAt when it was given up, by the store's clock
 * @param reason why
 * @since 0.1.0
 */
public record DeadLetter(InboxMessage message, int attempts, Instant receivedAt, Instant buriedAt, String reason) {
    /**
     * Checks the dead letter.
     *
     * @param message as described above
     * @param attempts as described above
     * @param receivedAt as described above
     * @param buriedAt as described above
     * @param reason as described above
     * @throws NullPointerException if an argument is null
     */
    public DeadLetter {
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(receivedAt, "receivedAt");
        Objects.requireNonNull(buriedAt, "buriedAt");
        Objects.requireNonNull(reason, "reason");
    }
}

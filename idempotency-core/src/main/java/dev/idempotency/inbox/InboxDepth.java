package dev.idempotency.inbox;

import java.time.Duration;
import java.util.Objects;

/**
 * How much is in a queue.
 *
 * @param ready how many messages could be claimed now, with those whose lease is over
 * @param delayed how many wait for their next attempt
 * @param claimed how many are claimed, their lease not over
 * @param dead how many are dead letters
 * @param lag how long ago the oldest message arrived that is ready, delayed or claimed; zero when there is none
 * @since 0.1.0
 */
public record InboxDepth(long ready, long delayed, long claimed, long dead, Duration lag) {
    /**
     * Checks the numbers.
     *
     * @param ready as described above
     * @param delayed as described above
     * @param claimed as described above
     * @param dead as described above
     * @param lag as described above
     * @throws NullPointerException if {@code lag} is null
     */
    public InboxDepth {
        Objects.requireNonNull(lag, "lag");
    }
}

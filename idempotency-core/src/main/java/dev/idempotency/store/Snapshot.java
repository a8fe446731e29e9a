package dev.idempotency.store;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A store's answer to one step: what stands now, and the store's time.
 *
 * @param applied whether this step wrote its record
 * @param record what stands now for the key; null when nothing does
 * @param now the store's time of the step
 * @since 0.1.0
 */
public record Snapshot(boolean applied, @Nullable IdempotencyRecord record, Instant now) {
    /**
     * Checks the answer.
     *
     * @param applied as described above
     * @param record as described above
     * @param now as described above
     * @throws NullPointerException if {@code now} is null
     */
    public Snapshot {
        Objects.requireNonNull(now, "now");
    }
}

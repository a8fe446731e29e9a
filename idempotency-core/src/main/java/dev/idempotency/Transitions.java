package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The protocol as a pure function. {@link StateMachine} is the one there is; tests put faulty ones in its place. */
@FunctionalInterface
interface Transitions {
    /**
     * Decides what an event does to a record.
     *
     * @param record what stands; null for nothing
     * @param event what happened
     * @param now the store's time when {@code record} was read
     */
    Decision decide(@Nullable IdempotencyRecord record, Event event, Instant now);
}

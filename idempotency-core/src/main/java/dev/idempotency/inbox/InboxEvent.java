package dev.idempotency.inbox;

import dev.idempotency.IdempotencyKey;
import java.time.Duration;
import java.util.Objects;

/**
 * Something that happened to a message, without its payload.
 *
 * @param type what
 * @param key to which message
 * @param attempt which attempt; 0 for an offer
 * @param age how long ago the message had arrived when it was claimed, by the store's clock: the lag; zero for an offer
 * @param took how long the task ran; zero unless it has ended
 * @param detail one word for people, such as the class of a failure; empty when the type says all
 * @since 0.1.0
 */
public record InboxEvent(Type type, IdempotencyKey key, int attempt, Duration age, Duration took, String detail) {
    /** What can happen. */
    public enum Type {
        /** An offer was accepted. */
        OFFERED,
        /** An offer was a duplicate. */
        DUPLICATE,
        /** A worker claimed the message. */
        CLAIMED,
        /** The task ended without failure, and that is recorded. */
        DONE,
        /** The task failed, and the message will be tried again. */
        RETRIED,
        /** The message became a dead letter. An alarm: it waits for a person. */
        BURIED,
        /**
         * The claim was lost while the task ran, or its end could not be recorded: the message is or will be handled once
         * more.
         */
        LEASE_LOST
    }

    /**
     * Checks the event.
     *
     * @param type as described above
     * @param key as described above
     * @param attempt as described above
     * @param age as described above
     * @param took as described above
     * @param detail as described above
     * @throws NullPointerException if an argument is null
     */
    public InboxEvent {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(age, "age");
        Objects.requireNonNull(took, "took");
        Objects.requireNonNull(detail, "detail");
    }
}

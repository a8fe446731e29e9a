package dev.idempotency.slack;

import java.time.Duration;
import java.util.Objects;

/**
 * What became of an event, or of one consumer's part in it.
 *
 * @param consumer which consumer; empty for what is decided before any
 * @param type the type of the event
 * @param outcome what became of it
 * @param took how long it took
 * @since 0.1.0
 */
public record Handled(String consumer, String type, Outcome outcome, Duration took) {
    /** What can become of an event. */
    public enum Outcome {
        /** The handler has returned, and that is recorded. */
        HANDLED,
        /** The handler had returned before for the same message: it was not called. */
        DUPLICATE,
        /** The same act of a user came as another message. An event that ends so is also a {@link #DUPLICATE}. */
        DUPLICATE_ACT,
        /** The handler, or the store, failed: it is tried again. */
        FAILED,
        /** The consumer does not want it. */
        LEFT_OUT,
        /** A newer state of its message was handled before. */
        STALE,
        /** It was written by a bot that is not listened to. */
        FROM_BOT,
        /** Bots write more in this thread than anybody reads: a loop. An alarm. */
        LOOP,
        /** No consumer is for its type. */
        UNROUTED,
        /** Slack has left events out, because there were too many. An alarm. */
        RATE_LIMITED
    }

    /**
     * Checks the record.
     *
     * @param consumer as described above
     * @param type as described above
     * @param outcome as described above
     * @param took as described above
     * @throws NullPointerException if an argument is null
     */
    public Handled {
        Objects.requireNonNull(consumer, "consumer");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(outcome, "outcome");
        Objects.requireNonNull(took, "took");
    }
}

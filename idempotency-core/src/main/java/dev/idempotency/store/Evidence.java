package dev.idempotency.store;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One line of a record's history: something that was learnt or decided about the key. Lines are only ever appended.
 *
 * @param kind what happened
 * @param at when, by the store's clock as last read
 * @param attempt the number of the attempt that it is about
 * @param detail one line for people; no payload, no secret
 * @param result the outcome that was learnt but not recorded as the answer; null when there is none
 * @since 0.1.0
 */
public record Evidence(
        Kind kind,
        Instant at,
        int attempt,
        String detail,
        @Nullable StoredResult result) {

    /** What happened. */
    public enum Kind {
        /** The attempt ended without a definite outcome. */
        IN_DOUBT,
        /** The attempt's lease ran out. */
        LAPSED,
        /** The attempt proved that it had sent nothing, or that nothing was executed. */
        RELEASED,
        /** The attempt's real answer came after the key was in doubt. */
        LATE_RESULT,
        /** The provider was asked and had the write, or a person says so. */
        FOUND,
        /** The same native key was sent again. */
        RESENT,
        /** The provider had nothing, and the call was made again. */
        REEXECUTED,
        /** A lapsed attempt of a same-transaction operation was taken over. */
        TAKEN_OVER,
        /** The write did not happen, and the key was closed. */
        CLOSED,
        /** The answer of an attempt that had been superseded. */
        SUPERSEDED,
        /** A second, different outcome for a recorded one: alarm. */
        CONFLICT,
        /** An outcome for a key that was closed as not executed: alarm. */
        CONTRADICTION,
        /** A superseded attempt had another outcome than the one recorded: alarm. */
        DUPLICATE,
        /** A person opened the key again, or two people let another payload take it over. */
        OVERRIDE
    }

    /**
     * Checks the line.
     *
     * @param kind as described above
     * @param at as described above
     * @param attempt as described above
     * @param detail as described above
     * @param result as described above
     * @throws NullPointerException if {@code kind}, {@code at} or {@code detail} is null
     */
    public Evidence {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(detail, "detail");
    }
}

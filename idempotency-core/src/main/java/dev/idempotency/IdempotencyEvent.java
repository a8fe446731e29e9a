package dev.idempotency;

import java.util.Objects;

/**
 * Something that happened to a key. Carries no payload and no result.
 *
 * @param type what happened
 * @param key to which key
 * @param generation the key's generation; 0 where it is not known
 * @param attempt the number of the attempt; 0 where there is none
 * @param detail one line for people; empty when the type says all
 * @since 0.1.0
 */
public record IdempotencyEvent(Type type, IdempotencyKey key, int generation, int attempt, String detail) {

    /** What can happen. */
    public enum Type {
        /** The key was reserved for a first attempt. */
        RESERVED,
        /** The call is about to be made. */
        CALLING,
        /** The call failed without effect, and is made again under the same reservation. */
        RETRIED,
        /** A result was recorded. */
        COMPLETED,
        /** A definite decline was recorded. */
        DECLINED,
        /** The attempt proved that nothing was executed. */
        RELEASED,
        /** The attempt ended without a definite outcome. */
        IN_DOUBT,
        /** An attempt's lease was found to be over. */
        LAPSED,
        /** A recorded outcome was given out. */
        REPLAYED,
        /** A run waits for another one of the same key. */
        WAITING,
        /** A run gave up waiting, or does not wait. */
        IN_FLIGHT_REFUSED,
        /** The key belongs to another payload. */
        MISMATCHED,
        /** The operation ran, but its result is gone or unreadable. */
        RESULT_UNAVAILABLE,
        /** The provider is asked about an attempt in doubt. */
        RECOVERY_STARTED,
        /** The provider did not say. */
        RECOVERY_FAILED,
        /** The provider had the write. */
        FOUND,
        /** The same native key is sent again. */
        RESENT,
        /** The provider had nothing, and the call is made again. */
        REEXECUTED,
        /** The lapsed attempt of a same-transaction operation was taken over by a new one. */
        TAKEN_OVER,
        /** The key was closed as not executed. */
        CLOSED,
        /** The lease was renewed. */
        RENEWED,
        /** The lease was lost while the call was running. */
        LEASE_LOST,
        /** The real answer of an attempt in doubt came late, and completed the key. */
        LATE_RESULT,
        /** The answer of an attempt that others had superseded. */
        SUPERSEDED,
        /** An outcome for a key that no record stands for: alarm. */
        ORPHAN,
        /** A second, different outcome for a recorded one: alarm. */
        CONFLICT,
        /** An outcome for a key that was closed as not executed: alarm. */
        CONTRADICTION,
        /** A superseded attempt had another outcome than the one recorded: alarm. */
        DUPLICATE,
        /** The store failed. */
        STORE_FAILED,
        /** A person opened the key again, or two people let another payload take it over, or took that back. */
        OVERRIDDEN;

        /**
         * Tells whether this says that a precondition was broken somewhere, so that somebody should look.
         *
         * @return true for {@link #ORPHAN}, {@link #CONFLICT}, {@link #CONTRADICTION} and {@link #DUPLICATE}
         */
        public boolean isAlarm() {
            return this == ORPHAN || this == CONFLICT || this == CONTRADICTION || this == DUPLICATE;
        }
    }

    /**
     * Checks the event.
     *
     * @param type as described above
     * @param key as described above
     * @param generation as described above
     * @param attempt as described above
     * @param detail as described above
     * @throws NullPointerException if an argument is null
     */
    public IdempotencyEvent {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(detail, "detail");
    }
}

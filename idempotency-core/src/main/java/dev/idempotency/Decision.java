package dev.idempotency;

import dev.idempotency.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * What the state machine says to an event.
 *
 * @param verdict in a word
 * @param reason in another
 * @param write what the store is to write, on condition that the record still stands; null if nothing
 * @param alarm what somebody should look at; null if nothing
 */
record Decision(Verdict verdict, Reason reason, @Nullable Write write, IdempotencyEvent.@Nullable Type alarm) {
    enum Verdict {
        /** The event is accepted once its write is confirmed. */
        CHANGE,
        /** The event is accepted, and the record stays as it is. */
        SAME,
        /** The event is refused. Its write, if there is one, only appends evidence. */
        REFUSED
    }

    enum Reason {
        ACQUIRED,
        RENEWED,
        CLAIMED,
        COMPLETED,
        RELEASED,
        IN_DOUBT,
        RESENT,
        REEXECUTED,
        TAKEN_OVER,
        CLOSED,
        OVERRIDDEN,
        WITHDRAWN,
        FORGOTTEN,
        UNCHANGED,
        WAIT,
        LAPSED,
        REPLAY,
        REPLAY_NOT_EXECUTED,
        RESULT_EXPIRED,
        MISMATCH,
        BURNED,
        LOST,
        LEASE_LOST,
        DONE,
        SUPERSEDED,
        STATE,
        NOT_YET,
        WINDOW_CLOSED,
        NOT_QUIESCENT,
        NON_TERMINAL,
        CHANGED
    }

    static Decision change(Reason reason, Write write) {
        return new Decision(Verdict.CHANGE, reason, write, null);
    }

    static Decision same(Reason reason) {
        return new Decision(Verdict.SAME, reason, null, null);
    }

    static Decision refused(Reason reason) {
        return new Decision(Verdict.REFUSED, reason, null, null);
    }

    /** The write of a decision that has one. */
    Write toWrite() {
        if (write == null) {
            throw new IllegalStateException(verdict + " " + reason + " has nothing to write");
        }
        return write;
    }
}

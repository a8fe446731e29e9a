package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The one place that decides what a caller meets when its key is already there: {@code docs/conflict-table.md}. */
enum ConflictTable {
    NONE("none, released, or expired and forgotten", Meeting.RESERVE, Meeting.RESERVE),
    OVERRIDDEN("opened by an override", Meeting.RESERVE, Meeting.MISMATCH),
    EXPIRED("expired, tombstone kept", Meeting.RESULT_EXPIRED, Meeting.MISMATCH),
    IN_FLIGHT("IN_FLIGHT, lease left", Meeting.WAIT, Meeting.MISMATCH),
    LAPSED("IN_FLIGHT, lease lapsed", Meeting.EXPIRE, Meeting.MISMATCH),
    IN_DOUBT("IN_DOUBT", Meeting.RECOVER, Meeting.MISMATCH),
    COMPLETED("COMPLETED", Meeting.REPLAY, Meeting.MISMATCH),
    CLOSED("CLOSED", Meeting.REPLAY_NOT_EXECUTED, Meeting.MISMATCH);

    enum Meeting {
        /** Reserve, call, record. */
        RESERVE,
        /** Wait for the attempt in flight, or refuse at once, as the operation says. */
        WAIT,
        /** The lapsed attempt becomes in doubt, then recovery. */
        EXPIRE,
        /** The recovery policy. */
        RECOVER,
        /** The recorded result or decline. */
        REPLAY,
        /** "Not executed", until an override reopens the key. */
        REPLAY_NOT_EXECUTED,
        /** The operation ran, its result is gone. */
        RESULT_EXPIRED,
        /** Another payload: refused at once, in every state. */
        MISMATCH
    }

    final String existing;
    final Meeting sameFingerprint;
    final Meeting otherFingerprint;

    ConflictTable(String existing, Meeting sameFingerprint, Meeting otherFingerprint) {
        this.existing = existing;
        this.sameFingerprint = sameFingerprint;
        this.otherFingerprint = otherFingerprint;
    }

    static Meeting meet(@Nullable IdempotencyRecord record, Fingerprint fingerprint, Instant now) {
        ConflictTable row = row(record, now);
        boolean same = record == null || fingerprint.equals(record.fingerprint());
        return same ? row.sameFingerprint : row.otherFingerprint;
    }

    private static ConflictTable row(@Nullable IdempotencyRecord record, Instant now) {
        if (record == null || record.isForgettable(now)) {
            return NONE;
        }
        return switch (record.state()) {
            case OPEN -> record.fingerprint() == null ? NONE : OVERRIDDEN;
            case IN_FLIGHT -> record.isLapsed(now) ? LAPSED : IN_FLIGHT;
            case IN_DOUBT -> IN_DOUBT;
            case COMPLETED -> record.isExpired(now) ? EXPIRED : COMPLETED;
            case CLOSED -> CLOSED;
        };
    }
}

package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Records that stand, and the values they are made of. */
final class Standing {
    static final Instant NOW = Instant.parse("2026-03-04T05:06:07.000000008Z");
    static final Duration TICK = Duration.ofNanos(1);

    static final Duration LEASE = Duration.ofSeconds(31);
    static final Duration RETENTION = Duration.ofDays(3);
    static final Duration TOMBSTONE = Duration.ofDays(2);
    static final Event.Spans SPANS = new Event.Spans(LEASE, RETENTION, TOMBSTONE);

    static final Duration QUIESCENCE = Duration.ofMinutes(7);
    static final Duration GUARD = Duration.ofHours(5);
    static final RecoveryTerms TERMS = new RecoveryTerms(
            RecoveryTerms.Policy.NATIVE_THEN_LOOKUP, RecoveryTerms.WhenMissing.REEXECUTE, QUIESCENCE, GUARD);
    static final RecoveryTerms OTHER_TERMS =
            new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null);

    static final RecoveryTerms SAME_TRANSACTION = new RecoveryTerms(
            RecoveryTerms.Policy.SAME_TRANSACTION, RecoveryTerms.WhenMissing.REEXECUTE, Duration.ZERO, null);

    static final IdempotencyKey KEY = new IdempotencyKey("charge", "order-1");
    static final Fingerprint FINGERPRINT = new Fingerprint(Fingerprint.JCS_SHA256, "aa");
    static final Fingerprint OTHER_FINGERPRINT = new Fingerprint(Fingerprint.JCS_SHA256, "bb");
    static final StoredRequest REQUEST = new StoredRequest("json", new byte[] {1, 2});
    static final StoredRequest OTHER_REQUEST = new StoredRequest("json", new byte[] {3});
    static final AttemptToken OWN = new AttemptToken("0".repeat(31) + "1");
    static final AttemptToken STALE = new AttemptToken("0".repeat(31) + "2");
    static final AttemptToken NEW = new AttemptToken("0".repeat(31) + "3");
    static final ProviderProfile.KeyFormat FORMAT = ProviderProfile.KeyFormat.hex(40);
    static final StoredResult RESULT = result("paid");
    static final StoredResult OTHER_RESULT = result("paid twice");
    static final StoredResult DECLINE =
            new StoredResult(StoredResult.Kind.DECLINED, "text", "no money".getBytes(StandardCharsets.UTF_8));
    static final Evidence HISTORY =
            new Evidence(Evidence.Kind.RESENT, NOW.minusSeconds(99), 1, "something that was learnt before", null);

    private Standing() {}

    static StoredResult result(String text) {
        return new StoredResult(StoredResult.Kind.RESULT, "json", text.getBytes(StandardCharsets.UTF_8));
    }

    /** A record of attempt 2 in generation 3 at version 41, with a history; lease left, window open, not yet quiescent. */
    static IdempotencyRecord in(State state) {
        boolean open = state == State.OPEN;
        return new IdempotencyRecord(
                KEY,
                3,
                open ? null : FINGERPRINT,
                state,
                41,
                OWN,
                2,
                "native-of-attempt-2",
                TERMS,
                state == State.COMPLETED ? RESULT : null,
                state.isUnresolved() ? REQUEST : null,
                List.of(HISTORY),
                new IdempotencyRecord.Times(
                        NOW.minusSeconds(200),
                        NOW.minusSeconds(100),
                        NOW.minusSeconds(50),
                        state == State.IN_FLIGHT ? NOW.plus(TICK) : null,
                        NOW.plus(TICK),
                        NOW.plus(TOMBSTONE)));
    }

    static IdempotencyRecord firstSentAt(Instant firstSentAt, IdempotencyRecord record) {
        var old = record.times();
        return times(record, firstSentAt, old.stateSince(), old.leaseUntil(), old.expiresAt(), old.forgetAt());
    }

    static IdempotencyRecord since(Instant stateSince, IdempotencyRecord record) {
        var old = record.times();
        return times(record, old.firstSentAt(), stateSince, old.leaseUntil(), old.expiresAt(), old.forgetAt());
    }

    static IdempotencyRecord leasedUntil(Instant leaseUntil, IdempotencyRecord record) {
        var old = record.times();
        return times(record, old.firstSentAt(), old.stateSince(), leaseUntil, old.expiresAt(), old.forgetAt());
    }

    static IdempotencyRecord keptUntil(Instant expiresAt, Instant forgetAt, IdempotencyRecord record) {
        var old = record.times();
        return times(record, old.firstSentAt(), old.stateSince(), old.leaseUntil(), expiresAt, forgetAt);
    }

    private static IdempotencyRecord times(
            IdempotencyRecord record,
            Instant firstSentAt,
            Instant stateSince,
            Instant leaseUntil,
            Instant expiresAt,
            Instant forgetAt) {
        return record.with()
                .times(new IdempotencyRecord.Times(
                        record.times().createdAt(), firstSentAt, stateSince, leaseUntil, expiresAt, forgetAt))
                .build();
    }

    static IdempotencyRecord lapsed(IdempotencyRecord record) {
        return leasedUntil(NOW, record);
    }

    static IdempotencyRecord expired(IdempotencyRecord record) {
        return keptUntil(NOW, NOW.plus(TICK), record);
    }

    static IdempotencyRecord forgettable(IdempotencyRecord record) {
        return keptUntil(NOW.minus(TICK), NOW, record);
    }

    static IdempotencyRecord quiescent(IdempotencyRecord record) {
        return since(NOW.minus(QUIESCENCE), record);
    }

    static IdempotencyRecord windowOver(IdempotencyRecord record) {
        return firstSentAt(NOW.minus(GUARD), record);
    }

    static IdempotencyRecord firstAttempt(IdempotencyRecord record) {
        return record.with().attempt(1).build();
    }

    static IdempotencyRecord reopened(Fingerprint fingerprint) {
        return in(State.OPEN).with().fingerprint(fingerprint).build();
    }

    static Event.Reserve reserve(Fingerprint fingerprint, AttemptToken token) {
        return new Event.Reserve(KEY, fingerprint, token, OTHER_TERMS, OTHER_REQUEST, FORMAT, SPANS);
    }

    static Event.Complete complete(AttemptToken token, StoredResult result) {
        return new Event.Complete(token, 3, token.equals(OWN) ? 2 : 1, result, SPANS);
    }
}

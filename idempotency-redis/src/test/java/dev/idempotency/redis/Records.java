package dev.idempotency.redis;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Writes as core makes them. */
final class Records {
    static final Duration LEASE = Duration.ofMinutes(5);
    static final Duration RETENTION = Duration.ofMinutes(10);

    private Records() {}

    static Write reservation(IdempotencyKey key) {
        var first = new IdempotencyRecord(
                key,
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "5d3b1a60-9c41-5b52-8f0e-0d1c2b3a4f5e",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.<Evidence>of(),
                IdempotencyRecord.Times.UNSET);
        return new Write(first, true, true, true, LEASE, RETENTION, Duration.ZERO);
    }

    static IdempotencyRecord reserved(IdempotencyStore store, IdempotencyKey key) {
        return written(store.reserve(reservation(key)));
    }

    static Write move(IdempotencyRecord standing, State state, Duration tombstone) {
        var next = standing.with().version(standing.version() + 1).state(state);
        if (state == State.COMPLETED) {
            next.result(new StoredResult(
                    StoredResult.Kind.RESULT, "json", "{\"id\":\"ch_1\"}".getBytes(StandardCharsets.UTF_8)));
        }
        return new Write(next.build(), false, false, state != standing.state(), LEASE, RETENTION, tombstone);
    }

    static IdempotencyRecord moved(IdempotencyStore store, IdempotencyRecord standing, State state) {
        return written(store.replace(standing, move(standing, state, Duration.ZERO)));
    }

    static IdempotencyRecord written(Snapshot answer) {
        if (!answer.applied()) {
            throw new AssertionError("not applied; what stands is " + answer.record());
        }
        return Objects.requireNonNull(answer.record());
    }
}

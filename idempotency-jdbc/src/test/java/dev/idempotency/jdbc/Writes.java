package dev.idempotency.jdbc;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/** Steps as the engine takes them. */
final class Writes {
    static final Duration LEASE = Duration.ofSeconds(30);
    static final Duration RETENTION = Duration.ofDays(7);

    private Writes() {}

    static IdempotencyKey key() {
        return new IdempotencyKey("charge", UUID.randomUUID().toString());
    }

    static Write reservation(IdempotencyKey key) {
        return reservation(key, LEASE);
    }

    static Write reservation(IdempotencyKey key, Duration lease) {
        var terms = new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null);
        var record = new IdempotencyRecord(
                key,
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "native-" + key.value(),
                terms,
                null,
                null,
                List.of(),
                Times.UNSET);
        return new Write(record, true, true, true, lease, RETENTION, Duration.ZERO);
    }

    static Write completion(IdempotencyRecord standing) {
        return completion(standing, RETENTION, Duration.ZERO);
    }

    /** The record comes to the end of its retention, whatever was promised when it was reserved. */
    static Write completion(IdempotencyRecord standing, Duration retention, Duration tombstone) {
        var result =
                new StoredResult(StoredResult.Kind.RESULT, "json", "{\"paid\":true}".getBytes(StandardCharsets.UTF_8));
        var next = standing.with()
                .state(State.COMPLETED)
                .version(standing.version() + 1)
                .result(result)
                .build();
        return new Write(next, true, false, true, null, retention, tombstone);
    }
}

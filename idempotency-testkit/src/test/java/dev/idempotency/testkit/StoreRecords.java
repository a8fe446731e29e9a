package dev.idempotency.testkit;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Records for the tests of stores, written as core writes them. */
public final class StoreRecords {
    public static final Duration RETENTION = Duration.ofHours(1);

    private StoreRecords() {}

    public static Write reservation(String scope, String value) {
        var first = new IdempotencyRecord(
                new IdempotencyKey(scope, value),
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "00"),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "native-key",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                IdempotencyRecord.Times.UNSET);
        return new Write(first, true, true, true, Duration.ofSeconds(30), RETENTION, Duration.ZERO);
    }

    public static IdempotencyRecord reserved(IdempotencyStore store, String scope, String value) {
        return Objects.requireNonNull(store.reserve(reservation(scope, value)).record());
    }

    public static Write completion(IdempotencyRecord standing) {
        var next = standing.with()
                .version(standing.version() + 1)
                .state(State.COMPLETED)
                .result(new StoredResult(StoredResult.Kind.RESULT, "utf8", new byte[] {1, 2, 3}))
                .build();
        return new Write(next, false, false, true, null, RETENTION, Duration.ZERO);
    }

    public static IdempotencyRecord completed(IdempotencyStore store, IdempotencyRecord standing) {
        return Objects.requireNonNull(
                store.replace(standing, completion(standing)).record());
    }

    public static IdempotencyRecord doubted(IdempotencyStore store, IdempotencyRecord standing) {
        var next = standing.with()
                .version(standing.version() + 1)
                .state(State.IN_DOUBT)
                .build();
        return Objects.requireNonNull(
                store.replace(standing, new Write(next, false, false, true, null, null, Duration.ZERO))
                        .record());
    }
}

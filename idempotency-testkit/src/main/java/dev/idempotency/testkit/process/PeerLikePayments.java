package dev.idempotency.testkit.process;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.process.MatrixClient.Conduct;
import dev.idempotency.testkit.process.MatrixOrder.Receipt;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The positive control of a crash matrix: what widespread peers do, on the same store and in the same processes. A matrix that does
 * not find what goes wrong here proves nothing.
 */
final class PeerLikePayments {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration RETENTION = Duration.ofDays(1);

    private final IdempotencyStore store;
    private final MatrixClient client;
    private final Function<String, Conduct> conduct;
    private final boolean recordsFirst;

    PeerLikePayments(
            IdempotencyStore store, MatrixClient client, Function<String, Conduct> conduct, boolean recordsFirst) {
        this.store = store;
        this.client = client;
        this.conduct = conduct;
        this.recordsFirst = recordsFirst;
    }

    /** Null while another process is taken to be at work. */
    @Nullable
    Receipt execute(MatrixPolicy policy, MatrixOrder order) throws IOException {
        var key = new IdempotencyKey(policy.operation(), order.id());
        Snapshot snapshot = store.reserve(write(first(key), true));
        IdempotencyRecord standing = Objects.requireNonNull(snapshot.record(), "record");
        if (!snapshot.applied()) {
            if (standing.state() == State.COMPLETED) {
                return JSON.readValue(
                        Objects.requireNonNull(standing.result(), "result").bytes(), Receipt.class);
            }
            if (standing.state() == State.IN_FLIGHT && !standing.isLapsed(snapshot.now())) {
                return null;
            }
            // The lease is over, so it is run again.
            if (!store.replace(standing, write(next(standing, State.IN_FLIGHT, null), true))
                    .applied()) {
                return null;
            }
        }
        try {
            if (recordsFirst) {
                overwrite(key, State.COMPLETED, new Receipt("promised", order.id(), order.amount()));
            }
            Receipt receipt = client.charge(order, key, order.id(), conduct.apply(order.id()));
            overwrite(key, State.COMPLETED, receipt);
            return receipt;
        } catch (IOException e) {
            // It has failed, so the key is deleted.
            overwrite(key, State.OPEN, null);
            throw e;
        }
    }

    /** Whatever stands there by now. */
    private void overwrite(IdempotencyKey key, State state, @Nullable Receipt receipt) throws IOException {
        StoredResult result = receipt == null
                ? null
                : new StoredResult(StoredResult.Kind.RESULT, "json", JSON.writeValueAsBytes(receipt));
        for (boolean written = false; !written; ) {
            IdempotencyRecord standing = Objects.requireNonNull(store.find(key).record(), "record");
            written = store.replace(standing, write(next(standing, state, result), false))
                    .applied();
        }
    }

    private static IdempotencyRecord first(IdempotencyKey key) {
        return new IdempotencyRecord(
                key,
                1,
                null,
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                key.value(),
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                Times.UNSET);
    }

    private static IdempotencyRecord next(IdempotencyRecord standing, State state, @Nullable StoredResult result) {
        return standing.with()
                .state(state)
                .version(standing.version() + 1)
                .token(AttemptToken.random())
                .attempt(standing.attempt() + 1)
                .result(result)
                .build();
    }

    private static Write write(IdempotencyRecord next, boolean lease) {
        return new Write(
                next, next.version() == 1, true, true, lease ? MatrixPolicy.LEASE : null, RETENTION, Duration.ZERO);
    }
}

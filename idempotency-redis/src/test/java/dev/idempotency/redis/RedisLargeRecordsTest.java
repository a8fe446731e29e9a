package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records with large requests and results, which must neither stop a list nor come into the way of all other steps. */
final class RedisLargeRecordsTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("large", "k");

    private static Write withRequest(IdempotencyKey key, int bytes) {
        var plain = Records.reservation(key);
        return new Write(
                plain.next()
                        .with()
                        .request(new StoredRequest("json", new byte[bytes]))
                        .build(),
                true,
                true,
                true,
                Records.LEASE,
                Records.RETENTION,
                Duration.ZERO);
    }

    /** The server ends a connection for which more than 8 MB wait: as a client does that cannot read 60 MB in time. */
    @Test
    void listUnresolved_requestsAreLarge_listsAllOfThemAndReadsFewAtOnce() {
        try (var server =
                        RedisServer.start(Map.of("appendonly", "no", "client-output-buffer-limit", "normal 8mb 0 0"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client)) {
            var all = new ArrayList<IdempotencyRecord>();
            for (var i = 0; i < 120; i++) {
                all.add(Records.written(store.reserve(withRequest(new IdempotencyKey("large", "k" + i), 512 << 10))));
            }

            assertThat(store.listUnresolved(null, 200)).containsExactlyElementsOf(all);
            assertThat(store.listUnresolved(all.get(49), 50)).containsExactlyElementsOf(all.subList(50, 100));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8 << 10, 20 << 10, 70 << 10})
    void listUnresolved_anySize_isInOrder(int bytes) {
        try (var store = Redises.standalone().build()) {
            var all = new ArrayList<IdempotencyRecord>();
            for (var i = 0; i < 70; i++) {
                all.add(Records.written(
                        store.reserve(withRequest(new IdempotencyKey("large", "k" + i), bytes * (i % 2)))));
            }

            assertThat(store.listUnresolved(null, 1_000)).containsExactlyElementsOf(all);
            assertThat(store.listUnresolved(all.get(9), 10)).containsExactlyElementsOf(all.subList(10, 20));
        }
    }

    /** Such a value would break the connection that all steps share, and would be sent again after each reconnect. */
    @Test
    void complete_resultIsLargerThanRedisTakes_isRefusedAndNothingWasWritten() {
        try (var server = RedisServer.start(Map.of("appendonly", "no", "proto-max-bulk-len", "1mb"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client)) {
            var reserved = Records.reserved(store, KEY);

            var refused = catchThrowableOfType(
                    StoreException.class, () -> store.replace(reserved, withResult(reserved, 2 << 20)));

            assertThat(refused).hasMessageContaining("nothing was written").hasMessageContaining("1048576");
            assertThat(refused.mayHaveWritten()).isFalse();
            assertThat(store.find(KEY).record()).isEqualTo(reserved);
            assertThat(Records.written(store.replace(reserved, withResult(reserved, 1_000_000)))
                            .state())
                    .isEqualTo(State.COMPLETED);
        }
    }

    @Test
    void reserve_requestIsLargerThanAnyStepMaySend_isRefusedAndNothingWasWritten() {
        try (var store = Redises.standalone().build()) {
            var refused =
                    catchThrowableOfType(StoreException.class, () -> store.reserve(withRequest(KEY, (32 << 20) + 1)));

            assertThat(refused).hasMessageContaining("nothing was written");
            assertThat(refused.mayHaveWritten()).isFalse();
            assertThat(store.find(KEY).record()).isNull();
        }
    }

    private static Write withResult(IdempotencyRecord standing, int bytes) {
        var plain = Records.move(standing, State.COMPLETED, Duration.ZERO);
        return new Write(
                plain.next()
                        .with()
                        .result(new StoredResult(StoredResult.Kind.RESULT, "json", new byte[bytes]))
                        .build(),
                false,
                false,
                true,
                Records.LEASE,
                Records.RETENTION,
                Duration.ZERO);
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The server is killed with kill -9 while it is written to, and started again on its data. */
@Execution(ExecutionMode.CONCURRENT)
final class RedisCrashTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 2;

    @Test
    void kill_appendOnlyAlways_losesNothingThatWasAcknowledged() throws Exception {
        assertThat(lostAfterKills(Map.of())).isZero();
    }

    /** The same proof, where the server forgets: it must notice. */
    @Test
    void kill_withoutAppendOnlyFile_losesWhatWasAcknowledged() throws Exception {
        assertThat(lostAfterKills(Map.of("appendonly", "no"))).isPositive();
    }

    private static long lostAfterKills(Map<String, String> settings) throws Exception {
        try (var server = RedisServer.start(settings)) {
            ConcurrentMap<IdempotencyKey, IdempotencyRecord> acknowledged = new ConcurrentHashMap<>();
            for (var round = 1; round <= ROUNDS; round++) {
                writeUntilKilled(server, round, acknowledged);
                server.restart();
            }
            try (var client = RedisClient.create(server.uri());
                    var store = RedisIdempotencyStore.create(client)) {
                var listed = store.listUnresolved(null, 100_000);
                return acknowledged.values().stream()
                        .filter(record -> {
                            var standing = store.find(record.key()).record();
                            // A later write may have been made whose acknowledgement the kill has cut off.
                            return standing == null
                                    || standing.version() < record.version()
                                    || (standing.state().isUnresolved() && !listed.contains(standing));
                        })
                        .count();
            }
        }
    }

    private static void writeUntilKilled(
            RedisServer server, int round, ConcurrentMap<IdempotencyKey, IdempotencyRecord> acknowledged)
            throws InterruptedException {
        try (var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client)) {
            var enough = acknowledged.size() + 300;
            var threads = Executors.newFixedThreadPool(THREADS);
            var number = new AtomicInteger(1_000_000 * round);
            for (var thread = 0; thread < THREADS; thread++) {
                threads.execute(() -> write(store, number, acknowledged));
            }
            Redises.until("there is enough to lose", () -> acknowledged.size() >= enough);
            server.kill();
            threads.shutdown();
            assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }
    }

    /** Writes until the server is gone. */
    private static void write(
            RedisIdempotencyStore store,
            AtomicInteger number,
            ConcurrentMap<IdempotencyKey, IdempotencyRecord> acknowledged) {
        try {
            while (true) {
                var i = number.incrementAndGet();
                var record = Records.reserved(store, new IdempotencyKey("crash", "k" + i));
                acknowledged.put(record.key(), record);
                if (i % 3 != 0) {
                    acknowledged.put(
                            record.key(), Records.moved(store, record, i % 3 == 1 ? State.COMPLETED : State.IN_DOUBT));
                }
            }
        } catch (StoreException e) {
            // Killed.
        }
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** How much memory a record takes, and that a list does not cost more where there are more records. */
final class RedisMemoryTest {
    private static final int RECORDS = Integer.getInteger("redis.records", 5_000);
    private static final int THREADS = 16;

    @Test
    void records_many_takeTheMemoryAndTheCommandsThatTheGuideSays() throws Exception {
        try (var server = RedisServer.start(Map.of("appendonly", "no"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client)) {
            var empty = used(server);
            inThreads(i -> Records.reserved(store, key(i)));
            var live = (used(server) - empty) / RECORDS;

            var before = scripts(server);
            var start = System.nanoTime();
            var page = store.listUnresolved(null, 100);
            var first = System.nanoTime() - start;
            assertThat(page).hasSize(100);
            assertThat(scripts(server) - before).isLessThanOrEqualTo(2L * Layout.SHARDS);
            before = scripts(server);
            start = System.nanoTime();
            var next = store.listUnresolved(page.get(99), 100);
            var second = System.nanoTime() - start;
            assertThat(next).hasSize(100).doesNotContainAnyElementsOf(page);
            assertThat(scripts(server) - before).isLessThanOrEqualTo(2L * Layout.SHARDS);

            inThreads(i -> Records.moved(store, store.find(key(i)).record(), State.COMPLETED));
            var done = (used(server) - empty) / RECORDS;
            assertThat(store.listUnresolved(null, 1)).isEmpty();

            System.out.printf(
                    "%d records: %d bytes each in flight, %d bytes each completed; two pages of 100 in %d and %d ms%n",
                    RECORDS,
                    live,
                    done,
                    Duration.ofNanos(first).toMillis(),
                    Duration.ofNanos(second).toMillis());
            assertThat(live).isLessThan(700);
            assertThat(done).isLessThan(500);
        }
    }

    private static IdempotencyKey key(int i) {
        return new IdempotencyKey("charge-card", "ORD-%08d".formatted(i));
    }

    private interface Work {
        IdempotencyRecord with(int i);
    }

    private static void inThreads(Work work) throws Exception {
        var threads = Executors.newFixedThreadPool(THREADS);
        try {
            var futures = new ArrayList<Future<?>>();
            for (var thread = 0; thread < THREADS; thread++) {
                var from = thread;
                futures.add(threads.submit(() -> {
                    for (var i = from; i < RECORDS; i += THREADS) {
                        work.with(i);
                    }
                }));
            }
            for (var future : futures) {
                future.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static long used(RedisServer server) {
        return number(server.ask("INFO", "memory"), "used_memory:(\\d+)");
    }

    private static long scripts(RedisServer server) {
        return number(server.ask("INFO", "commandstats"), "cmdstat_evalsha:calls=(\\d+)");
    }

    private static long number(String info, String pattern) {
        var matcher = Pattern.compile(pattern).matcher(info);
        assertThat(matcher.find()).isTrue();
        return Long.parseLong(matcher.group(1));
    }
}

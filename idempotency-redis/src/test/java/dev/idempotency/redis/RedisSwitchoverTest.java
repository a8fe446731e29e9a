package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.Operation;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A planned failover, {@code SENTINEL FAILOVER}, while all servers are healthy and callers execute: the master stays reachable. */
final class RedisSwitchoverTest {
    private static final String NAME = "billing";
    private static final int CALLERS = 4;

    @Test
    void plannedFailover_underLoad_noKeyIsChargedTwice() throws InterruptedException {
        var client = RedisClient.create();
        try (var master = RedisServer.start(Map.of("appendonly", "no"));
                var one = replicaOf(master);
                var other = replicaOf(master);
                var sentinel = RedisServer.sentinelOf(master, NAME)) {
            Redises.until("both replicas follow", () -> follows(one) && follows(other));
            Redises.until("the Sentinel knows them", () -> knows(sentinel, one) && knows(sentinel, other));
            var uri = RedisURI.create("redis-sentinel://127.0.0.1:" + sentinel.port() + "#" + NAME);
            var charges = new ConcurrentHashMap<String, AtomicInteger>();
            try (var store = RedisIdempotencyStore.builder(client, uri).build();
                    var idempotency = Idempotency.on(store)) {
                Redises.until(
                        "the store listens",
                        () -> sentinel.ask("CLIENT", "LIST").contains("psub=5"));
                var charge = charge(idempotency, charges);
                var callers = Executors.newFixedThreadPool(CALLERS);
                var isOver = new CountDownLatch(1);
                var executed = new AtomicInteger();
                for (var caller = 0; caller < CALLERS; caller++) {
                    var name = "caller-" + caller;
                    callers.execute(() -> {
                        for (var i = 0; isOver.getCount() > 0; i++) {
                            // Each order is a retry of one that was executed a moment ago, too.
                            for (var order = Math.max(0, i - 20); order <= i; order += 20) {
                                if (executes(charge, name + "-" + order)) {
                                    executed.incrementAndGet();
                                }
                            }
                        }
                    });
                }
                Redises.until("they are at work", () -> executed.get() > 1_000);

                assertThat(sentinel.ask("SENTINEL", "FAILOVER", NAME)).isEqualTo("OK");

                Redises.until("a replica is the master", () -> isMaster(one) || isMaster(other));
                var promoted = isMaster(one) ? one : other;
                Redises.until("the store is there", () -> commands(promoted) > 0);
                var then = executed.get();
                Redises.until("they are at work again", () -> executed.get() > then + 2_000);
                isOver.countDown();
                callers.shutdown();
                assertThat(callers.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
                // What was executed before and after: all of it is asked for once more.
                charges.keySet().forEach(order -> executes(charge, order));
            }
            assertThat(charges.entrySet().stream()
                            .filter(entry -> entry.getValue().get() > 1)
                            .count())
                    .as("orders that were charged twice, of " + charges.size())
                    .isZero();
        } finally {
            client.shutdown(Duration.ZERO, Duration.ofSeconds(5));
        }
    }

    private static Operation<String, String> charge(
            Idempotency idempotency, ConcurrentMap<String, AtomicInteger> charges) {
        return idempotency
                .operation("charge", String.class, String.class)
                .key(order -> order)
                .calling((order, attempt) -> {
                    charges.computeIfAbsent(order, same -> new AtomicInteger()).incrementAndGet();
                    return "charged " + order;
                });
    }

    private static boolean executes(Operation<String, String> charge, String order) {
        try {
            return charge.execute(order).equals("charged " + order);
        } catch (IdempotencyException e) {
            return false;
        }
    }

    private static RedisServer replicaOf(RedisServer master) {
        return RedisServer.start(Map.of("appendonly", "no", "replicaof", "127.0.0.1 " + master.port()));
    }

    private static boolean follows(RedisServer replica) {
        return replica.ask("INFO", "replication").contains("master_link_status:up");
    }

    private static boolean knows(RedisServer sentinel, RedisServer replica) {
        return sentinel.ask("SENTINEL", "REPLICAS", NAME).contains(Integer.toString(replica.port()));
    }

    private static boolean isMaster(RedisServer server) {
        return told(server, "replication").contains("role:master");
    }

    /** Nothing where the server closes the connection: it closes all of them when a Sentinel gives it another role. */
    private static String told(RedisServer server, String section) {
        try {
            return server.ask("INFO", section);
        } catch (UncheckedIOException e) {
            return "";
        }
    }

    /** How many scripts clients have run there: none as long as it is a replica. */
    private static long commands(RedisServer server) {
        return told(server, "commandstats")
                .lines()
                .filter(line -> line.startsWith("cmdstat_evalsha:"))
                .count();
    }
}

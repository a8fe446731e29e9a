package dev.idempotency.redis;

import dev.idempotency.testkit.process.RedisCluster;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The servers that tests share, and small things that they need. */
final class Redises {
    private static final Map<String, String> WITHOUT_FILES = Map.of("appendonly", "no");

    private Redises() {}

    /** One server, for tests that neither stop nor configure it. */
    static final class Standalone {
        static final RedisServer SERVER = RedisServer.start(WITHOUT_FILES);
        static final RedisClient CLIENT = RedisClient.create(SERVER.uri());

        private Standalone() {}
    }

    /** One Cluster, for tests that neither stop nor configure it. */
    static final class Clustered {
        static final RedisCluster CLUSTER = RedisCluster.start(WITHOUT_FILES);
        static final RedisClusterClient CLIENT = RedisClusterClient.create(CLUSTER.masters().stream()
                .map(master -> RedisURI.create(master.uri()))
                .toList());

        private Clustered() {}
    }

    static RedisIdempotencyStore.Builder standalone() {
        return RedisIdempotencyStore.builder(Standalone.CLIENT).prefix("test:" + UUID.randomUUID());
    }

    static RedisIdempotencyStore.Builder clustered() {
        return RedisIdempotencyStore.builder(Clustered.CLIENT).prefix("test:" + UUID.randomUUID());
    }

    /** How many channels of a prefix somebody listens to. */
    static int subscribers(String servers, String prefix) {
        var nodes = servers.equals("STANDALONE") ? List.of(Standalone.SERVER) : Clustered.CLUSTER.masters();
        return nodes.stream()
                .mapToInt(node -> (int) node.ask("PUBSUB", "CHANNELS", "{" + prefix + ":*")
                        .lines()
                        .filter(line -> !line.isEmpty())
                        .count())
                .sum();
    }

    /** Waits until a moment has passed. */
    static void pass(Duration duration) {
        long until = System.nanoTime() + duration.toNanos();
        for (var left = duration.toNanos(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** Waits until something is so. */
    static void until(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("waited in vain until " + what, new TimeoutException());
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RedisSentinelTest {
    private static final IdempotencyKey DONE = new IdempotencyKey("sentinel", "done");
    private static final IdempotencyKey LIVE = new IdempotencyKey("sentinel", "live");

    @Test
    void failover_bySentinel_isFollowedAndKeepsWhatTheReplicaHad() {
        var resources = ClientResources.builder()
                .reconnectDelay(Delay.constant(Duration.ofMillis(50)))
                .build();
        try (var master = RedisServer.start();
                var replica = RedisServer.start(Map.of("replicaof", "127.0.0.1 " + master.port()));
                var sentinel = RedisServer.sentinelOf(master, "billing")) {
            Redises.until(
                    "the replica follows",
                    () -> replica.ask("INFO", "replication").contains("master_link_status:up"));
            Redises.until(
                    "the Sentinel knows it",
                    () -> sentinel.ask("SENTINEL", "REPLICAS", "billing").contains(Integer.toString(replica.port())));
            try (var client =
                    RedisClient.create(resources, "redis-sentinel://127.0.0.1:" + sentinel.port() + "#billing")) {
                client.setOptions(ClientOptions.builder()
                        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                        .build());
                try (var store = RedisIdempotencyStore.builder(client)
                        .timeout(Duration.ofSeconds(1))
                        .waitForReplicas(1, Duration.ofSeconds(1))
                        .build()) {
                    var live = acknowledged(store, LIVE);
                    var done = Records.moved(store, acknowledged(store, DONE), State.COMPLETED);

                    master.kill();

                    Redises.until("the replica has taken over", () -> stands(store, DONE));
                    assertThat(replica.ask("INFO", "replication")).contains("role:master");
                    assertThat(store.find(DONE).record()).isEqualTo(done);
                    assertThat(store.find(LIVE).record()).isEqualTo(live);
                    assertThat(store.listUnresolved(null, 10)).containsExactly(live);
                }
            }
        } finally {
            resources.shutdown();
        }
    }

    /** Until the replica has said that it has it: it may still be busy with its first synchronisation. */
    private static IdempotencyRecord acknowledged(RedisIdempotencyStore store, IdempotencyKey key) {
        var reservation = Records.reservation(key);
        try {
            return Records.written(store.reserve(reservation));
        } catch (StoreException e) {
            Redises.until("the replica has it", () -> {
                try {
                    store.reserve(reservation);
                    return true;
                } catch (StoreException again) {
                    return false;
                }
            });
            return store.find(key).record();
        }
    }

    private static boolean stands(RedisIdempotencyStore store, IdempotencyKey key) {
        try {
            return store.find(key).record() != null;
        } catch (StoreException e) {
            return false;
        }
    }
}

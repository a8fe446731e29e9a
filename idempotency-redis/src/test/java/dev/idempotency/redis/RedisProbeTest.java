package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RedisProbeTest {
    private static final RedisProbe GOOD =
            new RedisProbe("redis", "7.0.15", "standalone", "master", "noeviction", "always", "0");

    @Test
    void build_serverAsItShouldBe_isReported() {
        try (var server = RedisServer.start();
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client)) {
            assertThat(store.probes()).containsExactly(GOOD);
        }
    }

    @Test
    void build_onAReplica_isRefused() {
        try (var master = RedisServer.start();
                var replica = RedisServer.start(Map.of("replicaof", "127.0.0.1 " + master.port()));
                var client = RedisClient.create(replica.uri())) {
            assertThatThrownBy(() -> RedisIdempotencyStore.create(client))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("it is a replica");
        }
    }

    @Test
    void build_serverThatMayEvict_isRefusedUnlessAccepted() {
        try (var server = RedisServer.start(Map.of("maxmemory-policy", "allkeys-lru", "appendfsync", "everysec"));
                var client = RedisClient.create(server.uri())) {
            var builder = RedisIdempotencyStore.builder(client);

            assertThatThrownBy(builder::build)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("its maxmemory-policy is allkeys-lru")
                    .hasMessageContaining("acceptEvictedRecords");
            try (var store = builder.acceptEvictedRecords("a test").build()) {
                assertThat(store.probes().get(0).eviction()).isEqualTo("allkeys-lru");
                assertThat(store.probes().get(0).appendOnly()).isEqualTo("everysec");
            }
        }
    }

    @Test
    void build_infoForbidden_isRefusedUnlessAccepted() {
        try (var server = RedisServer.start()) {
            assertThat(server.ask("ACL", "SETUSER", "default", "-@dangerous")).isEqualTo("OK");
            try (var client = RedisClient.create(server.uri())) {
                var builder = RedisIdempotencyStore.builder(client);

                assertThatThrownBy(builder::build)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("it does not say whether it evicts")
                        .hasMessageContaining("acceptUncheckedServer");
                try (var store = builder.acceptUncheckedServer("a test").build()) {
                    assertThat(store.probes().get(0).eviction()).isEqualTo(RedisProbe.UNKNOWN);
                }
            }
        }
    }

    @Test
    void build_configForbidden_leavesTheSyncUnknown() {
        try (var server = RedisServer.start()) {
            assertThat(server.ask("ACL", "SETUSER", "default", "-config")).isEqualTo("OK");
            try (var client = RedisClient.create(server.uri());
                    var store = RedisIdempotencyStore.create(client)) {
                assertThat(store.probes().get(0).appendOnly()).isEqualTo(RedisProbe.UNKNOWN);
                assertThat(store.probes().get(0).eviction()).isEqualTo("noeviction");
            }
        }
    }

    @Test
    void build_withoutAppendOnlyFile_saysSo() {
        try (var store = Redises.standalone().build()) {
            assertThat(store.probes().get(0).appendOnly()).isEqualTo("no");
        }
    }

    @Test
    void build_onACluster_reportsEachMaster() {
        try (var store = Redises.clustered().build()) {
            assertThat(store.probes()).hasSize(3).allMatch(probe -> probe.mode().equals("cluster"));
        }
    }

    @Test
    void build_nodeOfAClusterThroughAPlainClient_isRefused() {
        try (var client =
                RedisClient.create(Redises.Clustered.CLUSTER.masters().get(0).uri())) {
            assertThatThrownBy(() -> RedisIdempotencyStore.create(client))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("RedisClusterClient");
        }
    }

    @Test
    void build_nobodyListens_saysSo() {
        int port;
        try (var server = RedisServer.start()) {
            port = server.port();
        }
        try (var client = RedisClient.create(RedisServer.uri(port))) {
            assertThatThrownBy(() -> RedisIdempotencyStore.create(client))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.mayHaveWritten()).isFalse());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.2.14", "5.0", "nonsense"})
    void refusals_olderRedis_isOne(String version) {
        var old = new RedisProbe("redis", version, "standalone", "master", "noeviction", "always", "0");

        assertThat(old.refusals(false, false, false)).singleElement().asString().contains("7.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"7.0.15", "7.4.1", "8.0.0", "10.1"})
    void refusals_newerRedis_areNone(String version) {
        var redis = new RedisProbe("redis", version, "standalone", "master", "noeviction", "always", "0");

        assertThat(redis.refusals(false, false, false)).isEmpty();
    }

    @Test
    void refusals_valkeyOfAnyVersion_areNone() {
        var valkey = new RedisProbe("valkey", "8.0.1", "cluster", "master", "noeviction", "everysec", "1");

        assertThat(valkey.refusals(true, false, false)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "allkeys-lru",
                "allkeys-lfu",
                "allkeys-random",
                "volatile-lru",
                "volatile-lfu",
                "volatile-random",
                "volatile-ttl",
                "something-new"
            })
    void refusals_anythingThatMayEvict_isOne(String policy) {
        var evicting = new RedisProbe("redis", "7.2.0", "standalone", "master", policy, "always", "0");

        assertThat(evicting.refusals(false, false, true)).hasSize(1);
        assertThat(evicting.refusals(false, true, false)).isEqualTo(List.of());
    }

    @Test
    void accept_withoutAReason_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Redises.standalone().acceptEvictedRecords(" "))
                .withMessageContaining("reason");
    }
}

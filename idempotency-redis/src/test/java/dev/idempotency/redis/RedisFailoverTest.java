package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.process.RedisServer;
import dev.idempotency.testkit.process.TcpProxy;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A failover that loses acknowledged writes: the link to the replica goes silent, the master is killed, the replica takes over,
 * and the callers retry. What the provider's ledger then says is published in {@code docs/redis.md}.
 */
@Execution(ExecutionMode.CONCURRENT)
final class RedisFailoverTest {
    private static final int KEYS = 100;
    private static final Duration WINDOW = Duration.ofHours(24);

    private enum Link {
        SILENT,
        UP
    }

    /** Effects in the provider's ledger, and how many requests were refused by then. */
    private record Outcome(int duplicates, int effects, int refused) {}

    @Test
    void failover_losesWrites_holdHasDuplicates() {
        assertThat(failover(Recovery.hold(), ProviderBehavior.none(), Link.SILENT, false))
                .isEqualTo(new Outcome(KEYS, 2 * KEYS, 0));
    }

    @Test
    void failover_losesWrites_nativeKeyInsideItsWindowHasNone() {
        var profile = ProviderProfile.of("simulated", "the test kit", ProviderProfile.KeyFormat.uuid(), WINDOW);

        assertThat(failover(
                        Recovery.nativeKey(profile), ProviderBehavior.none().withNativeKey(WINDOW), Link.SILENT, false))
                .isEqualTo(new Outcome(0, KEYS, 0));
    }

    @Test
    void failover_losesNothing_holdHasNone() {
        assertThat(failover(Recovery.hold(), ProviderBehavior.none(), Link.UP, false))
                .isEqualTo(new Outcome(0, KEYS, 0));
    }

    @Test
    void failover_waitingForTheReplica_sendsNothingThatCouldBeLost() {
        var outcome = failover(Recovery.hold(), ProviderBehavior.none(), Link.SILENT, true);

        assertThat(outcome.duplicates()).isZero();
        assertThat(outcome.refused()).isPositive();
    }

    private static Outcome failover(
            Recovery<String, String> recovery, ProviderBehavior behavior, Link link, boolean waiting) {
        var ledger = EffectLedger.inMemory();
        var provider = new SimulatedProvider(behavior, ledger, InstantSource.system());
        var keys = waiting ? 2 : KEYS;
        var refused = 0;
        try (var master = RedisServer.start();
                var proxy = TcpProxy.start(master.port());
                var replica = RedisServer.start(Map.of("replicaof", "127.0.0.1 " + proxy.port()))) {
            Redises.until("the replica follows", () -> isUp(replica));
            try (var client = RedisClient.create(master.uri());
                    var store = store(client, waiting)) {
                if (link == Link.SILENT) {
                    proxy.stall();
                }
                refused = execute(store, recovery, provider, keys);
            }
            if (link == Link.UP) {
                Redises.until(
                        "the replica has everything",
                        () -> offset(replica, "slave_repl_offset") >= offset(master, "master_repl_offset"));
            }
            master.kill();
            assertThat(replica.ask("REPLICAOF", "NO", "ONE")).isEqualTo("OK");
            try (var client = RedisClient.create(replica.uri());
                    var store = RedisIdempotencyStore.create(client)) {
                assertThat(execute(store, recovery, provider, keys)).isZero();
            }
        }
        return new Outcome(ledger.duplicates().size(), ledger.count(), refused);
    }

    private static RedisIdempotencyStore store(RedisClient client, boolean waiting) {
        var builder = RedisIdempotencyStore.builder(client);
        return waiting ? builder.waitForReplicas(1, Duration.ofMillis(50)).build() : builder.build();
    }

    /** Every caller's request, executed by a process of its own; says how many were told "no". */
    private static int execute(
            RedisIdempotencyStore store, Recovery<String, String> recovery, SimulatedProvider provider, int keys) {
        var refused = 0;
        try (var idempotency = Idempotency.on(store)) {
            Operation<String, String> charge = idempotency
                    .operation("charge", String.class, String.class)
                    .key(order -> order)
                    .recovery(recovery)
                    .calling((order, attempt) -> {
                        var reply = provider.submit(
                                new Submission(UUID.randomUUID().toString(), attempt.nativeKey(), order, "10 EUR"));
                        return reply instanceof Reply.Created created
                                ? created.effect().effectId()
                                : ((Reply.Replayed) reply).effect().effectId();
                    });
            for (var i = 0; i < keys; i++) {
                try {
                    charge.execute("order-" + i);
                } catch (IdempotencyException e) {
                    refused++;
                }
            }
        }
        return refused;
    }

    private static boolean isUp(RedisServer replica) {
        var info = replica.ask("INFO", "replication");
        return info.contains("master_link_status:up") && info.contains("master_sync_in_progress:0");
    }

    private static long offset(RedisServer server, String name) {
        return Long.parseLong(server.ask("INFO", "replication")
                .lines()
                .filter(line -> line.startsWith(name + ":"))
                .findFirst()
                .orElseThrow()
                .substring(name.length() + 1)
                .strip());
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisServer;
import dev.idempotency.testkit.process.TcpProxy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each failure of Redis says about the write: "certainly not" only where that is certain. */
@Execution(ExecutionMode.CONCURRENT)
final class RedisFailuresTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("fail", "k");
    private static final IdempotencyKey OTHER = new IdempotencyKey("fail", "other");

    private final RedisServer server = RedisServer.start(Map.of("appendonly", "no"));
    private final TcpProxy proxy = TcpProxy.start(server.port());
    private final RedisClient client = RedisClient.create(RedisServer.uri(proxy.port()));
    private final RedisClient direct = RedisClient.create(server.uri());

    @AfterEach
    void close() {
        client.shutdown(Duration.ZERO, Duration.ofSeconds(5));
        direct.shutdown(Duration.ZERO, Duration.ofSeconds(5));
        proxy.close();
        server.close();
    }

    private static StoreException failure(ThrowingCallable step) {
        var failure = catchThrowableOfType(StoreException.class, step);
        assertThat(failure).as("the step must fail").isNotNull();
        return failure;
    }

    @Test
    void reserve_memoryFull_isNotWritten_andWhatWasReservedCanEnd() {
        try (var store = RedisIdempotencyStore.create(direct)) {
            var reserved = Records.reserved(store, KEY);
            assertThat(server.ask("CONFIG", "SET", "maxmemory", "1")).isEqualTo("OK");

            var refused = failure(() -> store.reserve(Records.reservation(OTHER)));

            assertThat(refused).hasMessageContaining("OOM");
            assertThat(refused.mayHaveWritten()).isFalse();
            assertThat(store.find(OTHER).record()).isNull();
            var ended = Records.moved(store, reserved, State.COMPLETED);
            assertThat(store.find(KEY).record()).isEqualTo(ended);
        }
    }

    private enum NoWrites {
        MEMORY_IS_FULL("maxmemory", "1", "OOM"),
        TOO_FEW_REPLICAS("min-replicas-to-write", "1", "NOREPLICAS");

        private final String setting;
        private final String value;
        private final String word;

        NoWrites(String setting, String value, String word) {
            this.setting = setting;
            this.value = value;
            this.word = word;
        }
    }

    /** What was charged once is not charged again, and its caller need not wait until Redis takes writes again. */
    @ParameterizedTest
    @EnumSource
    void execute_redisTakesNoWrites_anOutcomeThatWasRecordedIsReplayed(NoWrites state) {
        try (var store = RedisIdempotencyStore.create(direct);
                var idempotency = Idempotency.on(store)) {
            var calls = new AtomicInteger();
            var operation = idempotency
                    .operation("charge", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> "charge " + calls.incrementAndGet());
            assertThat(operation.execute("ORD-1")).isEqualTo("charge 1");
            assertThat(server.ask("CONFIG", "SET", state.setting, state.value)).isEqualTo("OK");

            assertThat(operation.execute("ORD-1")).isEqualTo("charge 1");
            assertThat(operation.executeAsync("ORD-1").toCompletableFuture().join())
                    .isEqualTo("charge 1");

            assertThat(failure(() -> operation.execute("ORD-2"))).hasMessageContaining(state.word);
            assertThat(calls).hasValue(1);
        }
    }

    @Test
    void reserve_serverHasBecomeAReplica_isNotAnsweredFromIt() {
        try (var store = RedisIdempotencyStore.create(direct)) {
            Records.moved(store, Records.reserved(store, KEY), State.COMPLETED);
            assertThat(server.ask("REPLICAOF", "127.0.0.1", "1")).isEqualTo("OK");

            assertThat(failure(() -> store.reserve(Records.reservation(KEY))).mayHaveWritten())
                    .isFalse();
        }
    }

    @Test
    void anyStep_serverBecameAReplica_isRefused() {
        try (var store = RedisIdempotencyStore.create(direct)) {
            var reserved = Records.reserved(store, KEY);
            assertThat(server.ask("REPLICAOF", "127.0.0.1", "1")).isEqualTo("OK");
            assertThat(server.ask("CONFIG", "SET", "replica-serve-stale-data", "yes"))
                    .isEqualTo("OK");

            for (ThrowingCallable step : List.<ThrowingCallable>of(
                    () -> store.reserve(Records.reservation(OTHER)),
                    () -> Records.moved(store, reserved, State.COMPLETED),
                    () -> store.find(KEY),
                    () -> store.listUnresolved(null, 1),
                    () -> store.purge(1))) {
                var refused = failure(step);
                assertThat(refused).hasMessageContaining("READONLY");
                assertThat(refused.mayHaveWritten()).isFalse();
            }
        }
    }

    @Test
    void anyStep_accessTakenAway_isNotWritten() {
        try (var store = RedisIdempotencyStore.create(direct)) {
            Records.reserved(store, OTHER);
            assertThat(server.ask("ACL", "SETUSER", "default", "-evalsha")).isEqualTo("OK");

            var refused = failure(() -> store.reserve(Records.reservation(KEY)));

            assertThat(refused).hasMessageContaining("NOPERM");
            assertThat(refused.mayHaveWritten()).isFalse();
        }
    }

    /** The index is written first and cleaned last: a script that ends half-way hides no unresolved record. */
    @ParameterizedTest
    @ValueSource(strings = {"set", "zadd", "zrem", "get", "time"})
    void anyScript_endsHalfWay_mayHaveWrittenAndHidesNothing(String forbidden) {
        try (var store = RedisIdempotencyStore.create(direct)) {
            var reserved = Records.reserved(store, OTHER);
            assertThat(server.ask("ACL", "SETUSER", "default", "-" + forbidden)).isEqualTo("OK");

            if (!forbidden.equals("zrem")) {
                assertThat(failure(() -> store.reserve(Records.reservation(KEY)))
                                .mayHaveWritten())
                        .isTrue();
            }
            assertThat(failure(() -> store.replace(reserved, Records.move(reserved, State.IN_DOUBT, Duration.ZERO)))
                            .mayHaveWritten())
                    .isTrue();

            assertThat(server.ask("ACL", "SETUSER", "default", "+" + forbidden)).isEqualTo("OK");
            var listed = store.listUnresolved(null, 10);
            for (var key : new IdempotencyKey[] {KEY, OTHER}) {
                var standing = store.find(key).record();
                if (standing != null && standing.state().isUnresolved()) {
                    assertThat(listed).contains(standing);
                }
            }
        }
    }

    @Test
    void reserve_noReplyInTime_mayHaveWritten() {
        try (var store = RedisIdempotencyStore.builder(client)
                .timeout(Duration.ofMillis(300))
                .build()) {
            Records.reserved(store, OTHER);
            proxy.stall();

            assertThat(failure(() -> store.reserve(Records.reservation(KEY))).mayHaveWritten())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void reserve_replyCutOff_mayHaveWritten(DisconnectedBehavior behavior) {
        client.setOptions(ClientOptions.builder().disconnectedBehavior(behavior).build());
        try (var store = RedisIdempotencyStore.create(client)) {
            Records.reserved(store, OTHER);
            proxy.connections().get(0).cutAnswer(1);
            var reservation = Records.reservation(KEY);

            var lost = failure(() -> store.reserve(reservation));

            assertThat(lost.mayHaveWritten()).isTrue();
            Redises.until("it is connected again", () -> isUp(store));
            var again = store.reserve(reservation);
            assertThat(again.applied()).isFalse();
            assertThat(again.record()).isNotNull();
            assertThat(again.record().token()).isEqualTo(reservation.next().token());
        }
    }

    private static boolean isUp(RedisIdempotencyStore store) {
        try {
            return store.find(OTHER).record() != null;
        } catch (StoreException e) {
            return false;
        }
    }

    @Test
    void reserve_notConnected_isNotWrittenWhereTheClientSaysSo() {
        client.setOptions(ClientOptions.builder()
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .build());
        try (var store = RedisIdempotencyStore.create(client)) {
            Records.reserved(store, OTHER);
            proxy.cut();
            Redises.until("the client has seen it", () -> isRejected(store));

            var rejected = failure(() -> store.reserve(Records.reservation(KEY)));

            assertThat(rejected.mayHaveWritten()).isFalse();
        }
    }

    private static boolean isRejected(RedisIdempotencyStore store) {
        try {
            store.find(OTHER);
            return false;
        } catch (StoreException e) {
            return !e.mayHaveWritten();
        }
    }

    @Test
    void reserve_interrupted_isWaitedForAndLeavesTheFlag() {
        try (var store = RedisIdempotencyStore.create(direct)) {
            Thread.currentThread().interrupt();

            var answer = store.reserve(Records.reservation(KEY));

            assertThat(Thread.interrupted()).isTrue();
            assertThat(answer.applied()).isTrue();
        }
    }

    @Test
    void waitForReplicas_thereAreNone_mayHaveWritten() {
        try (var store = RedisIdempotencyStore.builder(direct)
                .waitForReplicas(1, Duration.ofMillis(50))
                .build()) {
            var failed = failure(() -> store.reserve(Records.reservation(KEY)));

            assertThat(failed).hasMessageContaining("0 of 1 replicas");
            assertThat(failed.mayHaveWritten()).isTrue();
            assertThat(store.find(KEY).record()).isNotNull();
        }
    }

    /** A WAIT keeps the connection, which all callers share: forty that wait one after the other would take all day. */
    @Test
    void waitForReplicas_thereAreNone_callersWaitTogetherAndNotOneAfterTheOther() {
        try (var store = RedisIdempotencyStore.builder(direct)
                .timeout(Duration.ofSeconds(30))
                .waitForReplicas(1, Duration.ofMillis(200))
                .build()) {
            var asked = IntStream.range(0, 40)
                    .mapToObj(i -> store.reserveAsync(Records.reservation(new IdempotencyKey("fail", "w" + i)))
                            .toCompletableFuture())
                    .toList();

            for (var one : asked) {
                assertThat(failure(() -> {
                            try {
                                one.join();
                            } catch (CompletionException e) {
                                throw e.getCause();
                            }
                        }))
                        .hasMessageContaining("0 of 1 replicas");
            }
            var waits = server.ask("INFO", "commandstats")
                    .lines()
                    .filter(line -> line.startsWith("cmdstat_wait:calls="))
                    .map(line -> line.replaceFirst("cmdstat_wait:calls=(\\d+),.*", "$1"))
                    .findFirst();
            assertThat(waits)
                    .hasValueSatisfying(
                            calls -> assertThat(Integer.parseInt(calls)).isBetween(1, 20));
        }
    }

    @Test
    void waitForReplicas_inACluster_asksTheNodeThatWrote() {
        try (var store =
                Redises.clustered().waitForReplicas(1, Duration.ofMillis(50)).build()) {
            for (var i = 0; i < 10; i++) {
                var key = new IdempotencyKey("fail", "k" + i);
                assertThat(failure(() -> store.reserve(Records.reservation(key))))
                        .hasMessageContaining("0 of 1");
                assertThat(store.find(key).record()).isNotNull();
            }
        }
    }

    @Test
    void waitForReplicas_thereIsOne_isAcknowledged() {
        try (var replica = RedisServer.start(Map.of("replicaof", "127.0.0.1 " + server.port()));
                var store = RedisIdempotencyStore.builder(direct)
                        .waitForReplicas(1, Duration.ofSeconds(2))
                        .build()) {
            Redises.until(
                    "the replica follows",
                    () -> replica.ask("INFO", "replication").contains("master_link_status:up"));
            Redises.until("it is acknowledged", () -> isUpWith(store));

            assertThat(Records.reserved(store, KEY).version()).isEqualTo(1);
        }
    }

    private static boolean isUpWith(RedisIdempotencyStore store) {
        try {
            store.reserve(Records.reservation(OTHER));
            return true;
        } catch (StoreException e) {
            return false;
        }
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisCluster;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A slot moves from one node of a Cluster to another: all keys of a shard move, one by one, and its records are used meanwhile. */
final class RedisReshardingTest {
    private static final IdempotencyKey DONE = new IdempotencyKey("move", "done");

    private final RedisCluster cluster = RedisCluster.start(Map.of("appendonly", "no"));
    private final RedisClusterClient client =
            RedisClusterClient.create(RedisURI.create(cluster.masters().get(0).uri()));
    private final Layout layout = new Layout("moving");
    private final int shard = layout.shardOf(DONE);
    private final String slot = Integer.toString(SlotHash.getSlot(layout.record(DONE)));
    private final RedisServer from = cluster.masters().stream()
            .filter(master -> !master.ask("CLUSTER", "COUNTKEYSINSLOT", slot).startsWith("-")
                    && ownsSlot(master, Integer.parseInt(slot)))
            .findFirst()
            .orElseThrow();
    private final RedisServer to = cluster.masters().stream()
            .filter(master -> master != from)
            .findFirst()
            .orElseThrow();

    private boolean ownsSlot(RedisServer master, int wanted) {
        int index = cluster.masters().indexOf(master);
        return wanted * 3 / 16_384 == index;
    }

    @AfterEach
    void close() {
        client.shutdown(Duration.ZERO, Duration.ofSeconds(5));
        cluster.close();
    }

    private RedisIdempotencyStore store(Duration timeout) {
        client.setOptions(ClusterClientOptions.builder().build());
        return RedisIdempotencyStore.builder(client)
                .prefix("moving")
                .timeout(timeout)
                .build();
    }

    /** Keys of the shard that moves. */
    private List<IdempotencyKey> keys(int many) {
        return IntStream.range(0, 100_000)
                .mapToObj(i -> new IdempotencyKey("move", "k" + i))
                .filter(key -> layout.shardOf(key) == shard)
                .limit(many)
                .toList();
    }

    private void beginMove() {
        var target = to.ask("CLUSTER", "MYID");
        var source = from.ask("CLUSTER", "MYID");
        assertThat(to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source)).isEqualTo("OK");
        assertThat(from.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target)).isEqualTo("OK");
    }

    private void moveKeys() {
        for (var batch = from.ask("CLUSTER", "GETKEYSINSLOT", slot, "100"); !batch.isEmpty(); ) {
            var command = new ArrayList<>(
                    List.of("MIGRATE", "127.0.0.1", Integer.toString(to.port()), "", "0", "5000", "KEYS"));
            command.addAll(batch.lines().toList());
            assertThat(from.ask(command.toArray(String[]::new))).isEqualTo("OK");
            batch = from.ask("CLUSTER", "GETKEYSINSLOT", slot, "100");
        }
    }

    private void endMove() {
        var target = to.ask("CLUSTER", "MYID");
        assertThat(to.ask("CLUSTER", "SETSLOT", slot, "NODE", target)).isEqualTo("OK");
        assertThat(from.ask("CLUSTER", "SETSLOT", slot, "NODE", target)).isEqualTo("OK");
    }

    private enum Moved {
        NO_KEY_YET,
        ALL_KEYS
    }

    @ParameterizedTest
    @EnumSource
    void slotMoves_whatWasRecordedIsReplayedAndWhatRunsIsRecorded(Moved moved) {
        try (var store = store(Duration.ofSeconds(30))) {
            Records.moved(store, Records.reserved(store, DONE), State.COMPLETED);
            var running =
                    keys(2).stream().map(key -> Records.reserved(store, key)).toList();

            beginMove();
            if (moved == Moved.ALL_KEYS) {
                moveKeys();
            }

            var repeated = store.reserve(Records.reservation(DONE));
            assertThat(repeated.applied()).isFalse();
            assertThat(repeated.record()).isNotNull();
            assertThat(repeated.record().state()).isEqualTo(State.COMPLETED);
            assertThat(Records.moved(store, running.get(0), State.COMPLETED).state())
                    .isEqualTo(State.COMPLETED);
            assertThat(store.reserveAsync(Records.reservation(DONE))
                            .toCompletableFuture()
                            .join()
                            .record())
                    .isEqualTo(repeated.record());
        }
    }

    @Test
    void slotMoves_aNewKeyIsReservedAsSoonAsTheMoveEnds() {
        try (var store = store(Duration.ofSeconds(30))) {
            Records.reserved(store, DONE);
            var fresh = keys(3);
            beginMove();

            var asked = CompletableFuture.supplyAsync(() -> store.reserve(Records.reservation(fresh.get(0))));
            var askedAsync =
                    store.reserveAsync(Records.reservation(fresh.get(1))).toCompletableFuture();
            moveKeys();
            endMove();

            assertThat(asked.join().applied()).isTrue();
            assertThat(askedAsync.join().applied()).isTrue();
        }
    }

    @Test
    void slotMoves_forLongerThanAStepMayTake_aNewKeyIsRefusedAndNothingWasSent() {
        try (var store = store(Duration.ofMillis(400))) {
            Records.reserved(store, DONE);
            beginMove();

            var refused = catchThrowableOfType(
                    StoreException.class, () -> store.reserve(Records.reservation(keys(1).get(0))));

            assertThat(refused).hasMessageContaining("TRYAGAIN");
            assertThat(refused.mayHaveWritten()).isFalse();
        }
    }

    @Test
    void slotMoves_whileACallRuns_itsAnswerIsRecorded() {
        try (var store = store(Duration.ofSeconds(30));
                var idempotency = Idempotency.on(store)) {
            var called = new CountDownLatch(1);
            var mayAnswer = new CountDownLatch(1);
            var operation = idempotency
                    .operation("move", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> {
                        called.countDown();
                        mayAnswer.await();
                        return "charged";
                    });
            var key = keys(1).get(0).value();
            var answer = CompletableFuture.supplyAsync(() -> operation.execute(key));
            Redises.until("it is called", () -> called.getCount() == 0);

            beginMove();
            mayAnswer.countDown();

            assertThat(answer.join()).isEqualTo("charged");
            assertThat(operation.execute(key)).isEqualTo("charged");
        }
    }
}

package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.store.State;
import dev.idempotency.testkit.process.RedisServer;
import dev.idempotency.testkit.process.TcpProxy;
import io.lettuce.core.RedisClient;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RedisWakeUpTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("wake", "k");

    private enum Servers {
        STANDALONE,
        CLUSTER;

        RedisIdempotencyStore.Builder store(String prefix) {
            return (this == STANDALONE ? Redises.standalone() : Redises.clustered()).prefix(prefix);
        }
    }

    @ParameterizedTest
    @EnumSource
    void watch_ofAnotherProcess_isToldWhenTheAttemptEnds(Servers servers) {
        var prefix = "wake:" + servers;
        try (var here = servers.store(prefix).build();
                var there = servers.store(prefix).build()) {
            for (var end : State.values()) {
                var key = new IdempotencyKey("wake", "to " + end);
                var reserved = Records.reserved(here, key);
                var told = new AtomicInteger();
                var others = new AtomicInteger();
                try (var watch = there.watch(key, told::incrementAndGet);
                        var other = there.watch(new IdempotencyKey("wake", "other"), others::incrementAndGet)) {
                    Redises.until("both are subscribed", () -> Redises.subscribers(servers.name(), prefix) == 2);
                    var ended = Records.moved(here, reserved, end);
                    Records.moved(here, ended, State.COMPLETED);
                    if (end == State.IN_FLIGHT) {
                        Redises.until("the second end is told", () -> told.get() == 1);
                    } else {
                        Redises.until("the end is told", () -> told.get() == 1);
                    }
                    assertThat(others).hasValue(0);
                }
                Redises.until("nobody is subscribed", () -> Redises.subscribers(servers.name(), prefix) == 0);
            }
        }
    }

    @Test
    void watch_twoOfOneRecord_areBothToldUntilTheyEnd() {
        try (var store = Redises.standalone().prefix("wake:two").build()) {
            var first = new AtomicInteger();
            var second = new AtomicInteger();
            var one = store.watch(KEY, first::incrementAndGet);
            try (var two = store.watch(KEY, second::incrementAndGet)) {
                Redises.until("it is subscribed", () -> Redises.subscribers("STANDALONE", "wake:two") == 1);
                one.close();
                one.close();
                Records.moved(store, Records.reserved(store, KEY), State.IN_DOUBT);
                Redises.until("the second is told", () -> second.get() == 1);
                assertThat(first).hasValue(0);
            }
        }
    }

    @Test
    void watch_withoutWakeUps_isNeverTold() {
        try (var store =
                Redises.standalone().prefix("wake:off").withoutWakeUps().build()) {
            try (var watch = store.watch(KEY, () -> {
                throw new AssertionError("told");
            })) {
                Records.moved(store, Records.reserved(store, KEY), State.IN_DOUBT);
                assertThat(Redises.subscribers("STANDALONE", "wake:off")).isZero();
            }
        }
    }

    @Test
    void replace_publishForbidden_isWrittenAllTheSame() {
        try (var server = RedisServer.start(Map.of("appendonly", "no"))) {
            assertThat(server.ask("ACL", "SETUSER", "default", "-publish", "resetchannels"))
                    .isEqualTo("OK");
            try (var client = RedisClient.create(server.uri());
                    var store = RedisIdempotencyStore.create(client)) {
                var ended = Records.moved(store, Records.reserved(store, KEY), State.IN_DOUBT);

                assertThat(store.find(KEY).record()).isEqualTo(ended);
            }
        }
    }

    /** Lost wake-ups cost time only: the connection that listens is cut off, and the waiting run ends by looking. */
    @Test
    void wait_listenerCutOff_endsAllTheSame() throws Exception {
        try (var server = RedisServer.start(Map.of("appendonly", "no"));
                var proxy = TcpProxy.start(server.port());
                var direct = RedisClient.create(server.uri());
                var client = RedisClient.create(RedisServer.uri(proxy.port()));
                var here = RedisIdempotencyStore.create(direct);
                var there = RedisIdempotencyStore.create(client);
                var owning = Idempotency.on(here);
                var waiting = Idempotency.on(there)) {
            // The second connection is the one that listens.
            proxy.connections().get(1).stall();
            var started = new CountDownLatch(1);
            var answer = new CountDownLatch(1);
            Operation.Call<String, String> call = (request, attempt) -> {
                started.countDown();
                assertThat(answer.await(1, TimeUnit.MINUTES)).isTrue();
                return "done";
            };
            var owner =
                    CompletableFuture.supplyAsync(() -> operation(owning, call).execute("k"));
            assertThat(started.await(1, TimeUnit.MINUTES)).isTrue();
            var waiter = operation(waiting, call).executeAsync("k");
            answer.countDown();

            assertThat(owner.get(1, TimeUnit.MINUTES)).isEqualTo("done");
            assertThat(waiter.get(1, TimeUnit.MINUTES)).isEqualTo("done");
        }
    }

    private static Operation<String, String> operation(Idempotency idempotency, Operation.Call<String, String> call) {
        return idempotency
                .operation("wake", String.class, String.class)
                .key(request -> request)
                .calling(call);
    }
}

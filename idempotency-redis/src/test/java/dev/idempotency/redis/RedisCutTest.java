package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.RedisServer;
import dev.idempotency.testkit.process.TcpProxy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The connection is cut between a command and its reply, at each step of an execution in turn: the step was taken, and only
 * the reply is lost.
 */
final class RedisCutTest {
    private static final RedisServer SERVER = RedisServer.start(Map.of("appendonly", "no"));
    private static final TcpProxy PROXY = TcpProxy.start(SERVER.port());
    private static final RedisClient CLIENT = client();
    private static final RedisIdempotencyStore STORE =
            RedisIdempotencyStore.builder(CLIENT).withoutWakeUps().build();
    private static final Duration LEASE = Duration.ofMillis(300);

    private final AtomicInteger calls = new AtomicInteger();

    private static RedisClient client() {
        var client = RedisClient.create(RedisServer.uri(PROXY.port()));
        client.setOptions(ClientOptions.builder()
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .build());
        return client;
    }

    @AfterAll
    static void close() {
        STORE.close();
        CLIENT.shutdown();
        PROXY.close();
        SERVER.close();
    }

    private static int requests() {
        return PROXY.connections().stream()
                .mapToInt(TcpProxy.Connection::requests)
                .sum();
    }

    private Operation<String, String> operation(
            Idempotency idempotency, Recovery<String, String> recovery, Operation.Call<String, String> call) {
        return idempotency
                .operation("cut-" + UUID.randomUUID(), String.class, String.class)
                .key(request -> request)
                .recovery(recovery)
                .lease(LEASE)
                .failures(FailureClassifier.conservative().on(ConnectException.class, FailureClass.NOT_SENT))
                .calling(call);
    }

    /** Until the store has been reached again, and the answer is final. */
    private static String settle(Operation<String, String> operation) {
        var answer = new String[1];
        Redises.until("there is an answer", () -> {
            try {
                answer[0] = operation.execute("k");
                return true;
            } catch (IdempotencyException e) {
                return false;
            }
        });
        return answer[0];
    }

    @Test
    void everyStep_isCutOnce() {
        // Nothing is proved by cuts that never come: an undisturbed execution has two requests.
        try (var idempotency = Idempotency.on(STORE)) {
            var operation = operation(idempotency, Recovery.hold(), (request, attempt) -> "done");
            operation.execute("loads the scripts");
            var before = requests();
            operation.execute("k");
            assertThat(requests() - before).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void reserveAndComplete_replyLost_isCalledOnceAndAnswered(int request) {
        try (var idempotency = Idempotency.on(STORE)) {
            var operation =
                    operation(idempotency, Recovery.hold(), (order, attempt) -> "effect-" + calls.incrementAndGet());
            PROXY.cutAnswer(request);

            assertThat(settle(operation)).isEqualTo("effect-1");
            assertThat(settle(operation)).isEqualTo("effect-1");
            assertThat(calls).hasValue(1);
        }
    }

    @Test
    void markInDoubt_replyLost_isInDoubtAndNeverCalledAgain() {
        try (var idempotency = Idempotency.on(STORE)) {
            var operation = operation(idempotency, Recovery.hold(), (order, attempt) -> {
                calls.incrementAndGet();
                PROXY.cutAnswer(1);
                throw new IOException("no answer");
            });

            for (var i = 0; i < 3; i++) {
                assertThat(catchThrowable(() -> operation.execute("k"))).isInstanceOf(IdempotencyException.class);
            }
            Redises.until("it is in doubt", () -> state(operation) == State.IN_DOUBT);
            assertThat(catchThrowable(() -> operation.execute("k"))).isInstanceOf(InDoubtException.class);
            assertThat(calls).hasValue(1);
        }
    }

    /** Null as well while the client connects again. */
    private static State state(Operation<String, String> operation) {
        try {
            var standing = STORE.find(operation.keyOf("k")).record();
            return standing == null ? null : standing.state();
        } catch (StoreException e) {
            return null;
        }
    }

    @Test
    void release_replyLost_isFreeAgainAndCalledOnce() {
        try (var idempotency = Idempotency.on(STORE)) {
            var attempts = new AtomicInteger();
            var operation = operation(idempotency, Recovery.hold(), (order, attempt) -> {
                if (attempts.incrementAndGet() == 1) {
                    PROXY.cutAnswer(1);
                    throw new ConnectException("refused");
                }
                return "effect-" + calls.incrementAndGet();
            });

            assertThat(catchThrowable(() -> operation.execute("k"))).isInstanceOf(IdempotencyException.class);
            assertThat(settle(operation)).isEqualTo("effect-1");
            assertThat(calls).hasValue(1);
        }
    }

    /** Expire, re-send and complete of a key that another process left in flight; find is in there too. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void recovery_replyLost_endsWithTheSameNativeKey(int request) {
        var keys = ConcurrentHashMap.<String>newKeySet();
        var profile =
                ProviderProfile.of("simulated", "this test", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS);
        try (var idempotency = Idempotency.on(STORE)) {
            var operation = operation(idempotency, Recovery.nativeKey(profile), (order, attempt) -> {
                keys.add(attempt.nativeKey());
                if (calls.incrementAndGet() == 1) {
                    throw new IOException("no answer");
                }
                return "effect";
            });
            PROXY.cutAnswer(request + 1);

            assertThat(settle(operation)).isEqualTo("effect");
            assertThat(settle(operation)).isEqualTo("effect");
            assertThat(keys).hasSize(1);
            assertThat(STORE.listUnresolved(null, 10).stream()
                            .filter(record -> record.key().equals(operation.keyOf("k"))))
                    .isEmpty();
        }
    }
}

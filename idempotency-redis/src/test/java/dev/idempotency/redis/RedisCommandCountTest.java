package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Commands as the server counts them: everything that {@code MONITOR} sees, but for what scripts do inside. */
final class RedisCommandCountTest {
    @Test
    void execution_first_isTwoCommandsAndAReplayIsOne() throws IOException {
        try (var server = RedisServer.start(Map.of("appendonly", "no"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client);
                var idempotency = Idempotency.on(store)) {
            Operation<String, String> operation = idempotency
                    .operation("count", String.class, String.class)
                    .key(request -> request)
                    .calling((request, attempt) -> "did " + request);
            operation.execute("the first one loads the scripts");

            try (var monitor = new Monitor(server)) {
                assertThat(operation.execute("a")).isEqualTo("did a");
                assertThat(monitor.seen()).hasSize(2).allMatch(line -> line.startsWith("EVALSHA"));

                assertThat(operation.execute("a")).isEqualTo("did a");
                assertThat(monitor.seen()).hasSize(1).allMatch(line -> line.startsWith("EVALSHA"));
            }
        }
    }

    @Test
    void scriptFlush_afterwards_isOneMoreCommandForEachScript() throws IOException {
        try (var server = RedisServer.start(Map.of("appendonly", "no"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client);
                var idempotency = Idempotency.on(store)) {
            Operation<String, String> operation = idempotency
                    .operation("flush", String.class, String.class)
                    .key(request -> request)
                    .calling((request, attempt) -> "did " + request);
            operation.execute("a");
            assertThat(server.ask("SCRIPT", "FLUSH")).isEqualTo("OK");

            try (var monitor = new Monitor(server)) {
                assertThat(operation.execute("b")).isEqualTo("did b");
                assertThat(monitor.seen())
                        .extracting(line -> line.split(" ")[0])
                        .containsExactly("EVALSHA", "EVAL", "EVALSHA", "EVAL");

                assertThat(operation.execute("b")).isEqualTo("did b");
                assertThat(monitor.seen()).hasSize(1);
            }
        }
    }

    @Test
    void executeAll_manyRequestsOnOneThread_areTwoCommandsEachAndNeverWaitForIt() throws Exception {
        int many = 500;
        var oneThread = Executors.newSingleThreadExecutor();
        try (var server = RedisServer.start(Map.of("appendonly", "no"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client);
                var idempotency = Idempotency.builder(store).executor(oneThread).build()) {
            var calls = new AtomicInteger();
            Operation<String, Integer> operation = idempotency
                    .operation("many", String.class, Integer.class)
                    .key(request -> request)
                    .calling((request, attempt) -> calls.incrementAndGet());
            operation.execute("the first one loads the scripts");
            List<String> requests =
                    IntStream.range(0, many).mapToObj(i -> "r-" + i).toList();

            try (var monitor = new Monitor(server)) {
                for (var outcome : operation.executeAll(requests, many)) {
                    assertThat(outcome.get(1, TimeUnit.MINUTES)).isPositive();
                }
                List<String> seen = monitor.seen();

                assertThat(seen).hasSize(2 * many).allMatch(line -> line.startsWith("EVALSHA"));
                assertThat(calls).hasValue(many + 1);
            }
        } finally {
            oneThread.shutdownNow();
        }
    }

    /** What clients send to a server. */
    private static final class Monitor implements AutoCloseable {
        private final RedisServer server;
        private final Socket socket;
        private final BufferedReader lines;
        private int marks;

        Monitor(RedisServer server) throws IOException {
            this.server = server;
            this.socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
            this.lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            socket.getOutputStream().write("MONITOR\r\n".getBytes(StandardCharsets.UTF_8));
            assertThat(lines.readLine()).isEqualTo("+OK");
        }

        /** The commands since it was asked last. */
        List<String> seen() throws IOException {
            var mark = "mark-" + ++marks;
            server.ask("ECHO", mark);
            var seen = new ArrayList<String>();
            for (var line = lines.readLine(); !line.contains(mark); line = lines.readLine()) {
                if (!line.contains(" lua]")) {
                    seen.add(line.replaceFirst("^\\+\\S+ \\[[^\\]]*\\] ", "").replace("\"", ""));
                }
            }
            return seen;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}

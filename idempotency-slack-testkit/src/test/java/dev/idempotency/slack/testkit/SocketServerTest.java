package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.slack.testkit.Transport.Attempt;
import dev.idempotency.slack.testkit.Transport.End;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SocketServerTest {
    private static final JsonMapper MAPPER = new JsonMapper();

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    private final SocketServer slack = new SocketServer(clock);
    private final HttpServer api = api();
    private final HttpClient client = HttpClient.newHttpClient();
    private final Delivery delivery = Delivery.of(
            MAPPER.createObjectNode().put("event_id", "Ev1"),
            new LogicalEvent("ref-1", "message", LogicalEvent.Due.ONE, "C1", Set.of("1.0")));

    private HttpServer api() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", slack::open);
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterEach
    void stop() {
        api.stop(0);
        slack.close();
        clock.shutdownNow();
    }

    private HttpResponse<String> open(String token) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(
                                "http://127.0.0.1:" + api.getAddress().getPort() + "/"))
                        .header("Authorization", "Bearer " + token)
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** An app's connection that has heard hello. */
    private final class App implements WebSocket.Listener {
        final BlockingQueue<JsonNode> read = new LinkedBlockingQueue<>();
        final WebSocket socket;
        private final StringBuilder parts = new StringBuilder();

        App() throws Exception {
            JsonNode answer = MAPPER.readTree(open("xapp-1").body());
            socket = client.newWebSocketBuilder()
                    .buildAsync(URI.create(answer.path("url").asText()), this)
                    .get(20, TimeUnit.SECONDS);
            assertThat(next().path("type").asText()).isEqualTo("hello");
        }

        JsonNode next() throws InterruptedException {
            JsonNode frame = read.poll(20, TimeUnit.SECONDS);
            assertThat(frame).isNotNull();
            return frame;
        }

        void ack(JsonNode envelope) {
            var sent = socket.sendText(
                            MAPPER.createObjectNode()
                                    .set("envelope_id", envelope.path("envelope_id"))
                                    .toString(),
                            true)
                    .join();
            assertThat(sent).isSameAs(socket);
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            parts.append(part);
            if (last) {
                try {
                    read.add(MAPPER.readTree(parts.toString()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                parts.setLength(0);
            }
            from.request(1);
            return null;
        }
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void envelope_thatIsAcknowledged_isDelivered() throws Exception {
        var app = new App();

        var attempt = slack.deliver(delivery, 0, "");
        JsonNode envelope = app.next();
        assertThat(envelope.at("/payload/event_id").asText()).isEqualTo("Ev1");
        assertThat(envelope.path("type").asText()).isEqualTo("events_api");
        assertThat(attempt).isNotDone();
        app.ack(envelope);

        assertThat(attempt.get(20, TimeUnit.SECONDS).end()).isEqualTo(End.ACKED);
        assertThat(slack.report().ackedInTime()).isEqualTo(1);
        assertThat(slack.report().ackedElsewhere()).isZero();
    }

    @Test
    void envelope_thatIsNotAcknowledged_isLate_andAnAckAfterThatIsToo() throws Exception {
        var app = new App();

        var attempt = slack.deliver(delivery, 0, "");
        JsonNode envelope = app.next();
        assertThat(attempt.get(20, TimeUnit.SECONDS).end()).isEqualTo(End.LATE);
        app.ack(envelope);

        await(() -> slack.report().ackedLate() == 1);
        assertThat(slack.report().ackedInTime()).isZero();
    }

    @Test
    void withoutConnection_nothingIsDelivered() throws Exception {
        Attempt attempt = slack.deliver(delivery, 0, "").get(20, TimeUnit.SECONDS);

        assertThat(attempt.end()).isEqualTo(End.UNREACHABLE);
    }

    @Test
    void appThatClosesBeforeItOpens_hasAGap_andOneThatOpensFirstHasNone() throws Exception {
        var first = new App();
        var second = new App();
        first.socket.abort();
        await(() -> slack.report().live() == 1);
        assertThat(slack.report().gaps()).isZero();

        second.socket.abort();
        await(() -> slack.report().live() == 0);
        var third = new App();

        assertThat(slack.report().gaps()).isEqualTo(1);
        assertThat(third.read).isEmpty();
    }

    @Test
    void connection_thatIsRecycled_isAnnouncedAndClosed() throws Exception {
        var app = new App();
        slack.settings(SocketSettings.parse("recycle=1,lead=50,late=0,sudden=0,refuse=0"));

        assertThat(app.next().path("type").asText()).isEqualTo("disconnect");
        await(() -> slack.report().live() == 0);
        await(app.socket::isInputClosed);
    }

    @Test
    void address_isForAppTokens_andNotWhileSlackRefuses() throws Exception {
        assertThat(open("xoxb-1").body()).contains("not_allowed_token_type");
        slack.settings(SocketSettings.parse("refuse=1,late=0"));

        HttpResponse<String> refused = open("xapp-1");

        assertThat(refused.body()).doesNotContain("ws://");
        assertThat(slack.report().refused()).isEqualTo(1);
        assertThatThrownBy(() -> SocketSettings.parse("nonsense=1")).isInstanceOf(IllegalArgumentException.class);
    }
}

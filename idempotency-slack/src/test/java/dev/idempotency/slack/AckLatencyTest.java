package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import com.slack.api.Slack;
import com.slack.api.SlackConfig;
import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.request.RequestHeaders;
import com.slack.api.bolt.response.Response;
import com.slack.api.bolt.util.SlackRequestParser;
import com.slack.api.model.event.MessageEvent;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Idempotency;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/**
 * How long Slack waits for its answer, from an app on this library and from a plain Bolt app, whose handlers do the same: one reply,
 * which takes Slack a while. Both in one run, round by round. Prints figures and judges none of them.
 */
final class AckLatencyTest {
    private static final int SECONDS = Integer.getInteger("ack.seconds", 10);
    private static final int ROUNDS = Integer.getInteger("ack.rounds", 5);
    private static final int PER_SECOND = 40;
    private static final int THREADS = 50;
    private static final String SECRET = "a signing secret";

    private final FakeSlack slack = new FakeSlack();
    private final AtomicInteger numbers = new AtomicInteger();
    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void acknowledgements_ofBothApps_underTheSameLoad() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (var server = PostgresServer.start();
                var pool = new HikariDataSource(config(server))) {
            var store = JdbcIdempotencyStore.builder(pool).createSchema().build();
            Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
            try (var idempotency = Idempotency.on(store);
                    var intake = SlackIntake.builder(inbox).build();
                    var worker = worker(inbox, idempotency, store)) {
                HttpServer ours = listen(
                        EventsEndpoint.builder(intake)
                                .signingSecrets(SECRET)
                                .build()
                                .httpHandler(),
                        threads);
                HttpServer bolt = listen(boltHandler(), threads);
                try {
                    for (Duration work : List.of(Duration.ofMillis(100), Duration.ofSeconds(1))) {
                        compare(work, ours, bolt);
                    }
                } finally {
                    ours.stop(0);
                    bolt.stop(0);
                }
            }
        } finally {
            threads.shutdownNow();
            slack.close();
        }
    }

    private void compare(Duration work, HttpServer ours, HttpServer bolt) throws Exception {
        slack.postTakes = work;
        load(ours);
        load(bolt);
        List<Long> oursAll = new ArrayList<>();
        List<Long> boltAll = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            // Whoever begins changes, so that none has the warmer machine.
            if (i % 2 == 0) {
                oursAll.addAll(load(ours));
                boltAll.addAll(load(bolt));
            } else {
                boltAll.addAll(load(bolt));
                oursAll.addAll(load(ours));
            }
        }
        System.out.printf(
                "ack-latency: reply takes %d ms, %d events/s, %d rounds of %d s: this library p50 %.1f ms p99 %.1f ms,"
                        + " Bolt p50 %.1f ms p99 %.1f ms, ratio p50 %.1f p99 %.1f%n",
                work.toMillis(),
                PER_SECOND,
                ROUNDS,
                SECONDS,
                millis(oursAll, 50),
                millis(oursAll, 99),
                millis(boltAll, 50),
                millis(boltAll, 99),
                millis(boltAll, 50) / millis(oursAll, 50),
                millis(boltAll, 99) / millis(oursAll, 99));
    }

    private static double millis(List<Long> nanos, int percent) {
        List<Long> sorted = nanos.stream().sorted().toList();
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100)) / 1e6;
    }

    /** Sends at a steady rate, whatever comes back; a late answer holds up no later request. */
    private List<Long> load(HttpServer app) throws Exception {
        int before = slack.ledger.size();
        List<CompletableFuture<Long>> answers = new ArrayList<>();
        List<HttpResponse<Void>> responses = new CopyOnWriteArrayList<>();
        long from = System.nanoTime();
        int count = SECONDS * PER_SECOND;
        for (int i = 0; i < count; i++) {
            long due = from + i * TimeUnit.SECONDS.toNanos(1) / PER_SECOND;
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            answers.add(client.sendAsync(request(app), HttpResponse.BodyHandlers.discarding())
                    .thenApply(response -> {
                        responses.add(response);
                        return System.nanoTime() - due;
                    }));
        }
        List<Long> nanos = new ArrayList<>();
        for (CompletableFuture<Long> answer : answers) {
            nanos.add(answer.get(1, TimeUnit.MINUTES));
        }
        assertThat(responses).allMatch(response -> response.statusCode() == 200).hasSize(count);
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
        while (slack.ledger.size() < before + count) {
            assertThat(System.nanoTime()).as("every event has had its reply").isLessThan(end);
            LockSupport.parkNanos(5_000_000);
        }
        return nanos;
    }

    private HttpRequest request(HttpServer app) throws Exception {
        int number = numbers.incrementAndGet();
        String body = new String(
                Told.message("Ev" + number, number + ".000100")
                        .with("channel", "C" + number)
                        .bytes(),
                StandardCharsets.UTF_8);
        String timestamp = Long.toString(Instant.now().getEpochSecond());
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        byte[] signature = mac.doFinal(("v0:" + timestamp + ":" + body).getBytes(StandardCharsets.UTF_8));
        return HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + app.getAddress().getPort() + "/slack/events"))
                .header("Content-Type", "application/json")
                .header("X-Slack-Request-Timestamp", timestamp)
                .header("X-Slack-Signature", "v0=" + HexFormat.of().formatHex(signature))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private SlackWorker worker(Inbox inbox, Idempotency idempotency, JdbcIdempotencyStore store) {
        var api = SlackWebApi.builder("xoxb-test")
                .url(slack.url())
                .perMinute("chat.postMessage", 1_000_000)
                .build();
        var post = SlackMessages.operation(idempotency, api, "reply", settings -> settings);
        return SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(SlackConsumer.named("replies")
                        .on("message")
                        .handle((event, context) -> post.execute(
                                new SlackMessage(context.key("reply"), event.channel(), event.ts(), "thanks"))))
                .working(work -> work.concurrency(THREADS))
                .start();
    }

    private HttpHandler boltHandler() {
        var config = new SlackConfig();
        config.setMethodsEndpointUrlPrefix(slack.url().toString());
        var app = new App(AppConfig.builder()
                .slack(Slack.getInstance(config))
                .singleTeamBotToken("xoxb-test")
                .signingSecret(SECRET)
                .build());
        app.event(MessageEvent.class, (payload, ctx) -> {
            var event = payload.getEvent();
            ctx.client()
                    .chatPostMessage(r -> r.channel(event.getChannel())
                            .threadTs(event.getTs())
                            .text("thanks"));
            return ctx.ack();
        });
        app.start();
        var parser = new SlackRequestParser(app.config());
        return exchange -> {
            try (exchange) {
                String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                var request = parser.parse(SlackRequestParser.HttpRequest.builder()
                        .requestUri("/slack/events")
                        .queryString(Map.of())
                        .requestBody(body)
                        .headers(new RequestHeaders(exchange.getRequestHeaders()))
                        .remoteAddress("127.0.0.1")
                        .build());
                Response response = app.run(request);
                exchange.sendResponseHeaders(response.getStatusCode(), -1);
            } catch (Exception e) {
                exchange.sendResponseHeaders(500, -1);
            }
        };
    }

    private static HttpServer listen(HttpHandler handler, ExecutorService threads) throws Exception {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/slack/events", handler);
        server.start();
        return server;
    }

    private static HikariConfig config(PostgresServer server) {
        var config = new HikariConfig();
        config.setJdbcUrl(server.jdbcUrl());
        config.setMaximumPoolSize(16);
        return config;
    }
}

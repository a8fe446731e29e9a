package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.slack.api.Slack;
import com.slack.api.SlackConfig;
import com.slack.api.app_backend.interactive_components.response.Option;
import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.context.builtin.EventContext;
import com.slack.api.bolt.request.RequestHeaders;
import com.slack.api.bolt.response.Response;
import com.slack.api.bolt.util.SlackRequestParser;
import com.slack.api.model.block.composition.PlainTextObject;
import com.slack.api.model.event.AppMentionEvent;
import com.slack.api.model.event.MessageEvent;
import com.slack.api.model.event.MessageFileShareEvent;
import com.slack.api.model.event.MessageThreadBroadcastEvent;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.PostedMessage;
import dev.idempotency.slack.SlackBots;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMessage;
import dev.idempotency.slack.SlackMessages;
import dev.idempotency.slack.SlackWebApi;
import dev.idempotency.slack.SlackWorker;
import dev.idempotency.slack.bolt.BoltHandler;
import dev.idempotency.slack.testkit.DeliveryReport;
import dev.idempotency.slack.testkit.DeliverySettings;
import dev.idempotency.slack.testkit.SlackSimulator;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An app that was written for Bolt, moved behind the inbox as the guide says. */
final class SlackBoltTest {
    private static final String SECRET = "the test's secret";
    private static final int MANY = 60_000;

    private final SlackSimulator slack = SlackSimulator.start();
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Idempotency idempotency = Idempotency.on(store);
    private final Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
    private final List<AutoCloseable> opened = new ArrayList<>();

    SlackBoltTest() throws Exception {}

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        idempotency.close();
        slack.close();
        pool.shutdownNow();
    }

    /** Posts a reply, for what a handler was told by this context. */
    @FunctionalInterface
    private interface Replies {
        void post(EventContext context, String channel, String thread, String text) throws Exception;
    }

    /** The app as it is, with its list of what its handlers heard. */
    private App app(Queue<String> heard, Replies replies) {
        var toSimulator = new SlackConfig();
        toSimulator.setMethodsEndpointUrlPrefix(slack.apiUrl().toString());
        var app = new App(AppConfig.builder()
                .slack(Slack.getInstance(toSimulator))
                .singleTeamBotToken(SlackSimulator.BOT_TOKEN)
                .signingSecret(SECRET)
                .allEventsApiAutoAckEnabled(true)
                .build());
        app.event(MessageEvent.class, (event, context) -> {
            MessageEvent message = event.getEvent();
            heard.add("message " + message.getText());
            return replied(
                    replies, context, message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
        });
        app.event(MessageFileShareEvent.class, (event, context) -> {
            MessageFileShareEvent message = event.getEvent();
            return replied(
                    replies, context, message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
        });
        app.event(MessageThreadBroadcastEvent.class, (event, context) -> {
            MessageThreadBroadcastEvent message = event.getEvent();
            return replied(
                    replies, context, message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
        });
        app.event(AppMentionEvent.class, (event, context) -> {
            heard.add("mention " + event.getEvent().getText());
            return context.ack();
        });
        app.command("/book", (request, context) -> {
            heard.add("command " + request.getPayload().getText());
            return context.ack("Booked " + request.getPayload().getText());
        });
        app.viewSubmission("booking", (request, context) -> {
            heard.add("view " + request.getPayload().getView().getHash());
            return context.ackWithErrors(Map.of("date", "is over"));
        });
        app.blockSuggestion("city", (request, context) -> {
            heard.add("options " + request.getPayload().getValue());
            return context.ack(answer -> answer.options(List.of(Option.builder()
                    .text(PlainTextObject.builder().text("Paris").build())
                    .value("p")
                    .build())));
        });
        return app;
    }

    private static Response replied(
            Replies replies, EventContext context, String channel, String ts, String thread, String text) {
        try {
            replies.post(context, channel, thread == null ? ts : thread, "Noted: " + text);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return context.ack();
    }

    private URI serve(HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(pool);
        server.createContext("/slack/events", handler);
        server.start();
        opened.add(() -> server.stop(0));
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/slack/events");
    }

    /** As Bolt's servlet does it. */
    private URI plain(Queue<String> heard) throws IOException {
        App app = app(heard, (context, channel, thread, text) -> {
            var unused = context.client()
                    .chatPostMessage(
                            request -> request.channel(channel).threadTs(thread).text(text));
        });
        app.start();
        return serve(exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            var request = new SlackRequestParser(app.config())
                    .parse(SlackRequestParser.HttpRequest.builder()
                            .requestUri("/slack/events")
                            .requestBody(body)
                            .headers(new RequestHeaders(exchange.getRequestHeaders()))
                            .build());
            try {
                answer(exchange, app.run(request));
            } catch (Exception e) {
                throw new IOException(e);
            }
        });
    }

    private static void answer(HttpExchange exchange, Response response) throws IOException {
        byte[] body = (response.getBody() == null ? "" : response.getBody()).getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(response.getStatusCode(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** As the guide says: the same handlers, and their writes are operations under BoltHandler's keys. */
    private URI moved(Queue<String> heard) throws IOException {
        SlackWebApi api = SlackWebApi.builder(SlackSimulator.BOT_TOKEN)
                .url(slack.apiUrl())
                .perMinute("chat.postMessage", MANY)
                .perMinute("conversations.replies", MANY)
                .perMinutePerChannel(MANY)
                .build();
        Operation<SlackMessage, PostedMessage> post =
                SlackMessages.operation(idempotency, api, "reply", settings -> settings);
        App app = app(heard, (context, channel, thread, text) -> {
            var unused = post.execute(new SlackMessage(BoltHandler.key(context, "reply"), channel, thread, text));
        });
        BoltHandler bolt = BoltHandler.of(app, idempotency);
        SlackIntake intake =
                SlackIntake.builder(inbox).responding(bolt.answers()).build();
        SlackWorker worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .bots(SlackBots.all())
                .consumer(SlackConsumer.named("bolt").on("*").handle(bolt))
                .working(work -> work.pollEvery(Duration.ofMillis(20))
                        .concurrency(8)
                        .backoff(IntervalFunction.of(Duration.ofMillis(250))))
                .start();
        opened.add(worker);
        opened.add(intake);
        return serve(
                EventsEndpoint.builder(intake).signingSecrets(SECRET).build().httpHandler());
    }

    private String send(URI to, String contentType, String body) throws Exception {
        String now = Long.toString(System.currentTimeMillis() / 1000);
        var response = http.send(
                HttpRequest.newBuilder(to)
                        .header("Content-Type", contentType)
                        .header("X-Slack-Request-Timestamp", now)
                        .header("X-Slack-Signature", signature("v0:" + now + ":" + body))
                        .timeout(Duration.ofMinutes(1))
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return response.statusCode() + " " + response.body();
    }

    private static String signature(String of) throws GeneralSecurityException {
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return "v0=" + HexFormat.of().formatHex(mac.doFinal(of.getBytes(StandardCharsets.UTF_8)));
    }

    private String event(URI to, String id, String type, String text) throws Exception {
        return send(
                to,
                "application/json",
                ("{'type':'event_callback','api_app_id':'A1','team_id':'T1','event_id':'" + id + "','event_time':1,"
                                + "'event':{'type':'" + type + "','channel':'C0SIM00001','user':'U1','text':'" + text
                                + "','ts':'1.000100','event_ts':'1.000100'}}")
                        .replace('\'', '"'));
    }

    private String command(URI to) throws Exception {
        return send(
                to,
                "application/x-www-form-urlencoded",
                "command=%2Fbook&text=a+boat&team_id=T1&user_id=U1&channel_id=C1&api_app_id=A1&trigger_id=1.2");
    }

    private String interaction(URI to, String json) throws Exception {
        String payload = json.replace('\'', '"');
        return send(
                to,
                "application/x-www-form-urlencoded",
                "payload=" + URLEncoder.encode(payload, StandardCharsets.UTF_8));
    }

    private String modal(URI to) throws Exception {
        return interaction(
                to,
                "{'type':'view_submission','api_app_id':'A1','team':{'id':'T1'},'user':{'id':'U1'},'trigger_id':'1.3',"
                        + "'view':{'id':'V1','type':'modal','callback_id':'booking','hash':'h1','state':{'values':{}}}}");
    }

    private String options(URI to) throws Exception {
        return interaction(
                to,
                "{'type':'block_suggestion','api_app_id':'A1','team':{'id':'T1'},'user':{'id':'U1'},"
                        + "'action_id':'city','block_id':'b','value':'pa'}");
    }

    private void settle() {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!isEmpty(inbox.depth())) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Of one moment: what fails meanwhile goes from one count to another. */
    private static boolean isEmpty(InboxDepth depth) {
        return depth.ready() + depth.delayed() + depth.claimed() == 0;
    }

    /** What Slack and the handlers of the app get to see of everything once. */
    private List<String> once(Function<Queue<String>, URI> started) throws Exception {
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        URI to = started.apply(heard);
        List<String> seen = new ArrayList<>();
        seen.add(event(to, "Ev1", "message", "hi"));
        seen.add(event(to, "Ev2", "app_mention", "hi"));
        seen.add(command(to));
        seen.add(modal(to));
        seen.add(options(to));
        settle();
        heard.stream().sorted().forEach(seen::add);
        return seen;
    }

    private static URI unchecked(java.util.concurrent.Callable<URI> started) {
        try {
            return started.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void app_movedByTheGuide_behavesAsInPlainBolt() throws Exception {
        List<String> plain = once(heard -> unchecked(() -> plain(heard)));
        List<String> moved = once(heard -> unchecked(() -> moved(heard)));

        assertThat(moved).isEqualTo(plain);
        assertThat(moved)
                .contains("command a boat", "mention hi", "message hi", "options pa", "view h1")
                .anyMatch(seen -> seen.contains("Booked a boat"))
                .anyMatch(seen -> seen.contains("is over"))
                .anyMatch(seen -> seen.contains("Paris"));
    }

    @Test
    void app_movedByTheGuide_handlesEachEventOnce_underStormsAndLostReplies() throws Exception {
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        URI to = moved(heard);

        DeliveryReport report = slack.deliver(DeliverySettings.http(to, SECRET)
                .deliveries(200, 300)
                .seed(20261201)
                .timeScale(600)
                .faults("reply-cut=0.2,error-after=0.1,rate-limited=0.05"));

        report.assertClean();
        assertThat(heard).anyMatch(what -> what.startsWith("mention "));
    }

    @Test
    void envelopes_deliveredAgain_getTheSameAnswer_andRunNoHandlerAgain() throws Exception {
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        URI to = moved(heard);

        var answers = new ArrayList<CompletableFuture<String>>();
        for (int i = 0; i < 8; i++) {
            boolean isCommand = i % 2 == 0;
            answers.add(CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return isCommand ? command(to) : modal(to);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    pool));
        }
        var got = new ArrayList<String>();
        for (var answer : answers) {
            got.add(answer.get(1, TimeUnit.MINUTES));
        }
        settle();

        assertThat(got).filteredOn(answer -> answer.contains("Booked a boat")).hasSize(4);
        assertThat(got).filteredOn(answer -> answer.contains("is over")).hasSize(4);
        assertThat(heard).containsExactlyInAnyOrder("command a boat", "view h1");
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.slack.Delivered;
import dev.idempotency.slack.Delivered.Verdict;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackKeys;
import dev.idempotency.slack.SlackListener;
import dev.idempotency.slack.SlackRequest;
import dev.idempotency.slack.SlackResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables and the example of the guide on Slack's requests. */
final class SlackHttpTest {
    private static final Markdown PAGE = Markdown.of("docs/slack-http.md");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long NOW = 1_767_225_601;
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC);
    private static final String SECRET = "a secret of nobody";
    private static final int MAX_BODY = 4_000;

    @TempDir
    private Path directory;

    /* ---- Answers ---- */

    private enum Store {
        WORKS,
        FAILS,
        HANGS
    }

    /** The store of the process, whose offers fail or hang. */
    private static InboxStore store(Store how, CountDownLatch until) {
        InboxStore works = CaffeineIdempotencyStore.create().inbox();
        return (InboxStore) Proxy.newProxyInstance(
                SlackHttpTest.class.getClassLoader(), new Class<?>[] {InboxStore.class}, (proxy, method, args) -> {
                    if (method.getName().equals("offer") && how == Store.FAILS) {
                        throw new IllegalStateException("simulated");
                    }
                    if (method.getName().equals("offer") && how == Store.HANGS) {
                        until.await();
                    }
                    return method.invoke(works, args);
                });
    }

    private record Answered(int status, Verdict verdict, String noRetry, String body) {}

    private Answered answered(Store how, UnaryOperator<SlackIntake.Builder> settings, SlackRequest... requests) {
        var released = new CountDownLatch(1);
        var told = new ArrayList<Delivered>();
        try (var intake = settings.apply(SlackIntake.builder(
                                Inbox.builder(store(how, released), "slack").build())
                        .listener(new SlackListener() {
                            @Override
                            public void onDelivered(Delivered delivered) {
                                told.add(delivered);
                            }
                        }))
                .build()) {
            var endpoint = endpoint(intake);
            SlackResponse last = null;
            for (SlackRequest request : requests) {
                last = endpoint.handle(request);
            }
            released.countDown();
            return new Answered(
                    last.status(),
                    told.get(told.size() - 1).verdict(),
                    last.headers().get("X-Slack-No-Retry"),
                    last.body());
        }
    }

    private static EventsEndpoint endpoint(SlackIntake intake) {
        return EventsEndpoint.builder(intake)
                .signingSecrets(SECRET)
                .maxBody(MAX_BODY)
                .clock(CLOCK)
                .build();
    }

    private Answered answered(SlackRequest... requests) {
        return answered(Store.WORKS, settings -> settings, requests);
    }

    private static String event(String type) {
        return "{\"type\":\"event_callback\",\"api_app_id\":\"A\",\"event_id\":\"E\",\"event\":{\"type\":\"" + type
                + "\"}}";
    }

    private static SlackRequest request(String method, String type, String body, InputStream arriving, long when) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            String signature = "v0="
                    + HexFormat.of()
                            .formatHex(mac.doFinal(("v0:" + when + ":" + body).getBytes(StandardCharsets.UTF_8)));
            Map<String, List<String>> headers = new HashMap<>();
            headers.put("Content-Type", List.of(type));
            headers.put("X-Slack-Request-Timestamp", List.of(Long.toString(when)));
            headers.put("X-Slack-Signature", List.of(signature));
            headers.put("X-Slack-Retry-Num", List.of("1"));
            headers.put("X-Slack-Retry-Reason", List.of("http_timeout"));
            headers.put("Content-Length", List.of(Integer.toString(body.length())));
            return new SlackRequest(method, headers, arriving);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static InputStream stream(String body) {
        return new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8));
    }

    private static SlackRequest json(String body) {
        return request("POST", "application/json", body, stream(body), NOW);
    }

    private static SlackRequest signedAt(long when) {
        return request("POST", "application/json", event("x"), stream(event("x")), when);
    }

    private static SlackRequest signedBy(List<String> signatures) {
        Map<String, List<String>> headers = new HashMap<>(json(event("x")).headers());
        headers.put("x-slack-signature", signatures);
        return new SlackRequest("POST", headers, stream(event("x")));
    }

    /** One takes the only place, one may wait, and the third is too many. */
    private Answered whenTooManyWait() throws Exception {
        var released = new CountDownLatch(1);
        var verdicts = new ArrayList<Verdict>();
        try (var intake = SlackIntake.builder(
                        Inbox.builder(store(Store.HANGS, released), "slack").build())
                .budget(Duration.ofMillis(2_900))
                .concurrency(1)
                .mayWait(1)
                .listener(new SlackListener() {
                    @Override
                    public synchronized void onDelivered(Delivered delivered) {
                        verdicts.add(delivered.verdict());
                    }
                })
                .build()) {
            var endpoint = endpoint(intake);
            var all = new ArrayList<CompletableFuture<SlackResponse>>();
            var first = new CompletableFuture<SlackResponse>();
            for (int i = 0; i < 3; i++) {
                var answer = new CompletableFuture<SlackResponse>();
                all.add(answer);
                new Thread(() -> {
                            SlackResponse response = endpoint.handle(json(event("x")));
                            answer.complete(response);
                            first.complete(response);
                        })
                        .start();
            }
            int status = first.get().status();
            Verdict verdict = verdicts.get(0);
            released.countDown();
            for (var answer : all) {
                answer.get();
            }
            return new Answered(status, verdict, null, "");
        }
    }

    @Test
    void answers_ofTheTable_areThoseOfTheEndpoint() throws Exception {
        var slow = new InputStream() {
            private final InputStream body = stream(event("x"));

            @Override
            public int read() throws IOException {
                LockSupport.parkNanos(1_000_000);
                return body.read();
            }
        };
        String half = event("x").substring(9);
        Map<String, Answered> answered = new LinkedHashMap<>();
        answered.put("an event that is new", answered(json(event("message"))));
        answered.put("an event that was delivered before", answered(json(event("message")), json(event("message"))));
        answered.put("an event of a type that nobody knows", answered(json(event("brand_new"))));
        answered.put(
                "app_rate_limited",
                answered(json("{\"type\":\"app_rate_limited\",\"team_id\":\"T\",\"minute_rate_limited\":60}")));
        String form = "command=%2Fgo&trigger_id=1.2";
        answered.put(
                "an interaction, a slash command",
                answered(request("POST", "application/x-www-form-urlencoded", form, stream(form), NOW)));
        answered.put("url_verification", answered(json("{\"type\":\"url_verification\",\"challenge\":\"c\"}")));
        answered.put(
                "exactly `ssl_check=1`, with or without a `token`, by POST or GET, unsigned",
                answered(new SlackRequest(
                        "POST",
                        Map.of("Content-Type", List.of("application/x-www-form-urlencoded")),
                        stream("ssl_check=1&token=abc"))));
        answered.put("signed, and nobody can read it", answered(json("{")));
        answered.put(
                "an event while the store is down, with a spill buffer",
                answered(Store.FAILS, settings -> settings.spill(directory, 1 << 20), json(event("x"))));
        answered.put("an event while the store is down", answered(Store.FAILS, settings -> settings, json(event("x"))));
        answered.put(
                "an event while the store does not answer in time",
                answered(Store.HANGS, settings -> settings.budget(Duration.ofMillis(20)), json(event("x"))));
        answered.put(
                "an event whose body took longer than the budget",
                answered(
                        Store.WORKS,
                        settings -> settings.budget(Duration.ofMillis(1)),
                        request("POST", "application/json", event("x"), slow, NOW)));
        answered.put("an event when too many wait", whenTooManyWait());
        String good = json(event("x")).headers().get("x-slack-signature").get(0);
        assertThat(answered(signedBy(List.of(good))).status()).isEqualTo(200);
        assertThat(answered(signedBy(List.of())).verdict()).isEqualTo(Verdict.UNSIGNED);
        answered.put("no signature, or two", answered(signedBy(List.of(good, good))));
        answered.put("a wrong signature", answered(signedBy(List.of("v0=" + "0".repeat(64)))));
        assertThat(answered(signedAt(NOW - 301)).verdict()).isEqualTo(Verdict.EXPIRED);
        assertThat(answered(signedAt(NOW - 300)).status()).isEqualTo(200);
        answered.put("a signature older than five minutes, or from the future", answered(signedAt(NOW + 301)));
        answered.put("a body larger than `maxBody`", answered(json("x".repeat(MAX_BODY + 1))));
        answered.put(
                "a body that breaks off", answered(request("POST", "application/json", event("x"), stream(half), NOW)));
        answered.put("any other request but POST", answered(request("GET", "application/json", "", stream(""), NOW)));

        List<List<String>> table = PAGE.table("Request", "Status", "Verdict");

        assertThat(table.stream().map(row -> row.get(0))).containsExactlyElementsOf(answered.keySet());
        for (List<String> row : table) {
            Answered answer = answered.get(row.get(0));
            assertThat(row.get(1)).as(row.get(0)).startsWith(Integer.toString(answer.status()));
            assertThat(row.get(2)).as(row.get(0)).isEqualTo(answer.verdict().name());
            assertThat(row.get(1).contains("X-Slack-No-Retry: 1"))
                    .as(row.get(0))
                    .isEqualTo("1".equals(answer.noRetry()));
            assertThat(row.get(1).contains("the challenge"))
                    .as(row.get(0))
                    .isEqualTo(answer.body().equals("c"));
        }
        assertThat(table.stream().map(row -> row.get(2)).collect(Collectors.toSet()))
                .isEqualTo(Arrays.stream(Verdict.values()).map(Verdict::name).collect(Collectors.toSet()));
    }

    /* ---- Keys ---- */

    /** Named as the table names its parts. */
    private static ObjectNode message(String type, String subtype) {
        ObjectNode payload = JSON.createObjectNode()
                .put("type", "event_callback")
                .put("api_app_id", "app")
                .put("team_id", "team")
                .put("event_id", "event_id");
        ObjectNode event = payload.putObject("event")
                .put("type", type)
                .put("channel", "channel")
                .put("event_ts", "event_ts");
        switch (subtype) {
            case "message_changed" ->
                event.put("subtype", subtype).putObject("message").put("ts", "ts");
            case "message_deleted" -> event.put("subtype", subtype).put("deleted_ts", "ts");
            case "bot_message" -> event.put("subtype", subtype).put("ts", "ts");
            default -> event.put("ts", "ts").put("user", "user").put("client_msg_id", "client_msg_id");
        }
        return payload;
    }

    private static ObjectNode interaction(String type) {
        ObjectNode payload = JSON.createObjectNode()
                .put("type", type)
                .put("api_app_id", "app")
                .put("trigger_id", "trigger_id");
        payload.putObject("user").put("id", "user");
        return payload;
    }

    private static List<String> keys(ObjectNode payload) {
        SlackEvent event = SlackEvent.parse(payload.toString().getBytes(StandardCharsets.UTF_8));
        return List.of(
                SlackKeys.delivery(event),
                SlackKeys.message(event).orElse(""),
                SlackKeys.clientMessage(event).orElse(""));
    }

    @Test
    void keys_ofTheTable_areThoseOfTheCode() {
        ObjectNode button = interaction("block_actions");
        button.putObject("container").put("message_ts", "message_ts");
        button.putArray("actions").addObject().put("action_id", "action_id").put("action_ts", "action_ts");
        ObjectNode view = interaction("view_submission");
        view.putObject("view").put("id", "view").put("hash", "hash");
        Map<String, ObjectNode> deliveries = new LinkedHashMap<>();
        deliveries.put("a message", message("message", ""));
        deliveries.put("its `app_mention`", message("app_mention", ""));
        deliveries.put("an edit of it", message("message", "message_changed"));
        deliveries.put("its deletion", message("message", "message_deleted"));
        deliveries.put("a message of a bot", message("message", "bot_message"));
        deliveries.put("any other event", message("reaction_added", ""));
        deliveries.put(
                "app_rate_limited",
                JSON.createObjectNode()
                        .put("type", "app_rate_limited")
                        .put("api_app_id", "app")
                        .put("team_id", "team")
                        .put("minute_rate_limited", "minute"));
        deliveries.put("a button or menu", button);
        deliveries.put("a view that is submitted", view);
        deliveries.put("a shortcut", interaction("shortcut").put("action_ts", "action_ts"));
        deliveries.put(
                "a slash command",
                JSON.createObjectNode()
                        .put("command", "/go")
                        .put("api_app_id", "app")
                        .put("trigger_id", "trigger_id"));

        List<List<String>> table =
                PAGE.table("Delivery", "Layer 1: the delivery", "Layer 2: the message", "Layer 3: the act of a user");

        assertThat(table.stream().map(row -> row.get(0))).containsExactlyElementsOf(deliveries.keySet());
        for (List<String> row : table) {
            assertThat(row.subList(1, 4)).as(row.get(0)).isEqualTo(keys(deliveries.get(row.get(0))));
        }
    }

    /* ---- Settings and attributes ---- */

    @Test
    void settings_ofTheTable_haveTheDefaultsOfTheCode() throws ReflectiveOperationException {
        try (var intake = SlackIntake.builder(
                        Inbox.builder(CaffeineIdempotencyStore.create().inbox(), "slack")
                                .build())
                .build()) {
            for (List<String> row : PAGE.table("Setting", "Default", "What it bounds")) {
                boolean ofEndpoint = row.get(0).equals("maxBody");
                Object builder = ofEndpoint ? EventsEndpoint.builder(intake) : SlackIntake.builder(inbox());
                var field = builder.getClass().getDeclaredField(row.get(0));
                field.setAccessible(true);
                Object value = field.get(builder);
                String shown = value instanceof Duration time ? time.toMillis() + " ms" : value.toString();
                assertThat(row.get(1)).as(row.get(0)).isEqualTo(ofEndpoint ? shown + " bytes" : shown);
            }
        }
    }

    private static Inbox inbox() {
        return Inbox.builder(CaffeineIdempotencyStore.create().inbox(), "slack").build();
    }

    @Test
    void attributes_ofTheTable_areThoseOfAMessage() {
        InboxStore store = CaffeineIdempotencyStore.create().inbox();
        try (var intake =
                SlackIntake.builder(Inbox.builder(store, "slack").build()).build()) {
            String body = message("message", "bot_message").toString();
            assertThat(endpoint(intake).handle(json(body)).status()).isEqualTo(200);
        }
        InboxMessage kept =
                store.claim("slack", 1, Duration.ofMinutes(1)).get(0).message();

        assertThat(PAGE.table("Attribute", "What it says").stream().map(row -> row.get(0)))
                .containsExactlyInAnyOrderElementsOf(kept.attributes().keySet());
    }

    /* ---- The example ---- */

    @SuppressWarnings("unused")
    private static EventsEndpoint example(Inbox inbox, String newSecret, String oldSecret) {
        // tag::endpoint[]
        SlackIntake intake = SlackIntake.builder(inbox)
                .budget(Duration.ofMillis(2_500)) // of Slack's three seconds
                .concurrency(16) // no more than the store has connections for
                .spill(Path.of("/var/lib/app/slack"), 256L << 20)
                .build();

        EventsEndpoint endpoint = EventsEndpoint.builder(intake)
                .signingSecrets(newSecret, oldSecret)
                .build();
        // end::endpoint[]
        return endpoint;
    }
}

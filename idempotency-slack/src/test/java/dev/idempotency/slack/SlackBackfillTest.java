package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Handled.Outcome;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SlackBackfillTest {
    private static final Duration MOMENT = Duration.ofMillis(5);
    private static final Instant NOW = Instant.ofEpochSecond(1_760_003_600);
    private static final String CHANNEL = "C0GENERAL";
    private static final String BOT = "U0BOT";

    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Queue<InboxEvent> events = new ConcurrentLinkedQueue<>();
    private final Queue<Handled> handled = new ConcurrentLinkedQueue<>();
    private final Queue<String> calls = new ConcurrentLinkedQueue<>();
    private final Queue<SlackEvent> heard = new ConcurrentLinkedQueue<>();
    private final Inbox inbox =
            Inbox.builder(store.inbox(), "slack").listener(events::add).build();
    private final Idempotency idempotency = Idempotency.on(store);
    private final SlackIntake intake = SlackIntake.builder(inbox).build();
    private final History slack = new History();
    private final AtomicLong nanos = new AtomicLong();

    /** What a channel's history says, over HTTP, page by page and newest first, as Slack does. */
    private static final class History implements AutoCloseable {
        final List<ObjectNode> messages = new CopyOnWriteArrayList<>();
        final Queue<String> asked = new ConcurrentLinkedQueue<>();
        /** Answers that come before any other: a status and a body. */
        final Queue<Map.Entry<Integer, String>> next = new ConcurrentLinkedQueue<>();

        private final HttpServer server;

        History() {
            try {
                server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
            server.createContext("/api/", this::answer);
            server.start();
        }

        URI url() {
            return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/api/");
        }

        ObjectNode write(String ts, String text) {
            ObjectNode message = SlackEvent.JSON
                    .createObjectNode()
                    .put("type", "message")
                    .put("user", "U0PERSON")
                    .put("text", text)
                    .put("client_msg_id", "cm-" + ts)
                    .put("ts", ts);
            messages.add(message);
            return message;
        }

        ObjectNode reply(String parentTs, String ts) {
            for (ObjectNode parent : messages) {
                if (parent.path("ts").asText().equals(parentTs)) {
                    parent.put("thread_ts", parentTs).put("latest_reply", ts).put("reply_count", 1);
                }
            }
            return write(ts, "a reply").put("thread_ts", parentTs);
        }

        private void answer(HttpExchange exchange) throws IOException {
            try (exchange) {
                String method = exchange.getRequestURI().getPath().substring("/api/".length());
                Map<String, String> arguments = new HashMap<>();
                for (String field :
                        new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).split("&")) {
                    String[] parts = field.split("=", 2);
                    arguments.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
                }
                asked.add(method + " " + arguments.getOrDefault("cursor", ""));
                var ready = next.poll();
                exchange.getResponseHeaders().set("Retry-After", "30");
                byte[] body =
                        (ready == null ? page(method, arguments) : ready.getValue()).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(ready == null ? 200 : ready.getKey(), body.length);
                exchange.getResponseBody().write(body);
            }
        }

        private String page(String method, Map<String, String> arguments) {
            boolean isThread = method.equals("conversations.replies");
            var oldest = new BigDecimal(arguments.get("oldest"));
            List<ObjectNode> found = messages.stream()
                    .filter(message -> isThread
                            ? message.path("thread_ts").asText().equals(arguments.get("ts"))
                            : isShownInChannel(message))
                    .filter(message -> ts(message).compareTo(oldest) >= 0
                            || (isThread && message.path("ts").asText().equals(arguments.get("ts"))))
                    .sorted(Comparator.comparing(History::ts).reversed())
                    .toList();
            int from = Integer.parseInt(arguments.getOrDefault("cursor", "0"));
            int to = Math.min(found.size(), from + Integer.parseInt(arguments.get("limit")));
            ObjectNode answer = SlackEvent.JSON.createObjectNode().put("ok", true);
            found.subList(from, to).forEach(answer.putArray("messages")::add);
            answer.putObject("response_metadata").put("next_cursor", to < found.size() ? Integer.toString(to) : "");
            return answer.toString();
        }

        private static boolean isShownInChannel(ObjectNode message) {
            String thread = message.path("thread_ts").asText("");
            return thread.isEmpty() || thread.equals(message.path("ts").asText());
        }

        private static BigDecimal ts(ObjectNode message) {
            return new BigDecimal(message.path("ts").asText());
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }

    @AfterEach
    void close() {
        slack.close();
        intake.close();
        idempotency.close();
    }

    private static String ts(int second) {
        return (1_760_000_000 + second) + ".000100";
    }

    private SlackWebApi api() {
        InstantSource wall = () -> NOW.plusNanos(nanos.get());
        return SlackWebApi.builder("xoxb-test")
                .url(slack.url())
                .perMinute("conversations.history", 600_000)
                .perMinute("conversations.replies", 600_000)
                .waitAtMost(Duration.ofMinutes(2))
                .time(wall.withZone(ZoneOffset.UTC), nanos::get, nanos::addAndGet)
                .build();
    }

    private SlackBackfill.Builder backfill() {
        return SlackBackfill.builder(inbox, api(), Told.APP, Told.TEAM).clock(Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private SlackWorker worker(SlackConsumer... consumers) {
        var builder = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .working(work -> work.pollEvery(MOMENT).backoff(IntervalFunction.of(MOMENT)))
                .listener(new SlackListener() {
                    @Override
                    public void onHandled(Handled one) {
                        handled.add(one);
                    }
                });
        for (SlackConsumer consumer : consumers) {
            builder.consumer(consumer);
        }
        return builder.start();
    }

    private SlackConsumer greeter(String... types) {
        return SlackConsumer.named("greeter").on(types).handle((event, context) -> {
            calls.add(context.key("reply"));
            heard.add(event);
        });
    }

    private void deliver(Told told) {
        assertThat(intake.take(told.parsed(), Transport.HTTP, 0, "")).isEqualTo(Taken.ACCEPTED);
    }

    /** A message as Slack tells it, with the identity that its history has. */
    private static Told told(String eventId, String ts) {
        return Told.message(eventId, ts).with("client_msg_id", "cm-" + ts);
    }

    private static String key(String ts) {
        return "greeter:" + Told.APP + ":" + CHANNEL + ":" + ts + ":reply";
    }

    private void settle() {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (count(InboxEvent.Type.OFFERED) > count(InboxEvent.Type.DONE) + count(InboxEvent.Type.BURIED)) {
            assertThat(System.nanoTime()).as("all events settled").isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(count(InboxEvent.Type.BURIED)).isZero();
    }

    private long count(InboxEvent.Type type) {
        return events.stream().filter(event -> event.type() == type).count();
    }

    private long count(Outcome outcome) {
        return handled.stream().filter(one -> one.outcome() == outcome).count();
    }

    @Test
    void gap_isFilled_withoutRepeatingWhatWasHandled_norWhatComesLater() throws Exception {
        for (int i = 1; i <= 6; i++) {
            slack.write(ts(i), "hello " + i);
        }
        try (var worker = worker(greeter("message", "app_mention"))) {
            deliver(told("Ev1", ts(1)));
            deliver(told("Ev2", ts(2)));
            deliver(told("Ev4", ts(4)));
            settle();
            assertThat(calls).containsExactlyInAnyOrder(key(ts(1)), key(ts(2)), key(ts(4)));

            assertThat(backfill().build().fill(CHANNEL, ts(2))).isEqualTo(new SlackBackfill.Filled(5, 0));
            settle();
            assertThat(calls)
                    .as("each message once")
                    .containsExactlyInAnyOrder(key(ts(1)), key(ts(2)), key(ts(3)), key(ts(4)), key(ts(5)), key(ts(6)));
            assertThat(count(Outcome.DUPLICATE)).as("2 and 4").isEqualTo(2);

            // The same message looks another way by now.
            slack.messages.get(4).put("text", "edited").put("reply_count", 1).putArray("reactions");
            assertThat(backfill().build().fill(CHANNEL, ts(2)))
                    .as("a second time, all of it is known at layer 1")
                    .isEqualTo(new SlackBackfill.Filled(0, 5));

            deliver(told("Ev3", ts(3)));
            deliver(Told.mention("Ev3b", ts(3)));
            deliver(told("Ev5", ts(5)));
            settle();
        }
        assertThat(calls).hasSize(6);
        assertThat(count(Outcome.HANDLED)).isEqualTo(6);
        assertThat(count(Outcome.DUPLICATE)).isEqualTo(5);
    }

    @Test
    void gap_filledWhileSlackDeliversLate_isHandledOnce() throws Exception {
        for (int i = 1; i <= 20; i++) {
            slack.write(ts(i), "hello");
        }
        try (var worker = worker(greeter("message:*"))) {
            var filling = new Thread(() -> {
                try {
                    backfill().page(3).build().fill(CHANNEL, ts(1));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            filling.start();
            for (int i = 20; i >= 1; i--) {
                deliver(told("Ev" + i, ts(i)));
            }
            filling.join();
            assertThat(count(InboxEvent.Type.OFFERED)).isEqualTo(40);
            settle();
        }
        assertThat(calls).hasSize(20).doesNotHaveDuplicates();
    }

    /** That the tests above can fail: under another app's id nothing is known again. */
    @Test
    void gap_filledUnderAnotherAppsId_repeatsWhatWasHandled() throws Exception {
        slack.write(ts(1), "hello");
        try (var worker = worker(greeter("message"))) {
            deliver(told("Ev1", ts(1)));
            settle();
            SlackBackfill.builder(inbox, api(), "A0OTHER", Told.TEAM)
                    .clock(Clock.fixed(NOW, ZoneOffset.UTC))
                    .build()
                    .fill(CHANNEL, ts(1));
            settle();
        }
        assertThat(calls).hasSize(2);
    }

    @Test
    void history_isReadPageByPage_withinSlacksLimits() throws Exception {
        for (int i = 1; i <= 5; i++) {
            slack.write(ts(i), "hello");
        }
        slack.next.add(Map.entry(429, "{\"ok\":false,\"error\":\"ratelimited\"}"));

        assertThat(backfill().page(2).build().fill(CHANNEL, ts(1))).isEqualTo(new SlackBackfill.Filled(5, 0));

        assertThat(slack.asked)
                .containsExactly(
                        "conversations.history ",
                        "conversations.history ",
                        "conversations.history 2",
                        "conversations.history 4");
        assertThat(Duration.ofNanos(nanos.get())).isGreaterThanOrEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void filling_thatBreaksOff_leavesWhatItFound_andIsRepeated() throws Exception {
        for (int i = 1; i <= 5; i++) {
            slack.write(ts(i), "hello");
        }
        var backfill = backfill().page(2).build();
        var whole = slack.page("conversations.history", Map.of("oldest", ts(1), "limit", "2"));
        slack.next.add(Map.entry(200, whole));
        slack.next.add(Map.entry(200, "{\"ok\":false,\"error\":\"not_in_channel\"}"));

        assertThatThrownBy(() -> backfill.fill(CHANNEL, ts(1))).isInstanceOf(SlackApiException.class);
        assertThat(inbox.depth().ready()).isEqualTo(2);
        assertThat(backfill.fill(CHANNEL, ts(1))).isEqualTo(new SlackBackfill.Filled(3, 2));
    }

    @Test
    void replies_areBroughtBack_ofOlderThreadsWhereAskedTo() throws Exception {
        slack.write(ts(10), "before the gap");
        slack.reply(ts(10), ts(110));
        slack.write(ts(100), "in the gap");
        slack.reply(ts(100), ts(105));
        slack.reply(ts(100), ts(120));
        slack.write(ts(20), "an old thread");
        slack.reply(ts(20), ts(30));

        try (var worker = worker(greeter("message"))) {
            backfill().page(1).build().fill(CHANNEL, ts(100));
            settle();
            assertThat(calls).containsExactlyInAnyOrder(key(ts(100)), key(ts(105)), key(ts(120)));

            backfill().olderThreads(Duration.ofSeconds(90)).build().fill(CHANNEL, ts(100));
            settle();
        }
        assertThat(calls).containsExactlyInAnyOrder(key(ts(100)), key(ts(105)), key(ts(120)), key(ts(110)));
        assertThat(heard).filteredOn(event -> ts(100).equals(event.ts())).allSatisfy(event -> {
            assertThat(event.threadTs())
                    .as("it began no thread when it was written")
                    .isNull();
            assertThat(event.event().has("latest_reply")).isFalse();
            assertThat(event.channel()).isEqualTo(CHANNEL);
            assertThat(event.eventTs()).isEqualTo(ts(100));
            assertThat(event.eventTime()).isEqualTo(1_760_000_100);
        });
        assertThat(heard)
                .filteredOn(event -> ts(105).equals(event.ts()))
                .extracting(SlackEvent::threadTs)
                .containsExactly(ts(100));
    }

    @Test
    void mentions_areBroughtBackAsSuch_andNotTwice() throws Exception {
        slack.write(ts(1), "<@U0BOT> help");
        slack.write(ts(2), "<@U0BOT|helpful> help");
        slack.write(ts(3), "<@U0BOTTLE> help");
        slack.write(ts(4), "my own").put("user", BOT);

        try (var worker = worker(
                greeter("app_mention"),
                SlackConsumer.named("both")
                        .on("message", "app_mention")
                        .handle((event, context) -> calls.add(context.key("reply"))))) {
            backfill().botUser(BOT).build().fill(CHANNEL, ts(1));
            settle();
        }

        assertThat(calls)
                .containsExactlyInAnyOrder(
                        key(ts(1)),
                        key(ts(2)),
                        key(ts(1)).replace("greeter", "both"),
                        key(ts(2)).replace("greeter", "both"),
                        key(ts(3)).replace("greeter", "both"));
        assertThat(count(Outcome.FROM_BOT)).isEqualTo(1);
    }

    @Test
    void traces_andWhatIsNoMessage_areLeftOut() throws Exception {
        slack.write(ts(1), "This message was deleted.").put("subtype", "tombstone");
        slack.write(ts(2), "odd").put("subtype", "message_changed");
        slack.write(ts(3), "a file").put("subtype", "file_share");
        var odd = new ArrayList<>(slack.messages);
        slack.next.add(Map.entry(
                200,
                "{\"ok\":true,\"messages\":[7,{\"ts\":7},{\"text\":\"no ts\"}," + odd.get(0) + "," + odd.get(1) + ","
                        + odd.get(2) + "]}"));

        assertThat(backfill().build().fill(CHANNEL, ts(0))).isEqualTo(new SlackBackfill.Filled(1, 0));
    }

    @Test
    void gap_thatBeganBeforeWhatIsRemembered_isRefused() throws Exception {
        var backfill = backfill().build();
        String before = Long.toString(NOW.minus(Duration.ofHours(3)).getEpochSecond() - 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> backfill.fill(CHANNEL, before))
                .withMessageContaining("remembered for PT3H");
        assertThat(slack.asked).isEmpty();

        String just = Long.toString(NOW.minus(Duration.ofHours(3)).getEpochSecond());
        assertThat(backfill.fill(CHANNEL, just)).isEqualTo(new SlackBackfill.Filled(0, 0));
        assertThat(backfill().remembered(Duration.ofDays(1)).build().fill(CHANNEL, before))
                .isEqualTo(new SlackBackfill.Filled(0, 0));
    }

    @Test
    void settings_outOfRange_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> backfill().page(0));
        assertThatIllegalArgumentException().isThrownBy(() -> backfill().page(1000));
        assertThatIllegalArgumentException().isThrownBy(() -> backfill().olderThreads(Duration.ofNanos(-1)));
        assertThatIllegalArgumentException().isThrownBy(() -> backfill().remembered(Duration.ZERO));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> backfill().build().fill(CHANNEL, "yesterday"))
                .withMessage("since is no ts");
    }
}

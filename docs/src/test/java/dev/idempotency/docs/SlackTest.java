package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.slack.api.bolt.App;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.slack.Delivered;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.Handled;
import dev.idempotency.slack.PostedMessage;
import dev.idempotency.slack.SlackBots;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMessage;
import dev.idempotency.slack.SlackMessages;
import dev.idempotency.slack.SlackWebApi;
import dev.idempotency.slack.SlackWorker;
import dev.idempotency.slack.bolt.BoltHandler;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The examples and the tables of the guide on Slack. */
final class SlackTest {
    private static final Markdown PAGE = Markdown.of("docs/slack.md");

    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Idempotency idempotency = Idempotency.on(store);

    /** Everything of an app but its token. */
    @SuppressWarnings("unused")
    private void app(String token, String signingSecret) throws IOException {
        // tag::app[]
        Inbox inbox = Inbox.builder(store.inbox(), "slack")
                .retention(Duration.ofHours(3)) // 26 hours with Delayed Events
                .build();
        SlackIntake intake = SlackIntake.builder(inbox).build();

        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(Executors.newCachedThreadPool()); // the intake bounds what waits
        server.createContext(
                "/slack/events",
                EventsEndpoint.builder(intake)
                        .signingSecrets(signingSecret)
                        .build()
                        .httpHandler());
        server.start();

        SlackWebApi slack = SlackWebApi.builder(token).build();
        Operation<SlackMessage, PostedMessage> post =
                SlackMessages.operation(idempotency, slack, "reply", settings -> settings);

        SlackWorker worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(SlackConsumer.named("greeter")
                        .on("message", "app_mention")
                        .handle((event, context) -> post.execute(new SlackMessage(
                                context.key("reply"),
                                event.channel(),
                                event.threadTs() == null ? event.ts() : event.threadTs(), // the thread's parent
                                "Thank you, noted."))))
                .start();
        // end::app[]
    }

    @SuppressWarnings("unused")
    private Operation<SlackMessage, PostedMessage> reposting(SlackWebApi slack) {
        // tag::repost[]
        var soon = Quiescence.of(Duration.ofMinutes(2), Duration.ofMinutes(1)); // your word for Slack's limits
        return SlackMessages.operation(idempotency, slack, "reply", soon, settings -> settings);
        // end::repost[]
    }

    @SuppressWarnings("unused")
    private void bolt(App app, Inbox inbox) {
        // tag::bolt[]
        BoltHandler bolt = BoltHandler.of(app, idempotency);
        SlackIntake intake =
                SlackIntake.builder(inbox).responding(bolt.answers()).build();
        SlackWorker worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(SlackConsumer.named("bolt").on("*").handle(bolt))
                .start();
        // end::bolt[]
    }

    private SlackConsumer copy(Messages messages) {
        // tag::copy[]
        return SlackConsumer.named("copy")
                .on("message:*")
                .newestOnly()
                .where(event -> event.channel() != null)
                .handle((event, context) ->
                        messages.apply(event, context.version().orElseThrow()));
        // end::copy[]
    }

    /** Where somebody keeps messages. */
    @FunctionalInterface
    private interface Messages {
        void apply(SlackEvent event, EntityVersion version);
    }

    @Test
    void message_deliveredInThreeWays_isHandledOnceByEachConsumer() {
        Queue<String> handled = new ConcurrentLinkedQueue<>();
        Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
        try (var intake = SlackIntake.builder(inbox).build();
                var worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                        .consumer(SlackConsumer.named("greeter")
                                .on("message", "app_mention")
                                .handle((event, context) -> handled.add(context.key("reply"))))
                        .consumer(copy((event, version) -> handled.add("copied " + version.number())))
                        .bots(SlackBots.own())
                        .start()) {
            intake.take(message("Ev1", "message"), Delivered.Transport.HTTP, 0, "");
            intake.take(message("Ev1", "message"), Delivered.Transport.HTTP, 1, "http_timeout");
            intake.take(message("Ev2", "app_mention"), Delivered.Transport.SOCKET, 0, "");
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (!isEmpty(inbox.depth())) {
                assertThat(System.nanoTime()).isLessThan(end);
                LockSupport.parkNanos(1_000_000);
            }
        }

        assertThat(handled).containsExactlyInAnyOrder("greeter:A1:C1:1.000100:reply", "copied 1000100");
    }

    private static boolean isEmpty(InboxDepth depth) {
        return depth.ready() + depth.delayed() + depth.claimed() == 0;
    }

    private static SlackEvent message(String eventId, String type) {
        return SlackEvent.parse(("{\"type\":\"event_callback\",\"api_app_id\":\"A1\",\"team_id\":\"T1\",\"event_id\":\""
                        + eventId + "\",\"event\":{\"type\":\"" + type
                        + "\",\"channel\":\"C1\",\"user\":\"U1\",\"ts\":\"1.000100\",\"event_ts\":\"1.000100\"}}")
                .getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void outcomes_areThoseOfTheTable() {
        assertThat(PAGE.table("Outcome", "What has happened").stream()
                        .map(row -> row.get(0))
                        .toList())
                .containsExactlyElementsOf(
                        Arrays.stream(Handled.Outcome.values()).map(Enum::name).toList());
    }

    @Test
    void rulesAboutBots_areThoseOfTheTable() {
        assertThat(PAGE.table("Rule", "What is dropped").stream()
                        .map(row -> row.get(0))
                        .toList())
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(SlackBots.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .map(method -> method.getName() + "()")
                        .toList());
    }

    @Test
    void fieldsOfEachEvent_areThoseOfTheTable() {
        for (List<String> row :
                PAGE.table("Event", "`channel()` is its", "`user()` is its", "Dropped as the app's own when")) {
            for (String type : row.get(0).replace("`", "").split(", ")) {
                String person = row.get(2).split(", ")[0];
                SlackEvent event = SlackEvent.parse(event(type, row.get(1), person));

                assertThat(event.channel()).as(type).isEqualTo(row.get(1).isEmpty() ? null : "C1");
                assertThat(event.user()).as(type).isEqualTo("U0BOT");
                assertThat(SlackBots.own().test(event))
                        .as(type)
                        .isEqualTo(!row.get(3).startsWith("never"));
            }
        }
    }

    private static byte[] event(String type, String channel, String person) {
        ObjectNode payload = JsonNodeFactory.instance.objectNode().put("type", "event_callback");
        payload.putArray("authorizations").addObject().put("user_id", "U0BOT").put("is_bot", true);
        ObjectNode event = payload.putObject("event").put("type", type);
        if (!channel.isEmpty()) {
            put(event, channel, "C1");
        }
        put(event, person, "U0BOT");
        return payload.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void put(ObjectNode event, String path, String value) {
        String[] names = path.split("\\.");
        (names.length == 1 ? event : event.withObject("/" + names[0])).put(names[names.length - 1], value);
    }
}

package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.slack.api.app_backend.interactive_components.response.Option;
import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.middleware.Middleware;
import com.slack.api.model.block.composition.PlainTextObject;
import com.slack.api.model.event.AppMentionEvent;
import com.slack.api.model.event.MessageChangedEvent;
import com.slack.api.model.event.MessageEvent;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.bolt.BoltHandler;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An app on Bolt behind the inbox hears what it would hear from Slack. */
final class BoltBridgeTest {
    private static final Duration MOMENT = Duration.ofMillis(5);

    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
    private final Idempotency idempotency = Idempotency.on(store);
    private SlackIntake intake = SlackIntake.builder(inbox).build();
    private final Queue<String> heard = new ConcurrentLinkedQueue<>();
    /** Without the middleware that asks Slack who the app is. */
    private final App app = new App(AppConfig.builder().signingSecret("unused").build(), List.<Middleware>of());

    @AfterEach
    void close() {
        intake.close();
        idempotency.close();
    }

    private SlackWorker worker() {
        return worker(BoltHandler.of(app, idempotency));
    }

    private SlackWorker worker(BoltHandler bolt) {
        return SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(SlackConsumer.named("bolt").on("*").handle(bolt))
                .working(work -> work.pollEvery(MOMENT).backoff(IntervalFunction.of(MOMENT)))
                .start();
    }

    private void take(Told... all) {
        for (Told told : all) {
            assertThat(intake.take(told.parsed(), Transport.HTTP, 0, "").isSafe())
                    .isTrue();
        }
    }

    private void settle() {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!isEmpty(inbox.depth())) {
            assertThat(System.nanoTime()).as("all events settled").isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Of one moment: what fails meanwhile goes from one count to another. */
    private static boolean isEmpty(InboxDepth depth) {
        return depth.ready() + depth.delayed() + depth.claimed() == 0;
    }

    private void hearMessagesAndMentions() {
        app.event(MessageEvent.class, (payload, context) -> {
            heard.add("message " + payload.getEvent().getTs());
            return context.ack();
        });
        app.event(AppMentionEvent.class, (payload, context) -> {
            heard.add("mention " + payload.getEvent().getTs());
            return context.ack();
        });
    }

    /** Both are told of one message: docs.slack.dev/reference/events/app_mention. */
    @Test
    void message_thatMentionsTheApp_runsBothHandlersOnceEach() {
        hearMessagesAndMentions();
        for (int i = 100; i < 200; i++) {
            take(
                    Told.message("EvM" + i, "1.000" + i).with("client_msg_id", "c-" + i),
                    Told.mention("EvA" + i, "1.000" + i).with("client_msg_id", "c-" + i));
        }

        try (var worker = worker()) {
            settle();
            take(Told.mention("EvA100", "1.000100"), Told.mention("EvAgain", "1.000100"));
            settle();
        }

        assertThat(heard).hasSize(200).doesNotHaveDuplicates();
    }

    @Test
    void app_thatHearsOfMentionsOnly_missesNone() {
        app.event(AppMentionEvent.class, (payload, context) -> {
            heard.add(payload.getEvent().getTs());
            return context.ack();
        });
        app.config().setAllEventsApiAutoAckEnabled(true);

        try (var worker = worker()) {
            take(Told.message("Ev1", "1.000100"));
            settle();
            take(Told.mention("Ev2", "1.000100"));
            settle();
        }

        assertThat(heard).containsExactly("1.000100");
    }

    @Test
    void edit_thatAddsTheMention_runsTheMentionHandler() {
        hearMessagesAndMentions();
        app.event(MessageChangedEvent.class, (payload, context) -> {
            heard.add("edit " + payload.getEvent().getMessage().getTs());
            return context.ack();
        });

        try (var worker = worker()) {
            take(Told.message("Ev1", "1.000100"));
            settle();
            take(Told.edit("Ev2", "1.000100", "2.000200", "with a mention"));
            settle();
            take(Told.mention("Ev3", "1.000100").with("event_ts", "2.000200"));
            settle();
        }

        assertThat(heard).containsExactly("message 1.000100", "edit 1.000100", "mention 1.000100");
    }

    @Test
    void message_whoseUnfurlWasHandledFirst_runsItsHandler() {
        hearMessagesAndMentions();
        app.event(MessageChangedEvent.class, (payload, context) -> context.ack());

        try (var worker = worker()) {
            take(Told.edit("Ev2", "1.000100", "1.000300", "with its unfurl"));
            settle();
            take(Told.message("Ev1", "1.000100"));
            settle();
        }

        assertThat(heard).containsExactly("message 1.000100");
    }

    /** docs.slack.dev/reference/events/message/message_replied, "Bug alert". */
    @Test
    void replyToAThread_withoutItsSubtype_isNotHandledAsAMessage_andIsNoDeadLetter() {
        hearMessagesAndMentions();
        Told replied = Told.event("Ev1", "message")
                .with("channel", "C0GENERAL")
                .with("ts", "2.000200")
                .with("event_ts", "2.000200");
        replied.inner()
                .put("hidden", true)
                .putObject("message")
                .put("user", "U1")
                .put("text", "parent");

        try (var worker = worker()) {
            take(replied);
            settle();
        }

        assertThat(heard).isEmpty();
        assertThat(store.inbox().deadLetters("slack", null, 10)).isEmpty();
    }

    @Test
    void message_thatFailedBeforeItsUnfurl_isHandledByItsRetry() {
        var attempts = new AtomicInteger();
        app.event(MessageEvent.class, (payload, context) -> {
            if (attempts.incrementAndGet() < 3) {
                throw new IllegalStateException("not yet");
            }
            heard.add(payload.getEvent().getTs());
            return context.ack();
        });
        app.event(MessageChangedEvent.class, (payload, context) -> context.ack());

        try (var worker = worker()) {
            take(Told.message("Ev1", "1.000100"), Told.edit("Ev2", "1.000100", "1.000300", "with its unfurl"));
            settle();
        }

        assertThat(heard).containsExactly("1.000100");
    }

    private BoltHandler answering(Duration budget) {
        BoltHandler bolt = BoltHandler.of(app, idempotency);
        intake.close();
        intake = SlackIntake.builder(inbox)
                .budget(budget)
                .responding(bolt.answers())
                .build();
        return bolt;
    }

    /** What Slack gets for a form, which it waits for. */
    private String answer(ObjectNode payload) {
        SlackResponse response = EventsEndpoint.builder(intake)
                .signingSecrets(Requests.SECRET)
                .clock(Requests.CLOCK)
                .build()
                .handle(Requests.form(form(payload)));
        assertThat(response.status()).isEqualTo(200);
        return response.body();
    }

    /** A command is a form, an interaction is one field of a form. */
    private static String form(ObjectNode payload) {
        if (!payload.has("command")) {
            return "payload=" + URLEncoder.encode(payload.toString(), StandardCharsets.UTF_8);
        }
        return payload.properties().stream()
                .map(field -> field.getKey() + "="
                        + URLEncoder.encode(field.getValue().asText(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }

    /** docs.slack.dev/surfaces/modals: response_action "errors" keeps the view open. */
    @Test
    void modal_withErrors_staysOpen_andItsHandlerRunsOnceForEachSubmission() {
        app.viewSubmission("booking", (request, context) -> {
            heard.add(BoltHandler.key(context, "booking"));
            return context.ackWithErrors(Map.of("date", "is over"));
        });
        BoltHandler bolt = answering(Duration.ofMillis(2_900));
        String errors = "{\"response_action\":\"errors\",\"errors\":{\"date\":\"is over\"}}";

        try (var worker = worker(bolt)) {
            assertThat(answer(Fixtures.json("view_submission"))).isEqualTo(errors);
            assertThat(answer(Fixtures.json("view_submission")))
                    .as("to a duplicate")
                    .isEqualTo(errors);
            settle();
            assertThat(heard).hasSize(1);
            assertThat(answer(Fixtures.json("view_submission").put("trigger_id", "1.2.again")))
                    .as("to the next submission of the same view")
                    .isEqualTo(errors);
            settle();
        }

        assertThat(heard).hasSize(2).doesNotHaveDuplicates();
    }

    /** docs.slack.dev/interactivity/implementing-slash-commands: the answer is a message to who gave the command. */
    @Test
    void command_isAnsweredWithItsText() {
        app.command("/book", (request, context) -> {
            heard.add("run");
            return context.ack("Hi");
        });
        BoltHandler bolt = answering(Duration.ofMillis(2_900));
        var command = Fixtures.json("slash_command").put("command", "/book");

        try (var worker = worker(bolt)) {
            assertThat(answer(command)).contains("\"text\":\"Hi\"");
            settle();
        }

        assertThat(heard).hasSize(1);
    }

    /** docs.slack.dev/reference/block-kit/block-elements/select-menu-element: external data sources. */
    @Test
    void menu_getsItsOptions_eachTimeItAsks() {
        var asked = new AtomicInteger();
        app.blockSuggestion("city", (request, context) -> {
            String city = "city " + asked.incrementAndGet();
            return context.ack(answer -> answer.options(List.of(Option.builder()
                    .text(PlainTextObject.builder().text(city).build())
                    .value("1")
                    .build())));
        });
        BoltHandler bolt = answering(Duration.ofMillis(2_900));
        ObjectNode suggestion = SlackEvent.JSON
                .createObjectNode()
                .put("type", "block_suggestion")
                .put("action_id", "city")
                .put("block_id", "b")
                .put("value", "par")
                .put("api_app_id", "A1");
        suggestion.putObject("team").put("id", "T1");
        suggestion.putObject("user").put("id", "U1");

        try (var worker = worker(bolt)) {
            assertThat(answer(suggestion)).contains("city 1");
            assertThat(answer(suggestion)).contains("city 2");
            settle();
        }

        assertThat(asked).hasValue(2);
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void handler_thatIsSlowerThanTheBudget_isAcknowledgedInTime_andRunsOnce() {
        var mayEnd = new CountDownLatch(1);
        app.command("/book", (request, context) -> {
            heard.add("run");
            return await(mayEnd) ? context.ack("too late") : context.ack();
        });
        BoltHandler bolt = answering(Duration.ofMillis(200));
        var command = Fixtures.json("slash_command").put("command", "/book");

        try (var worker = worker(bolt)) {
            assertThat(answer(command)).isEmpty();
            mayEnd.countDown();
            settle();
        }

        assertThat(heard).hasSize(1);
    }

    @Test
    void handler_thatFailedWhileSlackWaited_runsAgainInTheWorkerUnderTheSameKey() {
        app.command("/book", (request, context) -> {
            heard.add(BoltHandler.key(context, "booking"));
            if (heard.size() == 1) {
                throw new IOException("not yet");
            }
            return context.ack();
        });
        BoltHandler bolt = answering(Duration.ofMillis(2_900));

        assertThat(answer(Fixtures.json("slash_command").put("command", "/book")))
                .isEmpty();
        try (var worker = worker(bolt)) {
            settle();
        }

        assertThat(heard).hasSize(2).containsOnly(heard.peek());
        assertThat(store.inbox().deadLetters("slack", null, 10)).isEmpty();
    }
}

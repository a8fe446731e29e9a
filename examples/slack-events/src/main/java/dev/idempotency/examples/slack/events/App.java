package dev.idempotency.examples.slack.events;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.Delivered;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.HandlerContext;
import dev.idempotency.slack.PostedMessage;
import dev.idempotency.slack.SlackBots;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMessage;
import dev.idempotency.slack.SlackMessages;
import dev.idempotency.slack.SlackWebApi;
import dev.idempotency.slack.SlackWorker;
import dev.idempotency.slack.Taken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

/** The app with the library: this is what a reader would copy. */
final class App implements AutoCloseable {
    private static final long SPILL_BYTES = 256L << 20;
    private static final int WARM_UPS = 50;

    /** An event that no consumer hears of. */
    static final String HARMLESS =
            "{\"type\":\"event_callback\",\"event_id\":\"warm-up\",\"event\":{\"type\":\"warm_up\"}}";

    /** Half a second less than the default: a busy machine may take it to send the answer. */
    private static final Duration BUDGET = Duration.ofSeconds(2);

    private static final Duration SHORT_LEASE = Duration.ofSeconds(3);
    private static final Duration AT_ONCE = Duration.ofMillis(200);

    /** From the last look at the lease to the first byte sent: a connection, and some time for a busy machine. */
    private static final Duration PAUSE = Duration.ofSeconds(6);

    private final AppSettings settings;
    private final Idempotency idempotency;
    private final SlackIntake intake;
    private final Operation<SlackMessage, PostedMessage> post;
    private final SlackWorker worker;
    private final WebServer server;

    private App(AppSettings settings, OpenStore store) throws IOException {
        this.settings = settings;
        Inbox inbox = Inbox.builder(settings.halt().on(store.inbox()), "slack")
                .retention(Duration.ofHours(3))
                .build();
        SlackIntake.Builder intaking = SlackIntake.builder(inbox).budget(BUDGET).listener(settings.halt());
        if (settings.spill() != null) {
            intaking.spill(settings.spill(), SPILL_BYTES);
        }
        intake = intaking.build();
        idempotency = Idempotency.builder(store.records()).build();
        var slack = SlackWebApi.builder(settings.botToken())
                .url(settings.slackApi())
                .perMinute("chat.postMessage", settings.perMinute(300))
                .perMinute("conversations.replies", settings.perMinute(50))
                .perMinutePerChannel(settings.perMinute(60))
                .listener(settings.halt())
                .build();
        post = SlackMessages.operation(
                idempotency,
                slack,
                "greeting",
                quiescence(settings),
                // A post in doubt keeps no worker: the inbox comes back to it.
                operation -> (settings.isSimulated() ? operation.lease(SHORT_LEASE) : operation).waitAtMost(AT_ONCE));
        SlackWorker.Builder working = SlackWorker.builder(inbox, idempotency, store.guard())
                .bots(SlackBots.all())
                .consumer(SlackConsumer.named("greeter")
                        .on("message", "message:file_share", "message:thread_broadcast", "app_mention")
                        .handle(settings.halt().on(this::reply)))
                .working(inboxWorker -> inboxWorker.concurrency(AppSettings.WORKERS));
        if (settings.isSimulated()) {
            working.lease(SHORT_LEASE);
        }
        warmUp();
        worker = working.start();
        server = WebServer.start(
                settings.port(),
                settings.halt()
                        .on(EventsEndpoint.builder(intake)
                                .signingSecrets(settings.signingSecret())
                                .build()
                                .httpHandler()));
    }

    /** Loads classes and makes connections, before Slack's time runs. */
    private void warmUp() {
        var event = SlackEvent.parse(HARMLESS.getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < WARM_UPS; i++) {
            Taken unused = intake.take(event, Delivered.Transport.HTTP, 0, "");
        }
    }

    static App start(AppSettings settings, OpenStore store) throws IOException {
        return new App(settings, store);
    }

    /**
     * After how long a post counts as not made that Slack does not show. Slack says nothing about it: this is the word of whoever
     * runs this app. The simulated one acts at once, and shows what it has after a fifth of a second.
     */
    private static Quiescence quiescence(AppSettings settings) {
        Duration bound = settings.isSimulated() ? Duration.ofSeconds(1) : Duration.ofSeconds(15);
        return Quiescence.of(bound, bound).withPause(PAUSE).withClockError(Duration.ofSeconds(1));
    }

    /** May run again for the same message: whatever it posts has the message's key. */
    private void reply(SlackEvent event, HandlerContext context) throws Exception {
        String ts = Objects.requireNonNull(event.ts());
        String text = event.event().path("text").asText();
        settings.think(text);
        PostedMessage unused = post.execute(new SlackMessage(
                context.key("reply"),
                Objects.requireNonNull(event.channel()),
                Objects.requireNonNullElse(event.threadTs(), ts),
                "Noted: " + text));
    }

    int port() {
        return server.port();
    }

    /** Takes nothing more, and ends what was begun. */
    @Override
    public void close() {
        server.close();
        worker.close();
        intake.close();
        idempotency.close();
    }
}

package dev.idempotency.examples.slack.socket;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
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
import dev.idempotency.slack.SocketModeClient;
import dev.idempotency.slack.SocketState;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;

/** The app with the library: this is what a reader would copy. */
final class App implements AutoCloseable {
    private static final Duration SHORT_LEASE = Duration.ofSeconds(3);
    private static final int FAST = 60;

    /** From the last look at the lease to the first byte sent: a connection, and some time for a busy machine. */
    private static final Duration PAUSE = Duration.ofSeconds(6);

    /**
     * How the app runs.
     *
     * @param slackApi Slack's Web API
     * @param appToken opens connections
     * @param botToken posts
     * @param connections how many serve at once
     * @param isSimulated whether Slack is: then its minutes are short, and so are leases and pings
     */
    record Settings(URI slackApi, String appToken, String botToken, int connections, boolean isSimulated) {
        int perMinute(int calls) {
            return isSimulated ? calls * FAST : calls;
        }
    }

    private final Idempotency idempotency;
    private final SlackIntake intake;
    private final Operation<SlackMessage, PostedMessage> post;
    private final SlackWorker worker;
    private final SocketModeClient client;

    private App(Settings settings, Store store) {
        Inbox inbox = Inbox.builder(store.inbox(), "slack")
                .retention(Duration.ofHours(3))
                .build();
        intake = SlackIntake.builder(inbox).build();
        idempotency = Idempotency.builder(store.records()).build();
        var slack = SlackWebApi.builder(settings.botToken())
                .url(settings.slackApi())
                .perMinute("chat.postMessage", settings.perMinute(300))
                .perMinute("conversations.replies", settings.perMinute(50))
                .perMinutePerChannel(settings.perMinute(60))
                .build();
        post = SlackMessages.operation(
                idempotency,
                slack,
                "greeting",
                quiescence(settings),
                operation -> settings.isSimulated() ? operation.lease(SHORT_LEASE) : operation);
        SlackWorker.Builder working = SlackWorker.builder(inbox, idempotency, store.guard())
                .bots(SlackBots.all())
                .consumer(SlackConsumer.named("greeter")
                        .on("message", "message:file_share", "message:thread_broadcast", "app_mention")
                        .handle(this::reply));
        SocketModeClient.Builder connecting = SocketModeClient.builder(intake, settings.appToken())
                .apiUrl(settings.slackApi())
                .connections(settings.connections());
        if (settings.isSimulated()) {
            working.lease(SHORT_LEASE);
            connecting.ping(Duration.ofSeconds(1), Duration.ofSeconds(2));
        }
        if (!"slack.com".equals(settings.slackApi().getHost())) {
            // Whoever stands in for Slack replaces connections far more often than its limit is made for.
            connecting.opens(100, Duration.ofMillis(100));
        }
        // Connects to the store, before Slack's time runs.
        InboxDepth unused = inbox.depth();
        worker = working.start();
        client = connecting.start();
    }

    static App start(Settings settings, Store store) {
        return new App(settings, store);
    }

    /**
     * After how long a post counts as not made that Slack does not show. Slack says nothing about it: this is the word of whoever
     * runs this app. The simulated one acts at once, and shows what it has after a fifth of a second.
     */
    private static Quiescence quiescence(Settings settings) {
        Duration bound = settings.isSimulated() ? Duration.ofSeconds(1) : Duration.ofSeconds(15);
        return Quiescence.of(bound, bound).withPause(PAUSE).withClockError(Duration.ofSeconds(1));
    }

    /** May run again for the same message: whatever it posts has the message's key. */
    private void reply(SlackEvent event, HandlerContext context) throws Exception {
        String ts = Objects.requireNonNull(event.ts());
        PostedMessage unused = post.execute(new SlackMessage(
                context.key("reply"),
                Objects.requireNonNull(event.channel()),
                Objects.requireNonNullElse(event.threadTs(), ts),
                "Noted: " + event.event().path("text").asText()));
    }

    SocketState state() {
        return client.state();
    }

    /** Takes nothing more, and ends what was begun. */
    @Override
    public void close() {
        client.close();
        worker.close();
        intake.close();
        idempotency.close();
    }
}

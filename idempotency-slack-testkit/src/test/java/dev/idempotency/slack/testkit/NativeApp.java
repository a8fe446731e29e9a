package dev.idempotency.slack.testkit;

import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
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
import dev.idempotency.slack.SocketModeClient;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** An app on this project's consumer, with one mistake in its handler or none. */
final class NativeApp implements AutoCloseable {
    private static final int MANY = 100_000;
    private static final int TRIES = 3;

    private final Mistake mistake;
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Idempotency idempotency = Idempotency.on(store);
    private final Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
    private final SlackIntake intake = SlackIntake.builder(inbox).build();
    private final Operation<SlackMessage, PostedMessage> post;
    private final SlackWorker worker;
    private final URI apiUrl;
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private @Nullable HttpServer server;
    private @Nullable SocketModeClient sockets;

    NativeApp(Mistake mistake, URI apiUrl) {
        this.mistake = mistake;
        this.apiUrl = apiUrl;
        var slack = SlackWebApi.builder(SlackSimulator.BOT_TOKEN)
                .url(apiUrl)
                .perMinute("chat.postMessage", MANY)
                .perMinute("conversations.replies", MANY)
                .perMinutePerChannel(MANY)
                .build();
        post = SlackMessages.operation(idempotency, slack, "reply", settings -> settings);
        worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .bots(SlackBots.all())
                .consumer(SlackConsumer.named("greeter")
                        .on("message", "message:file_share", "message:thread_broadcast", "app_mention")
                        .handle(this::handle))
                .working(work -> work.pollEvery(Duration.ofMillis(20))
                        .concurrency(8)
                        .backoff(IntervalFunction.of(Duration.ofMillis(250))))
                .start();
    }

    URI listen(String signingSecret) throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(pool);
        http.createContext(
                "/slack/events",
                EventsEndpoint.builder(intake)
                        .signingSecrets(signingSecret)
                        .build()
                        .httpHandler());
        http.start();
        server = http;
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/slack/events");
    }

    void connect() {
        sockets = SocketModeClient.builder(intake, SlackSimulator.APP_TOKEN)
                .apiUrl(apiUrl)
                .connections(2)
                .ping(Duration.ofSeconds(1), Duration.ofSeconds(2))
                .opens(MANY, Duration.ofMillis(100))
                .start();
    }

    private void handle(SlackEvent event, HandlerContext context) throws Exception {
        String text = event.event().path("text").asText();
        String channel = Objects.requireNonNull(event.channel());
        String thread = Objects.requireNonNullElse(event.threadTs(), Objects.requireNonNull(event.ts()));
        String key = context.key("reply");
        String reply = "Noted: " + text;
        switch (mistake) {
            case LOSES -> {
                if (!mistake.strikes(text)) {
                    post(key, channel, thread, reply);
                }
            }
            case HANDLES_TWICE -> {
                post(key + UUID.randomUUID(), channel, thread, reply);
                post(key + UUID.randomUUID(), channel, thread, reply);
            }
            case POSTS_AGAIN -> {
                for (int i = 0; i < TRIES; i++) {
                    try {
                        post(key + i, channel, thread, reply);
                        return;
                    } catch (RuntimeException e) {
                        // Perhaps it was posted.
                    }
                }
            }
            default -> post(key, channel, thread, reply);
        }
    }

    private void post(String key, String channel, String thread, String text) throws Exception {
        PostedMessage unused = post.execute(new SlackMessage(key, channel, thread, text));
    }

    @Override
    public void close() {
        if (server != null) {
            server.stop(0);
        }
        if (sockets != null) {
            sockets.close();
        }
        worker.close();
        intake.close();
        idempotency.close();
        pool.shutdownNow();
    }
}

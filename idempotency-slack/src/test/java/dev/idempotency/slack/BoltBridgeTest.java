package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.middleware.Middleware;
import com.slack.api.model.event.AppMentionEvent;
import com.slack.api.model.event.MessageChangedEvent;
import com.slack.api.model.event.MessageEvent;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.bolt.BoltHandler;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An app on Bolt behind the inbox hears what it would hear from Slack. */
final class BoltBridgeTest {
    private static final Duration MOMENT = Duration.ofMillis(5);

    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
    private final Idempotency idempotency = Idempotency.on(store);
    private final SlackIntake intake = SlackIntake.builder(inbox).build();
    private final Queue<String> heard = new ConcurrentLinkedQueue<>();
    /** Without the middleware that asks Slack who the app is. */
    private final App app = new App(AppConfig.builder().signingSecret("unused").build(), List.<Middleware>of());

    @AfterEach
    void close() {
        intake.close();
        idempotency.close();
    }

    private SlackWorker worker() {
        return SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(SlackConsumer.named("bolt").on("*").handle(BoltHandler.of(app)))
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
        while (inbox.depth().ready() + inbox.depth().delayed() + inbox.depth().claimed() > 0) {
            assertThat(System.nanoTime()).as("all events settled").isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
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
}

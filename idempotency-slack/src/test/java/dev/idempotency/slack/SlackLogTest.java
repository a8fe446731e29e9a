package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.Delivered.Transport;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;

/** What somebody finds in the log who looks for the reason. */
@Isolated
final class SlackLogTest {
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger("dev.idempotency.slack");
    private final Level before = logger.getLevel();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getLevel() + " " + event.getFormattedMessage());
        }
    };

    @BeforeEach
    void listen() {
        appender.start();
        logger.setLevel(Level.INFO);
        logger.addAppender(appender);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(appender);
        logger.setLevel(before);
    }

    @Test
    void deadLetter_hasItsReasonInTheLog() {
        var store = CaffeineIdempotencyStore.create();
        Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
        try (var idempotency = Idempotency.on(store);
                var intake = SlackIntake.builder(inbox).build();
                var worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                        .consumer(SlackConsumer.named("greeter").on("message").handle((event, context) -> {
                            throw new IllegalStateException("wrapped", new IllegalArgumentException("the very reason"));
                        }))
                        .working(work -> work.attempts(1))
                        .start()) {
            intake.take(Told.message("Ev1", "1.000100").parsed(), Transport.HTTP, 0, "");
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (store.inbox().deadLetters("slack", null, 1).isEmpty()) {
                assertThat(System.nanoTime()).isLessThan(end);
                LockSupport.parkNanos(1_000_000);
            }
        }

        assertThat(lines)
                .filteredOn(line -> line.startsWith("WARN Consumer greeter failed at A0HOME:Ev1: "))
                .singleElement()
                .asString()
                .contains("the very reason");
    }

    @Test
    void refusedSignatures_areInTheLog_onceAMinuteAndWithoutWhatTheySay() {
        var store = CaffeineIdempotencyStore.create();
        try (var intake = SlackIntake.builder(
                        Inbox.builder(store.inbox(), "slack").build())
                .build()) {
            var endpoint = EventsEndpoint.builder(intake)
                    .signingSecrets(Requests.SECRET)
                    .build();
            for (int i = 0; i < 100; i++) {
                var headers = Map.of("X-Slack-Signature", List.of("v0=secret"));
                assertThat(endpoint.handle(new SlackRequest(
                                        "POST", headers, new ByteArrayInputStream("secret".getBytes())))
                                .status())
                        .isEqualTo(401);
            }
        }

        assertThat(lines)
                .filteredOn(line -> line.contains("401"))
                .singleElement()
                .asString()
                .startsWith("WARN ")
                .contains("UNSIGNED")
                .doesNotContain("v0=secret");
    }

    @Test
    void attempts_thatCouldNeverBeMade_areSaidWhenTheCallerIsBuilt() {
        SlackWebApi.builder("xoxb-test")
                .attempts(3)
                .waitAtMost(Duration.ofSeconds(10))
                .build();
        assertThat(lines).singleElement().asString().startsWith("WARN attempts is 3, but waitAtMost is PT10S");

        SlackWebApi.builder("xoxb-test")
                .attempts(3)
                .waitAtMost(Duration.ofMinutes(2))
                .build();
        SlackWebApi.builder("xoxb-test")
                .attempts(1)
                .waitAtMost(Duration.ofSeconds(1))
                .build();
        SlackWebApi.builder("xoxb-test").build();
        assertThat(lines).hasSize(1);
    }
}

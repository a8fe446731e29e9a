package dev.idempotency.docs;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.metrics.InboxMetrics;
import dev.idempotency.slack.Called;
import dev.idempotency.slack.Delivered;
import dev.idempotency.slack.Handled;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMetrics;
import dev.idempotency.slack.SocketEvent;
import dev.idempotency.slack.SocketModeClient;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** Everything that an inbox and {@code idempotency-slack} can tell their metrics of. */
final class MeasuredSlack {
    private static final Duration SOME = Duration.ofMillis(20);

    private MeasuredSlack() {}

    /** Measures in a registry. */
    static void in(MeterRegistry registry) {
        var store = CaffeineIdempotencyStore.create();
        var metrics = SlackMetrics.create();
        try (var ofInbox = InboxMetrics.of(store.inbox(), "slack");
                var intake = SlackIntake.builder(Inbox.builder(store.inbox(), "slack")
                                .listener(ofInbox)
                                .build())
                        .listener(metrics)
                        .build();
                var client = SocketModeClient.builder(intake, "xapp-none")
                        .apiUrl(URI.create("http://127.0.0.1:1/"))
                        .start()) {
            ofInbox.bindTo(registry);
            metrics.bindTo(registry);
            metrics.bind(intake);
            metrics.bind(client);
        }
        deliveries(metrics);
        for (Handled.Outcome outcome : Handled.Outcome.values()) {
            metrics.onHandled(new Handled("greeter", "message", outcome, SOME));
        }
        for (Called.Outcome outcome : Called.Outcome.values()) {
            metrics.onCalled(new Called("chat.postMessage", outcome, SOME, SOME));
        }
        for (SocketEvent.Type type : SocketEvent.Type.values()) {
            metrics.onSocket(new SocketEvent(type, 1, SocketEvent.Reason.NONE, SOME, ""));
        }
        for (SocketEvent.Reason reason : SocketEvent.Reason.values()) {
            metrics.onSocket(new SocketEvent(SocketEvent.Type.OPENING, 1, reason, SOME, ""));
        }
    }

    private static void deliveries(SlackMetrics metrics) {
        for (Delivered.Transport transport : Delivered.Transport.values()) {
            for (Delivered.Verdict verdict : Delivered.Verdict.values()) {
                for (int status : List.of(0, 200, 401, 503)) {
                    metrics.onDelivered(new Delivered(transport, verdict, status, "message", 0, "", SOME, SOME));
                }
            }
        }
        for (int retry = 1; retry <= 4; retry++) {
            retried(metrics, retry, "http_timeout");
        }
        for (String reason : List.of(
                "too_many_redirects",
                "connection_failed",
                "ssl_error",
                "http_error",
                "unknown_error",
                "timeout",
                "something new")) {
            retried(metrics, 1, reason);
        }
    }

    private static void retried(SlackMetrics metrics, int number, String reason) {
        metrics.onDelivered(new Delivered(
                Delivered.Transport.HTTP,
                Delivered.Verdict.DUPLICATE,
                200,
                "message",
                number,
                reason,
                SOME,
                Duration.ZERO));
    }
}

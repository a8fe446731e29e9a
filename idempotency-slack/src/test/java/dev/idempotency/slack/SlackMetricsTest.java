package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Delivered.Verdict;
import dev.idempotency.slack.Handled.Outcome;
import dev.idempotency.store.StoreException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SlackMetricsTest {
    private long nanos = Duration.ofDays(1).toNanos();
    private final SlackMetrics metrics = new SlackMetrics(() -> nanos);
    private final MeterRegistry registry = new SimpleMeterRegistry();

    SlackMetricsTest() {
        metrics.bindTo(registry);
    }

    private double counter(String meter, String... tags) {
        return registry.get("idempotency.slack." + meter).tags(tags).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private long timer(String meter, String... tags) {
        return registry.get("idempotency.slack." + meter).tags(tags).timers().stream()
                .mapToLong(Timer::count)
                .sum();
    }

    private double gauge(String meter, String... tags) {
        return registry.get("idempotency.slack." + meter).tags(tags).gauge().value();
    }

    private static Delivered delivered(Transport transport, Verdict verdict, int status, Duration took) {
        return new Delivered(transport, verdict, status, "message", 0, "", took, Duration.ZERO);
    }

    private void deliver(Verdict verdict, int status, long millis) {
        metrics.onDelivered(delivered(Transport.HTTP, verdict, status, Duration.ofMillis(millis)));
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void deliveries_areTimedByTransportVerdictAndStatus_inSlacksBuckets() {
        deliver(Verdict.ACCEPTED, 200, 499);
        deliver(Verdict.ACCEPTED, 200, 700);
        deliver(Verdict.SHED, 503, 2400);
        metrics.onDelivered(delivered(Transport.SOCKET, Verdict.FAILED, 0, Duration.ofSeconds(4)));

        assertThat(timer("deliveries", "transport", "http", "verdict", "accepted", "status", "2xx"))
                .isEqualTo(2);
        assertThat(timer("deliveries", "transport", "http", "verdict", "shed", "status", "5xx"))
                .isEqualTo(1);
        assertThat(timer("deliveries", "transport", "socket", "verdict", "failed", "status", "none"))
                .isEqualTo(1);
        var buckets = registry.get("idempotency.slack.deliveries")
                .tags("verdict", "accepted")
                .timer()
                .takeSnapshot()
                .histogramCounts();
        assertThat(buckets)
                .extracting(bucket -> bucket.bucket(TimeUnit.MILLISECONDS) + " " + bucket.count())
                .containsExactly("500.0 1.0", "1000.0 2.0", "2500.0 2.0", "3000.0 2.0");
    }

    @Test
    void retries_areCountedByNumberAndKnownReason() {
        for (String[] retry : new String[][] {
            {"0", ""}, {"1", "http_timeout"}, {"3", "http_error"}, {"4", "because I like to"}, {"-1", "timeout"}
        }) {
            metrics.onDelivered(new Delivered(
                    Transport.HTTP,
                    Verdict.DUPLICATE,
                    200,
                    "message",
                    Integer.parseInt(retry[0]),
                    retry[1],
                    Duration.ZERO,
                    Duration.ZERO));
        }
        metrics.onDelivered(
                new Delivered(Transport.HTTP, Verdict.FORGED, 401, "", 2, "http_error", Duration.ZERO, Duration.ZERO));

        assertThat(counter("retries", "number", "0", "reason", "none")).isEqualTo(1);
        assertThat(counter("retries", "number", "1", "reason", "http_timeout")).isEqualTo(1);
        assertThat(counter("retries", "number", "3", "reason", "http_error")).isEqualTo(1);
        assertThat(counter("retries", "number", "more", "reason", "other")).isEqualTo(1);
        assertThat(counter("retries", "number", "0", "reason", "timeout")).isEqualTo(1);
        assertThat(counter("retries")).as("what a forger says does not count").isEqualTo(5);
    }

    @Test
    void lateness_isTimedWhereSlackSaysWhen() {
        deliver(Verdict.ACCEPTED, 200, 1);
        metrics.onDelivered(new Delivered(
                Transport.HTTP, Verdict.ACCEPTED, 200, "message", 0, "", Duration.ZERO, Duration.ofSeconds(42)));

        var late = registry.get("idempotency.slack.lateness")
                .tag("transport", "http")
                .timer();
        assertThat(late.count()).isEqualTo(1);
        assertThat(late.max(TimeUnit.SECONDS)).isEqualTo(42);
    }

    @Test
    void duplicates_areCountedByLayer() {
        deliver(Verdict.DUPLICATE, 200, 1);
        for (Outcome outcome : List.of(Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.DUPLICATE_ACT, Outcome.HANDLED)) {
            metrics.onHandled(new Handled("greeter", "message", outcome, Duration.ZERO));
        }

        assertThat(counter("duplicates", "layer", "1")).isEqualTo(1);
        assertThat(counter("duplicates", "layer", "2")).isEqualTo(2);
        assertThat(counter("duplicates", "layer", "3")).isEqualTo(1);
        assertThat(timer("handled", "consumer", "greeter", "outcome", "handled"))
                .isEqualTo(1);
    }

    @Test
    void rateLimited_isThereBeforeItHappens() {
        assertThat(timer("handled", "consumer", "-", "outcome", "rate_limited")).isZero();

        metrics.onHandled(new Handled("", "app_rate_limited", Outcome.RATE_LIMITED, Duration.ZERO));

        assertThat(timer("handled", "consumer", "-", "outcome", "rate_limited")).isEqualTo(1);
    }

    @Test
    void signatureFailures_areCountedByCause() {
        assertThat(counter("signature.failures", "cause", "forged")).isZero();
        deliver(Verdict.FORGED, 401, 1);
        deliver(Verdict.EXPIRED, 401, 1);
        deliver(Verdict.UNSIGNED, 401, 1);
        deliver(Verdict.UNSIGNED, 401, 1);

        assertThat(counter("signature.failures", "cause", "forged")).isEqualTo(1);
        assertThat(counter("signature.failures", "cause", "expired")).isEqualTo(1);
        assertThat(counter("signature.failures", "cause", "unsigned")).isEqualTo(2);
    }

    @Test
    void failureRatio_isWhatSlackCounts() {
        assertThat(gauge("failure.ratio", "transport", "http")).isNaN();
        assertThat(gauge("hour.deliveries", "transport", "http")).isZero();
        deliver(Verdict.ACCEPTED, 200, 3000);
        deliver(Verdict.DUPLICATE, 200, 1);
        deliver(Verdict.SPILLED, 200, 1);
        assertThat(gauge("failure.ratio", "transport", "http")).isZero();
        assertThat(gauge("hour.deliveries", "transport", "http")).isEqualTo(3);

        // Not Slack's, or no delivery of an event.
        deliver(Verdict.UNSIGNED, 401, 1);
        deliver(Verdict.UNREADABLE, 405, 1);
        deliver(Verdict.TOO_LARGE, 413, 1);
        deliver(Verdict.CHALLENGED, 200, 1);
        assertThat(gauge("hour.deliveries", "transport", "http")).isEqualTo(3);

        metrics.onDelivered(delivered(
                Transport.HTTP, Verdict.ACCEPTED, 200, Duration.ofSeconds(3).plusNanos(1)));
        assertThat(gauge("failure.ratio", "transport", "http")).isEqualTo(0.25);
        deliver(Verdict.SHED, 503, 1);
        deliver(Verdict.FAILED, 503, 1);
        deliver(Verdict.FORGED, 401, 1);
        deliver(Verdict.EXPIRED, 401, 1);
        assertThat(gauge("hour.failures", "transport", "http")).isEqualTo(5);
        assertThat(gauge("failure.ratio", "transport", "http")).isEqualTo(0.625);
        assertThat(gauge("hour.deliveries", "transport", "socket"))
                .as("each transport by itself")
                .isZero();

        nanos += Duration.ofHours(1).toNanos();
        assertThat(gauge("failure.ratio", "transport", "http")).isNaN();
        metrics.onDelivered(delivered(Transport.SOCKET, Verdict.FAILED, 0, Duration.ZERO));
        assertThat(gauge("failure.ratio", "transport", "socket")).isEqualTo(1);
    }

    @Test
    void calls_areTimedByMethodAndOutcome_withWhatLimitsKeptBack() {
        metrics.onCalled(new Called(
                "chat.postMessage", Called.Outcome.RATE_LIMITED, Duration.ofSeconds(2), Duration.ofMillis(90)));
        metrics.onCalled(new Called("chat.postMessage", Called.Outcome.OK, Duration.ofSeconds(7), Duration.ZERO));

        assertThat(timer("calls", "method", "chat.postMessage", "outcome", "rate_limited"))
                .isEqualTo(1);
        assertThat(timer("calls", "method", "chat.postMessage", "outcome", "ok"))
                .isEqualTo(1);
        assertThat(timer("calls", "method", "chat.postMessage", "outcome", "ambiguous"))
                .as("there before it happens")
                .isZero();
        assertThat(registry.get("idempotency.slack.call.waits")
                        .tag("method", "chat.postMessage")
                        .timer()
                        .totalTime(TimeUnit.SECONDS))
                .isEqualTo(9);
    }

    @Test
    void names_areBounded() {
        for (int i = 0; i < 300; i++) {
            metrics.onCalled(new Called("method." + i, Called.Outcome.OK, Duration.ZERO, Duration.ZERO));
            metrics.onHandled(new Handled("consumer-" + i, "message", Outcome.HANDLED, Duration.ZERO));
        }
        metrics.onCalled(new Called("not a method", Called.Outcome.OK, Duration.ZERO, Duration.ZERO));

        assertThat(registry.get("idempotency.slack.call.waits").timers()).hasSize(101);
        assertThat(timer("calls", "method", "other", "outcome", "ok")).isEqualTo(201);
        assertThat(timer("handled", "consumer", "other")).isEqualTo(200);
    }

    @Test
    void sockets_areShownByPhase_onceAClientIsBound() {
        assertThat(registry.find("idempotency.slack.sockets").gauge()).isNull();
        metrics.bind(() -> state(null, SocketState.Phase.LIVE, SocketState.Phase.WAITING_FOR_HELLO));
        metrics.bind(() -> state("link_disabled", SocketState.Phase.LIVE, SocketState.Phase.DRAINING));

        assertThat(gauge("sockets", "phase", "live")).isEqualTo(2);
        assertThat(gauge("sockets", "phase", "waiting_for_hello")).isEqualTo(1);
        assertThat(gauge("sockets", "phase", "draining")).isEqualTo(1);
        assertThat(gauge("sockets", "phase", "connecting")).isZero();
        assertThat(gauge("sockets.stopped")).isEqualTo(1);
        assertThat(counter("socket.events", "type", "ack_failed")).isZero();

        var later = new SimpleMeterRegistry();
        metrics.bindTo(later);
        assertThat(later.get("idempotency.slack.sockets")
                        .tag("phase", "live")
                        .gauge()
                        .value())
                .isEqualTo(2);
    }

    private static SocketState state(String stopped, SocketState.Phase... phases) {
        var connections = java.util.Arrays.stream(phases)
                .map(phase -> new SocketState.Connection(
                        1, phase, phase == SocketState.Phase.LIVE, Duration.ZERO, SocketEvent.Reason.START, 0))
                .toList();
        return new SocketState(connections, stopped, false, 0, 0, 0, 0, 0, 3, Map.of());
    }

    @Test
    void socketEvents_areCountedByTypeAndReason() {
        metrics.onSocket(new SocketEvent(SocketEvent.Type.OPENING, 2, SocketEvent.Reason.WARNING, Duration.ZERO, ""));
        metrics.onSocket(
                new SocketEvent(SocketEvent.Type.LIVE, 2, SocketEvent.Reason.WARNING, Duration.ofMillis(300), ""));
        metrics.onSocket(new SocketEvent(SocketEvent.Type.ACK_FAILED, 1, SocketEvent.Reason.NONE, Duration.ZERO, ""));

        assertThat(counter("socket.events", "type", "opening", "reason", "warning"))
                .isEqualTo(1);
        assertThat(counter("socket.events", "type", "ack_failed", "reason", "none"))
                .isEqualTo(1);
        assertThat(registry.get("idempotency.slack.socket.hellos").timer().totalTime(TimeUnit.MILLISECONDS))
                .isEqualTo(300);
    }

    /** A store that takes nothing. */
    private static InboxStore down() {
        return (InboxStore) Proxy.newProxyInstance(
                InboxStore.class.getClassLoader(), new Class<?>[] {InboxStore.class}, (proxy, method, arguments) -> {
                    throw new StoreException("down", false, null);
                });
    }

    @Test
    void spilledBytes_areShown_onceAnIntakeIsBound(@TempDir Path directory) {
        assertThat(registry.find("idempotency.slack.spilled").gauge()).isNull();
        try (var intake = SlackIntake.builder(Inbox.builder(down(), "slack").build())
                .spill(directory, 1 << 20)
                .build()) {
            metrics.bind(intake);
            assertThat(gauge("spilled")).isZero();

            var event = Told.message("Ev1", "1.000100").parsed();
            assertThat(intake.take(event, Transport.HTTP, 0, "")).isEqualTo(Taken.SPILLED);
            assertThat(gauge("spilled")).isEqualTo(intake.spilledBytes()).isGreaterThan(event.bytes().length);
        }
    }

    private static SlackRequest forged(byte[] body) {
        var headers = Requests.headers(Requests.JSON, "something else".getBytes(StandardCharsets.UTF_8));
        return new SlackRequest("POST", headers, new ByteArrayInputStream(body));
    }

    /** The whole way, with a listener that fails beside: it changes nothing. */
    @Test
    void app_measured_besideAListenerThatFails_worksAsWithoutIt() throws Exception {
        var store = CaffeineIdempotencyStore.create();
        var inbox = Inbox.builder(store.inbox(), "slack").build();
        var failures = new AtomicInteger();
        SlackListener failing = failing(failures);
        var told = Told.message("Ev1", "1.000100");
        try (var slack = new FakeSlack();
                var idempotency = Idempotency.on(store);
                var intake = SlackIntake.builder(inbox)
                        .listener(failing)
                        .listener(metrics)
                        .build()) {
            var endpoint = EventsEndpoint.builder(intake)
                    .signingSecrets(Requests.SECRET)
                    .clock(Requests.CLOCK)
                    .build();
            assertThat(endpoint.handle(Requests.json(told.bytes())).status()).isEqualTo(200);
            assertThat(endpoint.handle(Requests.json(told.bytes())).status()).isEqualTo(200);
            assertThat(endpoint.handle(Requests.json(
                                    Told.mention("Ev2", "1.000100").bytes()))
                            .status())
                    .isEqualTo(200);
            assertThat(endpoint.handle(forged(told.bytes())).status()).isEqualTo(401);
            var api = SlackWebApi.builder("xoxb-test")
                    .url(slack.url())
                    .listener(failing)
                    .listener(metrics)
                    .build();
            try (var worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                    .consumer(SlackConsumer.named("greeter")
                            .on("message", "app_mention")
                            .handle((event, context) ->
                                    api.call("chat.postMessage", Map.of("channel", "C1", "text", "hello"))))
                    .listener(failing)
                    .listener(metrics)
                    .start()) {
                until(() -> registry.find("idempotency.slack.handled").tags("consumer", "greeter").timers().stream()
                                .mapToLong(Timer::count)
                                .sum()
                        == 2);
            }
            assertThat(slack.ledger).hasSize(1);
        }
        assertThat(inbox.depth().dead()).isZero();
        assertThat(failures.get()).isEqualTo(7);

        assertThat(timer("deliveries", "transport", "http", "verdict", "accepted"))
                .isEqualTo(2);
        assertThat(timer("deliveries", "verdict", "duplicate", "status", "2xx")).isEqualTo(1);
        assertThat(timer("deliveries", "verdict", "forged", "status", "4xx")).isEqualTo(1);
        assertThat(counter("signature.failures", "cause", "forged")).isEqualTo(1);
        assertThat(counter("duplicates", "layer", "1")).isEqualTo(1);
        assertThat(counter("duplicates", "layer", "2")).isEqualTo(1);
        assertThat(timer("handled", "consumer", "greeter", "outcome", "handled"))
                .isEqualTo(1);
        assertThat(timer("calls", "method", "chat.postMessage", "outcome", "ok"))
                .isEqualTo(1);
        assertThat(gauge("hour.deliveries", "transport", "http")).isEqualTo(4);
        assertThat(gauge("hour.failures", "transport", "http")).isEqualTo(1);
        assertThat(registry.get("idempotency.slack.lateness").timer().max(TimeUnit.SECONDS))
                .isEqualTo(Requests.NOW - 1_760_000_000);
    }

    private static SlackListener failing(AtomicInteger failures) {
        return (SlackListener) Proxy.newProxyInstance(
                SlackListener.class.getClassLoader(),
                new Class<?>[] {SlackListener.class},
                (proxy, method, arguments) -> {
                    failures.incrementAndGet();
                    throw new IllegalStateException("a listener of mine");
                });
    }

    @Test
    void registryThatFails_changesNothing() {
        registry.config().onMeterAdded(meter -> {
            throw new IllegalStateException("no more meters");
        });
        registry.clear();
        var inbox = Inbox.builder(CaffeineIdempotencyStore.create().inbox(), "slack")
                .build();
        try (var intake = SlackIntake.builder(inbox).listener(metrics).build()) {
            var endpoint = EventsEndpoint.builder(intake)
                    .signingSecrets(Requests.SECRET)
                    .clock(Requests.CLOCK)
                    .build();

            var response = endpoint.handle(
                    Requests.json(Told.message("Ev1", "1.000100").bytes()));

            assertThat(response.status()).isEqualTo(200);
            assertThat(inbox.depth().ready()).isEqualTo(1);
        }
    }

    @Test
    void meters_sayWhatTheyAre() {
        deliver(Verdict.ACCEPTED, 200, 1);
        metrics.onCalled(new Called("auth.test", Called.Outcome.OK, Duration.ZERO, Duration.ZERO));

        assertThat(registry.getMeters())
                .extracting(Meter::getId)
                // Not the gauges that this registry shows buckets by.
                .filteredOn(id -> id.syntheticAssociation() == null)
                .hasSizeGreaterThan(15)
                .allSatisfy(id -> assertThat(id.getDescription()).isNotBlank())
                .allSatisfy(id -> assertThat(id.getName()).startsWith("idempotency.slack."));
    }
}

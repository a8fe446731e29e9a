package dev.idempotency.slack;

import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Delivered.Verdict;
import dev.idempotency.slack.Handled.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The metrics of this module, for Micrometer: give it as listener to the intake, to workers and to callers of the Web API, and bind
 * it to a registry. What each meter says is written down in {@code docs/slack-metrics.md}. Thread-safe.
 *
 * <p>Tags are bounded: never a workspace, a channel, a user or a type of event.
 *
 * @since 0.1.0
 */
public final class SlackMetrics implements SlackListener, MeterBinder {
    /** What Slack counts: an answer that comes later is none. */
    private static final Duration SLACK_WAITS = Duration.ofSeconds(3);

    private static final Duration[] ANSWERS = {
        Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofMillis(2500), SLACK_WAITS
    };
    private static final Duration[] LATE = {
        Duration.ofSeconds(10), Duration.ofMinutes(1), Duration.ofMinutes(10), Duration.ofHours(1), Duration.ofHours(2)
    };

    /** As Slack documents them, and what Socket Mode says. */
    private static final Set<String> REASONS = Set.of(
            "http_timeout",
            "too_many_redirects",
            "connection_failed",
            "ssl_error",
            "http_error",
            "unknown_error",
            "timeout");

    private static final Set<Verdict> FAULTS = Set.of(Verdict.UNSIGNED, Verdict.FORGED, Verdict.EXPIRED);
    private static final List<Outcome> BEFORE_CONSUMERS =
            List.of(Outcome.FROM_BOT, Outcome.LOOP, Outcome.UNROUTED, Outcome.RATE_LIMITED);
    private static final List<SocketEvent.Type> BAD_NEWS = List.of(
            SocketEvent.Type.OPEN_FAILED,
            SocketEvent.Type.ACK_FAILED,
            SocketEvent.Type.ACKED_ELSEWHERE,
            SocketEvent.Type.NOT_ACKED);

    /** No consumer, and no name of one. */
    private static final String NOBODY = "-";

    private static final int MOST_NAMES = 100;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    private final List<MeterRegistry> registries = new CopyOnWriteArrayList<>();
    private final List<SlackIntake> intakes = new CopyOnWriteArrayList<>();
    private final List<Supplier<SocketState>> clients = new CopyOnWriteArrayList<>();
    private final Map<Transport, RollingHour> hours = new EnumMap<>(Transport.class);
    private final Set<String> consumers = new HashSet<>();
    private final Set<String> methods = new HashSet<>();

    SlackMetrics(LongSupplier nanoTime) {
        for (Transport transport : Transport.values()) {
            hours.put(transport, new RollingHour(nanoTime));
        }
    }

    /**
     * Makes the metrics of a process.
     *
     * @return to be given as listener, and bound to a registry
     */
    public static SlackMetrics create() {
        return new SlackMetrics(System::nanoTime);
    }

    /**
     * Registers the meters in a registry. What happened before is not counted there, but for the last hour.
     *
     * @param registry where to; binding to several is fine
     */
    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        // A rate is taken between two values: what begins with its first event would hide that event.
        for (Verdict verdict : List.of(Verdict.SHED, Verdict.FAILED)) {
            deliveries(registry, Transport.HTTP, verdict, 503);
            deliveries(registry, Transport.SOCKET, verdict, 0);
        }
        FAULTS.forEach(fault -> signatureFailures(registry, fault));
        for (int layer = 1; layer <= 3; layer++) {
            duplicates(registry, layer);
        }
        BEFORE_CONSUMERS.forEach(outcome -> handled(registry, NOBODY, outcome));
        hours.forEach((transport, hour) -> {
            Tags tags = Tags.of("transport", word(transport));
            gauge(
                    registry,
                    "idempotency.slack.hour.deliveries",
                    "Deliveries of the last hour that Slack counts",
                    tags,
                    null,
                    () -> hour.counts().deliveries());
            gauge(
                    registry,
                    "idempotency.slack.hour.failures",
                    "Those of them that Slack counts as failed",
                    tags,
                    null,
                    () -> hour.counts().failures());
            gauge(
                    registry,
                    "idempotency.slack.failure.ratio",
                    "Failed deliveries of the last hour, of all",
                    tags,
                    null,
                    () -> hour.counts().ratio());
        });
        if (!intakes.isEmpty()) {
            spilled(registry);
        }
        if (!clients.isEmpty()) {
            sockets(registry);
        }
        registries.add(registry);
    }

    /**
     * Shows how much waits in the spill buffer of an intake.
     *
     * @param intake an intake; of several, the sum is shown
     * @throws NullPointerException if {@code intake} is null
     */
    public synchronized void bind(SlackIntake intake) {
        intakes.add(Objects.requireNonNull(intake, "intake"));
        registries.forEach(this::spilled);
    }

    /**
     * Shows how the connections of a client are.
     *
     * @param client a client; of several, the sum is shown
     * @throws NullPointerException if {@code client} is null
     */
    public void bind(SocketModeClient client) {
        Objects.requireNonNull(client, "client");
        bind(client::state);
    }

    synchronized void bind(Supplier<SocketState> client) {
        clients.add(client);
        registries.forEach(this::sockets);
    }

    private void spilled(MeterRegistry registry) {
        gauge(
                registry,
                "idempotency.slack.spilled",
                "What waits on the disk for the store",
                Tags.empty(),
                "bytes",
                () -> intakes.stream().mapToLong(SlackIntake::spilledBytes).sum());
    }

    private void sockets(MeterRegistry registry) {
        for (SocketState.Phase phase : SocketState.Phase.values()) {
            if (phase != SocketState.Phase.CLOSED) {
                gauge(
                        registry,
                        "idempotency.slack.sockets",
                        "Socket Mode connections",
                        Tags.of("phase", word(phase)),
                        null,
                        () -> connections(phase));
            }
        }
        gauge(
                registry,
                "idempotency.slack.sockets.stopped",
                "Socket Mode clients that wait for a person",
                Tags.empty(),
                null,
                () -> clients.stream()
                        .map(Supplier::get)
                        .filter(state -> state.stopped() != null && !state.closed())
                        .count());
        gauge(
                registry,
                "idempotency.slack.sockets.elsewhere",
                "Socket Mode connections that Slack counts beyond those of this process",
                Tags.empty(),
                null,
                () -> clients.stream()
                        .map(Supplier::get)
                        .mapToInt(SocketState::elsewhere)
                        .max()
                        .orElse(0));
        BAD_NEWS.forEach(type -> socketEvents(registry, type, SocketEvent.Reason.NONE));
    }

    private long connections(SocketState.Phase phase) {
        return clients.stream()
                .flatMap(client -> client.get().connections().stream())
                .filter(connection -> connection.phase() == phase)
                .count();
    }

    private static void gauge(
            MeterRegistry registry,
            String meter,
            String description,
            Tags tags,
            @Nullable String unit,
            Supplier<Number> value) {
        Gauge.builder(meter, value)
                .strongReference(true)
                .description(description)
                .tags(tags)
                .baseUnit(unit)
                .register(registry);
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String bounded(Set<String> known, String name) {
        synchronized (known) {
            boolean isKnown = known.contains(name)
                    || (known.size() < MOST_NAMES && NAME.matcher(name).matches() && known.add(name));
            return isKnown ? name : "other";
        }
    }

    private static Timer deliveries(MeterRegistry registry, Transport transport, Verdict verdict, int status) {
        return Timer.builder("idempotency.slack.deliveries")
                .description("Deliveries, and how long Slack waited for their answer")
                .tags("transport", word(transport), "verdict", word(verdict), "status", statusClass(status))
                .serviceLevelObjectives(ANSWERS)
                .register(registry);
    }

    private static String statusClass(int status) {
        return status >= 100 && status < 600 ? status / 100 + "xx" : "none";
    }

    private static Counter signatureFailures(MeterRegistry registry, Verdict fault) {
        return Counter.builder("idempotency.slack.signature.failures")
                .description("Requests whose signature does not hold")
                .tags("cause", word(fault))
                .register(registry);
    }

    private static Counter duplicates(MeterRegistry registry, int layer) {
        return Counter.builder("idempotency.slack.duplicates")
                .description("What was known again, and by which layer")
                .tags("layer", Integer.toString(layer))
                .register(registry);
    }

    private static Timer handled(MeterRegistry registry, String consumer, Outcome outcome) {
        return Timer.builder("idempotency.slack.handled")
                .description("What became of events, and how long that took")
                .tags("consumer", consumer, "outcome", word(outcome))
                .register(registry);
    }

    private static Counter socketEvents(MeterRegistry registry, SocketEvent.Type type, SocketEvent.Reason reason) {
        return Counter.builder("idempotency.slack.socket.events")
                .description("What happened to Socket Mode connections, and to envelopes")
                .tags("type", word(type), "reason", word(reason))
                .register(registry);
    }

    @Override
    public void onDelivered(Delivered delivered) {
        if (isCounted(delivered)) {
            hour(delivered.transport())
                    .add(!delivered.isSuccess() || delivered.took().compareTo(SLACK_WAITS) > 0);
        }
        for (MeterRegistry registry : registries) {
            deliveries(registry, delivered.transport(), delivered.verdict(), delivered.status())
                    .record(delivered.took());
            if (FAULTS.contains(delivered.verdict())) {
                signatureFailures(registry, delivered.verdict()).increment();
            }
            if (delivered.verdict() == Verdict.DUPLICATE) {
                duplicates(registry, 1).increment();
            }
            if (isSlacks(delivered.verdict())) {
                Counter.builder("idempotency.slack.retries")
                        .description("Deliveries, by what Slack says about repeating itself")
                        .tags("number", number(delivered.retry()), "reason", reason(delivered.retryReason()))
                        .register(registry)
                        .increment();
            }
            if (!delivered.late().isZero()) {
                Timer.builder("idempotency.slack.lateness")
                        .description("How long before its arrival an event was dispatched first")
                        .tags("transport", word(delivered.transport()))
                        .serviceLevelObjectives(LATE)
                        .register(registry)
                        .record(delivered.late());
            }
        }
    }

    private RollingHour hour(Transport transport) {
        return Objects.requireNonNull(hours.get(transport));
    }

    /** Whether it is known to come from Slack. */
    private static boolean isSlacks(Verdict verdict) {
        return switch (verdict) {
            case ACCEPTED, DUPLICATE, SPILLED, MALFORMED, CHALLENGED, SHED, FAILED -> true;
            case UNSIGNED, FORGED, EXPIRED, TOO_LARGE, UNREADABLE -> false;
        };
    }

    /**
     * Whether Slack counts it. With a wrong secret or a wrong clock here, Slack's own requests look forged or expired, and Slack
     * counts those; so they are counted, although somebody else may have sent them.
     */
    private static boolean isCounted(Delivered delivered) {
        return switch (delivered.verdict()) {
            case FORGED, EXPIRED -> true;
            case CHALLENGED -> false;
            default -> delivered.transport() == Transport.SOCKET || isSlacks(delivered.verdict());
        };
    }

    private static String number(int retry) {
        return retry > 3 ? "more" : Integer.toString(Math.max(0, retry));
    }

    private static String reason(String reason) {
        if (reason.isEmpty()) {
            return "none";
        }
        return REASONS.contains(reason) ? reason : "other";
    }

    @Override
    public void onHandled(Handled handled) {
        String consumer = handled.consumer().isEmpty() ? NOBODY : bounded(consumers, handled.consumer());
        for (MeterRegistry registry : registries) {
            handled(registry, consumer, handled.outcome()).record(handled.took());
            if (handled.outcome() == Outcome.DUPLICATE) {
                duplicates(registry, 2).increment();
            } else if (handled.outcome() == Outcome.DUPLICATE_ACT) {
                duplicates(registry, 3).increment();
            }
        }
    }

    @Override
    public void onCalled(Called called) {
        String method = bounded(methods, called.method());
        for (MeterRegistry registry : registries) {
            for (Called.Outcome outcome : Called.Outcome.values()) {
                Timer calls = Timer.builder("idempotency.slack.calls")
                        .description("Calls of Slack's Web API, and how long Slack took")
                        .tags("method", method, "outcome", word(outcome))
                        .register(registry);
                if (outcome == called.outcome()) {
                    calls.record(called.took());
                }
            }
            Timer.builder("idempotency.slack.call.waits")
                    .description("How long calls were kept back by limits")
                    .tags("method", method)
                    .register(registry)
                    .record(called.waited());
        }
    }

    @Override
    public void onSocket(SocketEvent event) {
        for (MeterRegistry registry : registries) {
            socketEvents(registry, event.type(), event.reason()).increment();
            if (event.type() == SocketEvent.Type.LIVE) {
                Timer.builder("idempotency.slack.socket.hellos")
                        .description("How long it took from asking for a connection to its hello")
                        .register(registry)
                        .record(event.took());
            }
        }
    }
}

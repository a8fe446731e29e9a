package dev.idempotency.slack.testkit;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One run: a workspace in which things happen, the app that is told of them, and what the app posts. Thread-safe. */
final class Simulation {
    private static final double UNFURLED = 0.1;
    private static final int ENOUGH = 3;

    /** While so many deliveries are under way nothing new happens: an app that comes back meets no more than it can take. */
    private static final int CROWD = 150;

    private static final long CROWDED_MILLIS = 20;

    private static final double RAMP_SECONDS = 5;
    private static final double FIRST = 0.1;

    private final RunSettings settings;
    private final ScheduledExecutorService clock;
    private final Statistics statistics = new Statistics();
    private final Timestamps timestamps = new Timestamps();
    private final Ledger ledger = new Ledger(Workspace.channels());
    private final EventJson json;
    private final Stream stream;
    private final Faults faults;
    private final Deliverer deliverer;
    private final WebApi webApi;
    private final SplittableRandom unfurling;
    private long startedAt;
    private long dueAt;
    private int planned;
    private int echoes;
    private volatile boolean isProduced;
    private volatile int pauseAt = Integer.MAX_VALUE;

    /**
     * A run that has not begun; its Web API is there.
     *
     * @param clock runs short tasks at their time
     */
    Simulation(RunSettings settings, Transport transport, ScheduledExecutorService clock) {
        this.settings = settings;
        this.clock = clock;
        json = new EventJson(settings.seed());
        stream = new Stream(settings.seed(), timestamps, ledger, json);
        unfurling = new SplittableRandom(~settings.seed());
        faults = new Faults(settings.faults(), settings.seed());
        deliverer = new Deliverer(clock, transport, settings.timeScale(), statistics);
        webApi = new WebApi(
                ledger,
                timestamps,
                faults,
                Duration.ofMillis(settings.slowMillis()),
                Duration.ofMillis(settings.lagMillis()),
                this::posted);
    }

    WebApi webApi() {
        return webApi;
    }

    Deliverer deliverer() {
        return deliverer;
    }

    Faults faults() {
        return faults;
    }

    void start() {
        startedAt = System.nanoTime();
        dueAt = startedAt;
        clock.execute(this::produce);
    }

    /** Lets nothing new happen when so many deliveries are planned, until it is told otherwise. What has happened is still told. */
    void pauseAt(int deliveries) {
        pauseAt = deliveries;
    }

    private boolean isPaused() {
        synchronized (stream) {
            return planned >= pauseAt && planned < settings.deliveries();
        }
    }

    private void produce() {
        if (isPaused() || deliverer.underWay() > CROWD) {
            dueAt = System.nanoTime();
            var unused = clock.schedule(this::produce, CROWDED_MILLIS, TimeUnit.MILLISECONDS);
            return;
        }
        int size;
        synchronized (stream) {
            if (planned >= settings.deliveries()) {
                isProduced = true;
                return;
            }
            List<Planned> next = stream.next();
            next.forEach(deliverer::deliver);
            size = next.size();
            planned += size;
        }
        dueAt += (long) (size * 1e9 / rate());
        var unused = clock.schedule(this::produce, dueAt - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    /** A working day does not begin at once either: an app, and a simulator, that have just started are slow. */
    private double rate() {
        double begun = Math.min(1, (System.nanoTime() - startedAt) / 1e9 / RAMP_SECONDS);
        return settings.perSecond() * Math.max(FIRST, begun);
    }

    /** Slack tells an app of the app's own posts as well. An app that answers them has shown so after a while. */
    private void posted(Message post) {
        boolean isUnfurled;
        synchronized (stream) {
            if (echoes++ > ENOUGH * (1 + planned)) {
                return;
            }
        }
        synchronized (unfurling) {
            isUnfurled = unfurling.nextDouble() < UNFURLED;
        }
        Stream.echo(post, json, timestamps, isUnfurled).forEach(deliverer::deliver);
    }

    private Judge.Verdict verdict() {
        List<LogicalEvent> events;
        synchronized (stream) {
            events = List.copyOf(stream.events());
        }
        return Judge.judge(events, ledger.posts());
    }

    /** How often Slack has tried so far. */
    int attempts() {
        return statistics.attempts();
    }

    DeliveryStatus status() {
        // In this order: what is told is told before its reply is counted.
        int outstanding = deliverer.outstanding();
        boolean isTold = isProduced && outstanding == 0;
        Judge.Verdict verdict = verdict();
        int deliveries;
        synchronized (stream) {
            deliveries = planned;
        }
        return new DeliveryStatus(
                isTold,
                deliveries,
                settings.deliveries(),
                outstanding,
                deliverer.failing(),
                deliverer.lastChance(),
                deliverer.lastUnderWay(),
                verdict.events(),
                verdict.effects(),
                verdict.lost() + verdict.notDelivered(),
                verdict.duplicates() + verdict.unasked(),
                statistics.late());
    }

    /** With what became of the connections; null over HTTP. */
    DeliveryReport report(@Nullable SocketReport sockets) {
        Judge.Verdict verdict = verdict();
        int deliveries;
        Map<String, Integer> quirks;
        synchronized (stream) {
            deliveries = planned;
            quirks = Map.copyOf(stream.quirks());
        }
        return new DeliveryReport(
                verdict.events(),
                verdict.effects(),
                verdict.duplicates(),
                verdict.lost(),
                statistics.late(),
                verdict.unasked(),
                verdict.notDelivered(),
                deliveries,
                statistics.attempts(),
                statistics.givenUp(),
                statistics.statuses(),
                statistics.retries(),
                statistics.ackMillis(),
                faults.chosen(),
                quirks,
                verdict.wrong(),
                settings.seed(),
                sockets);
    }
}

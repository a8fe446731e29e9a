package dev.idempotency.slack.testkit;

import dev.idempotency.slack.testkit.Transport.Attempt;
import dev.idempotency.slack.testkit.Transport.End;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Delivers, and tries again as Slack does: at once, after a minute and after five, in Slack's time. What is late, refused or
 * unreachable does not keep other deliveries waiting. Thread-safe.
 */
final class Deliverer {
    /** How long after a failed attempt the next one comes. */
    private static final List<Duration> RETRIES = List.of(Duration.ZERO, Duration.ofMinutes(1), Duration.ofMinutes(5));

    private final ScheduledExecutorService clock;
    private final Transport transport;
    private final double timeScale;
    private final Statistics statistics;
    private final AtomicInteger outstanding = new AtomicInteger();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger failing = new AtomicInteger();
    private final AtomicInteger lastChance = new AtomicInteger();
    private final AtomicInteger lastUnderWay = new AtomicInteger();
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean isHolding;

    /**
     * A way to an app.
     *
     * @param clock runs short tasks at their time
     * @param timeScale how much faster Slack's time goes than ours
     */
    Deliverer(ScheduledExecutorService clock, Transport transport, double timeScale, Statistics statistics) {
        this.clock = clock;
        this.transport = transport;
        this.timeScale = timeScale;
        this.statistics = statistics;
    }

    void deliver(Planned planned) {
        outstanding.incrementAndGet();
        schedule(planned.after(), () -> {
            underWay.incrementAndGet();
            attempt(planned.delivery(), 0, End.LATE.reason());
        });
    }

    private void schedule(Duration slackTime, Runnable task) {
        var unused = clock.schedule(task, (long) (slackTime.toNanos() / timeScale), TimeUnit.NANOSECONDS);
    }

    /**
     * Makes an attempt.
     *
     * @param number how many were made before
     * @param reason why the last of them failed; for the first, what Slack says if it claims that there was one
     */
    private void attempt(Delivery delivery, int number, String reason) {
        int told = Math.max(number, delivery.retryNum());
        var unused = transport
                .deliver(delivery, told, told == 0 ? "" : reason)
                .thenAccept(end -> ended(delivery, number, end));
    }

    private void ended(Delivery delivery, int number, Attempt attempt) {
        statistics.attempted(attempt, Math.max(number, delivery.retryNum()));
        boolean wasLast = number == RETRIES.size();
        if (number > 0) {
            (wasLast ? lastChance : failing).decrementAndGet();
        }
        if (wasLast) {
            lastUnderWay.decrementAndGet();
        }
        if (attempt.end() == End.ACKED) {
            if (delivery.event() != null) {
                delivery.event().acked();
            }
            over();
        } else if (wasLast || attempt.refusesRetry()) {
            statistics.gaveUp();
            over();
        } else {
            boolean isLast = number + 1 == RETRIES.size();
            (isLast ? lastChance : failing).incrementAndGet();
            Runnable next = () -> attempt(delivery, number + 1, attempt.end().reason());
            schedule(RETRIES.get(number), isLast ? () -> last(next) : next);
        }
    }

    private void over() {
        underWay.decrementAndGet();
        outstanding.decrementAndGet();
    }

    private void last(Runnable attempt) {
        synchronized (held) {
            if (isHolding) {
                held.add(attempt);
                return;
            }
            lastUnderWay.incrementAndGet();
        }
        attempt.run();
    }

    /**
     * Makes no last attempts from now on, until {@link #release}. Slack's patience is six minutes; a machine that is slow to
     * start a process must not use them up, when they pass in seconds.
     */
    void hold() {
        synchronized (held) {
            isHolding = true;
        }
    }

    /** Makes the attempts that were held back. */
    void release() {
        List<Runnable> due;
        synchronized (held) {
            isHolding = false;
            due = List.copyOf(held);
            held.clear();
        }
        due.forEach(this::last);
    }

    /** Last attempts that are being made just now. */
    int lastUnderWay() {
        return lastUnderWay.get();
    }

    /** Deliveries that are neither acknowledged nor given up. */
    int outstanding() {
        return outstanding.get();
    }

    /** Those of them that were tried already. */
    int underWay() {
        return underWay.get();
    }

    /** Those of them that have failed, and have more than one attempt left. */
    int failing() {
        return failing.get();
    }

    /** Those of them that have one attempt left: if the app is away then, Slack gives them up. */
    int lastChance() {
        return lastChance.get();
    }
}

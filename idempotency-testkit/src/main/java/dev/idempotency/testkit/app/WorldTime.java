package dev.idempotency.testkit.app;

import dev.idempotency.testkit.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** The time of a world, and what is due in it. Not thread-safe. */
final class WorldTime {
    /** Something that a process wants done at a time. */
    record Timer(Instant due, long number, AppLife life, Runnable task) {}

    /** Whether a process lives, and is not frozen. */
    static final class AppLife {
        boolean dead;
        boolean frozen;
    }

    final ManualClock clock;
    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(Comparator.comparing(Timer::due).thenComparing(Timer::number));
    private long number;

    WorldTime(Instant start) {
        clock = new ManualClock(start);
    }

    Instant now() {
        return clock.instant();
    }

    Timer at(Duration delay, AppLife life, Runnable task) {
        var timer = new Timer(now().plus(delay), number++, life, task);
        timers.add(timer);
        return timer;
    }

    void cancel(Timer timer) {
        timers.remove(timer);
    }

    /** Lets time pass, and what is due meanwhile happen. */
    void advance(Duration duration) {
        Instant end = now().plus(duration);
        for (Timer next = next(end); next != null; next = next(end)) {
            timers.remove(next);
            if (next.due().isAfter(now())) {
                clock.set(next.due());
            }
            next.task().run();
        }
        if (end.isAfter(now())) {
            clock.set(end);
        }
    }

    private @Nullable Timer next(Instant end) {
        timers.removeIf(timer -> timer.life().dead);
        return timers.stream()
                .filter(timer -> !timer.life().frozen && !timer.due().isAfter(end))
                .min(Comparator.comparing(Timer::due).thenComparing(Timer::number))
                .orElse(null);
    }
}

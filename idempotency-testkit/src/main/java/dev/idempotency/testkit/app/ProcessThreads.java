package dev.idempotency.testkit.app;

import dev.idempotency.testkit.app.WorldTime.AppLife;
import dev.idempotency.testkit.app.WorldTime.Timer;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The executor and the scheduler of a process in a world of one thread: tasks run at once, timers when the world's time has come.
 * A caller that pauses lets the time pass itself; nobody else could. Not thread-safe.
 */
final class ProcessThreads extends ScheduledThreadPoolExecutor {
    private static final StackWalker CALLERS = StackWalker.getInstance();

    private final WorldTime time;
    private final AppLife life;
    private int tasks;

    ProcessThreads(WorldTime time, AppLife life) {
        super(0);
        this.time = time;
        this.life = life;
    }

    @Override
    public void execute(Runnable task) {
        tasks++;
        try {
            task.run();
        } finally {
            tasks--;
        }
    }

    @Override
    public Future<?> submit(Runnable task) {
        var timed = new Timed<>(Executors.callable(task));
        execute(timed);
        return timed;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        return schedule(Executors.callable(task), delay, unit);
    }

    @Override
    public <V extends @Nullable Object> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        var timed = new Timed<>(task);
        var after = Duration.ofNanos(Math.max(0, unit.toNanos(delay)));
        if (after.isZero()) {
            execute(timed);
        } else if (tasks == 0 && isPauseOfACaller()) {
            time.advance(after);
            timed.run();
        } else {
            timed.timer = time.at(after, life, () -> execute(timed));
        }
        return timed;
    }

    /** Leases and limits are timers; what the driver waits for before its next step is a pause. */
    private static boolean isPauseOfACaller() {
        return CALLERS.walk(
                frames -> frames.anyMatch(frame -> frame.getClassName().equals("dev.idempotency.Driver")
                        && frame.getMethodName().equals("pause")));
    }

    private final class Timed<V extends @Nullable Object> extends FutureTask<V> implements ScheduledFuture<V> {
        private @Nullable Timer timer;

        Timed(Callable<V> task) {
            super(task);
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            if (timer != null) {
                time.cancel(timer);
            }
            return super.cancel(mayInterruptIfRunning);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}

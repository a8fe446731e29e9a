package dev.idempotency.testkit.jqwik;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
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
 * The threads and the timer of one process, all played by the thread that runs the sequence. A caller's pause between two
 * tries of the store is over at once; what is to go on without a caller waits for {@link #goOn()}; what is due later than
 * any pause, as a renewal or a timeout, never comes. Not thread-safe.
 */
final class SteppedWorkers extends ScheduledThreadPoolExecutor {
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(5);

    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private boolean withoutCaller;

    SteppedWorkers() {
        super(0);
    }

    /** Lets what has no caller go on, each task as far as its next pause. */
    void goOn() {
        List<Runnable> due = new ArrayList<>(waiting);
        waiting.clear();
        due.forEach(this::execute);
    }

    @Override
    public void execute(Runnable task) {
        boolean before = withoutCaller;
        withoutCaller = true;
        try {
            task.run();
        } finally {
            withoutCaller = before;
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
        if (unit.toNanos(delay) > LONGEST_PAUSE) {
            return timed;
        }
        if (withoutCaller) {
            waiting.add(timed);
        } else {
            timed.run();
        }
        return timed;
    }

    private static final class Timed<V extends @Nullable Object> extends FutureTask<V> implements ScheduledFuture<V> {
        Timed(Callable<V> task) {
            super(task);
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

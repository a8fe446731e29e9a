package dev.idempotency;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads and the timer of one {@link Idempotency}: the user's, or the library's own. What is begun may be refused; what
 * is under way may not be lost with an executor or a timer of the user's that was shut down too early, so it goes on on threads
 * of the library's. Those cost nothing until they are needed. Thread-safe.
 */
final class Workers {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** How much later than it was due something is taken to have been forgotten by the user's timer. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(1);

    private static final class TimerThread extends Thread {
        TimerThread(Runnable task, String name) {
            super(task, name);
        }
    }

    private final @Nullable ExecutorService given;
    private final @Nullable ScheduledExecutorService givenTimer;
    private final ThreadPoolExecutor own;
    private final ScheduledThreadPoolExecutor ownTimer;

    Workers(@Nullable ExecutorService given, @Nullable ScheduledExecutorService givenTimer) {
        this.given = given;
        this.givenTimer = givenTimer;
        own = new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                60,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                threads("idempotency-worker-", Thread::new));
        ownTimer = new ScheduledThreadPoolExecutor(1, threads("idempotency-timer-", TimerThread::new));
        ownTimer.setRemoveOnCancelPolicy(true);
        ownTimer.setKeepAliveTime(60, TimeUnit.SECONDS);
        ownTimer.allowCoreThreadTimeOut(true);
    }

    private interface Threads {
        Thread of(Runnable task, String name);
    }

    private static ThreadFactory threads(String prefix, Threads threads) {
        var count = new AtomicInteger();
        return task -> {
            Thread thread = threads.of(task, prefix + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Runs what is begun, on the user's threads if there are any. */
    ExecutorService executor() {
        return given == null ? own : given;
    }

    /** The timer, the user's if there is one. */
    ScheduledExecutorService timer() {
        return givenTimer == null ? ownTimer : givenTimer;
    }

    /**
     * Lets the user's timer, which may have a clock of its own, end a caller's pause.
     *
     * @return to be cancelled when the pause is over; null if the pause ends by itself only
     */
    @Nullable
    ScheduledFuture<?> early(long nanos, Runnable task) {
        try {
            return givenTimer == null ? null : givenTimer.schedule(task, nanos, TimeUnit.NANOSECONDS);
        } catch (Throwable e) {
            // The pause ends all the same.
            return null;
        }
    }

    boolean hasTimerOfTheUsers() {
        return givenTimer != null;
    }

    /**
     * Runs what is under way: on a thread of the library's where the user's executor takes it not, or would run it on the
     * library's timer.
     *
     * @throws RuntimeException if no thread can be had at all, as {@link Error} may be thrown
     */
    void goOn(Runnable task) {
        if (given == null) {
            own.execute(task);
            return;
        }
        var handing = new Handing(Thread.currentThread(), task);
        try {
            given.execute(handing);
        } catch (Throwable e) {
            if (handing.begun) {
                throw e;
            }
            LOG.warn("The executor takes no task; what is under way goes on on a thread of the library's", e);
            own.execute(task);
        } finally {
            handing.over = true;
        }
    }

    /** Leases are renewed by the timer, so a call that an executor would run on it must not stand there. */
    private final class Handing implements Runnable {
        private final Thread from;
        private final Runnable task;
        private volatile boolean over;
        private volatile boolean begun;

        Handing(Thread from, Runnable task) {
            this.from = from;
            this.task = task;
        }

        @Override
        public void run() {
            begun = true;
            if (!over && from instanceof TimerThread && Thread.currentThread() == from) {
                own.execute(task);
            } else {
                task.run();
            }
        }
    }

    /** {@link #goOn} as an executor. */
    Executor goingOn() {
        return this::goOn;
    }

    /** Runs something short after some time; on the library's timer if the user's takes it not. */
    ScheduledFuture<?> after(long nanos, Runnable task) {
        if (givenTimer != null) {
            try {
                return givenTimer.schedule(task, nanos, TimeUnit.NANOSECONDS);
            } catch (Throwable e) {
                LOG.warn("The scheduler takes no task; the library's own timer does", e);
            }
        }
        return ownTimer.schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    /**
     * How long to wait at most for something that {@link #after} is to do: a timer of the user's that is shut down forgets it and
     * tells nobody.
     */
    static long forgottenAfter(long nanos) {
        return Math.max(nanos, nanos + FORGOTTEN_AFTER.toNanos());
    }

    /** Lets the library's threads end as soon as nothing is left to do on them. */
    void close() {
        // A shutdown would refuse what is under way.
        ownTimer.setKeepAliveTime(100, TimeUnit.MILLISECONDS);
        own.setKeepAliveTime(0, TimeUnit.SECONDS);
    }
}

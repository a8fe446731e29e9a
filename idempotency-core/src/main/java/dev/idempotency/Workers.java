package dev.idempotency;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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

    /** How often what an executor of the user's has taken and not begun is looked at. */
    private static final Duration LOOK_AFTER = Duration.ofSeconds(1);

    /** How long what is urgent waits for a thread of the user's executor; a renewal has two thirds of its lease left. */
    private static final Duration URGENT_AFTER = Duration.ofSeconds(2);

    private static final class TimerThread extends Thread {
        TimerThread(Runnable task, String name) {
            super(task, name);
        }
    }

    private final @Nullable ExecutorService given;
    private final @Nullable ScheduledExecutorService givenTimer;
    private final ThreadPoolExecutor own;
    private final ScheduledThreadPoolExecutor ownTimer;
    private final Set<Handing> handed = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean watching = new AtomicBoolean();
    private final AtomicBoolean saidTimerIsGone = new AtomicBoolean();
    private final AtomicBoolean saidExecutorIsFull = new AtomicBoolean();

    Workers(@Nullable ExecutorService given, @Nullable ScheduledExecutorService givenTimer) {
        this.given = given;
        this.givenTimer = givenTimer;
        own = new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                10,
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

    /**
     * Runs what is begun.
     *
     * @throws RuntimeException if the executor refuses it, as {@link Error} may be thrown; it is not run then
     */
    void begin(Runnable task) {
        if (given == null) {
            own.execute(task);
        } else {
            hand(given, new Handing(Thread.currentThread(), task, false));
        }
    }

    /**
     * Runs what is under way: on a thread of the library's where the user's executor takes it not, forgets it, or would run it on
     * the library's timer.
     *
     * @throws RuntimeException if no thread can be had at all, as {@link Error} may be thrown
     */
    void goOn(Runnable task) {
        goOn(task, false);
    }

    /**
     * As {@link #goOn}, for what is short and must not wait until a call has ended: an executor whose threads are all in calls does
     * not begin it.
     */
    void goOnSoon(Runnable task) {
        goOn(task, true);
    }

    private void goOn(Runnable task, boolean urgent) {
        if (given == null) {
            own.execute(task);
            return;
        }
        var handing = new Handing(Thread.currentThread(), task, urgent);
        try {
            hand(given, handing);
        } catch (Throwable e) {
            if (handing.take()) {
                LOG.warn("The executor takes no task; what is under way goes on on a thread of the library's", e);
                own.execute(task);
            }
        }
    }

    private void hand(ExecutorService executor, Handing handing) {
        try {
            executor.execute(handing);
        } finally {
            handing.over = true;
        }
        if (!handing.taken.get()) {
            handed.add(handing);
            watch();
        }
    }

    /** An executor that is shut down forgets what it has taken and not begun, and tells nobody. */
    private void watch() {
        if (!handed.isEmpty() && watching.compareAndSet(false, true)) {
            try {
                var unused = ownTimer.schedule(this::look, LOOK_AFTER.toNanos(), TimeUnit.NANOSECONDS);
            } catch (Throwable e) {
                watching.set(false);
                LOG.warn("Whether the executor forgets tasks is not watched: no timer can be had", e);
            }
        }
    }

    private void look() {
        try {
            boolean forgets = given != null && given.isShutdown();
            handed.removeIf(handing -> {
                if (forgets && handing.goElsewhere()) {
                    LOG.warn("The executor was shut down; what it had taken is run on a thread of the library's");
                } else if (handing.isLate() && handing.goElsewhere() && saidExecutorIsFull.compareAndSet(false, true)) {
                    LOG.warn(
                            "The executor has no thread for what must not wait, as the renewal of a lease; it is run on one"
                                    + " of the library's. Give the executor more threads than calls run at once. This is logged"
                                    + " once");
                }
                return handing.taken.get();
            });
        } catch (Throwable e) {
            LOG.warn("What the executor has forgotten cannot be run yet: no thread can be had", e);
        } finally {
            watching.set(false);
            watch();
        }
    }

    /** A task on its way to a thread; run once, whoever takes it. */
    private final class Handing implements Runnable {
        private final Thread from;
        private final Runnable task;
        private final boolean urgent;
        private final long since = System.nanoTime();
        private final AtomicBoolean taken = new AtomicBoolean();
        private volatile boolean over;

        Handing(Thread from, Runnable task, boolean urgent) {
            this.from = from;
            this.task = task;
            this.urgent = urgent;
        }

        boolean take() {
            return taken.compareAndSet(false, true);
        }

        boolean isLate() {
            return urgent && System.nanoTime() - since > URGENT_AFTER.toNanos();
        }

        /** Runs it on a thread of the library's, if nobody has taken it; without a thread for it, it may be taken again. */
        boolean goElsewhere() {
            if (!take()) {
                return false;
            }
            try {
                own.execute(task);
                return true;
            } catch (Throwable e) {
                taken.set(false);
                throw e;
            }
        }

        @Override
        public void run() {
            // Leases are renewed by the timer, so a call that an executor would run on it must not stand there.
            if (!over && from instanceof TimerThread && Thread.currentThread() == from) {
                var unused = goElsewhere();
            } else if (take()) {
                task.run();
            }
        }
    }

    /** The user's threads, or the library's. */
    ExecutorService executor() {
        return given == null ? own : given;
    }

    /** The user's timer, or the library's. */
    ScheduledExecutorService timer() {
        return givenTimer == null ? ownTimer : givenTimer;
    }

    boolean hasTimerOfTheUsers() {
        return givenTimer != null;
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

    /** {@link #goOn} as an executor. */
    Executor goingOn() {
        return this::goOn;
    }

    /** {@link #goOnSoon} as an executor. */
    Executor goingOnSoon() {
        return this::goOnSoon;
    }

    /** As {@link #after}, also where the user's timer is shut down meanwhile: it forgets what it was to do, and tells nobody. */
    void surelyAfter(long nanos, Runnable task) {
        var run = new AtomicBoolean();
        Runnable once = () -> {
            if (run.compareAndSet(false, true)) {
                task.run();
            }
        };
        var unused = after(nanos, once);
        ScheduledExecutorService timer = givenTimer;
        if (timer != null && !timer.isShutdown()) {
            Runnable instead = () -> {
                if (timer.isShutdown()) {
                    once.run();
                }
            };
            unused = ownTimer.schedule(instead, 2 * nanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Runs something short after some time; on the library's timer if the user's takes it not. */
    ScheduledFuture<?> after(long nanos, Runnable task) {
        if (givenTimer != null) {
            try {
                return givenTimer.schedule(task, nanos, TimeUnit.NANOSECONDS);
            } catch (Throwable e) {
                if (saidTimerIsGone.compareAndSet(false, true)) {
                    LOG.warn("The scheduler takes no task; the library's own timer does. This is logged once", e);
                }
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

package dev.idempotency.inbox;

import dev.idempotency.store.StoreException;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims messages, runs a task with each, and records how it ended: done, to be tried again, or a dead letter. Renews its claims
 * while their tasks run. Any number of workers, in any number of processes, may share a queue. Thread-safe.
 *
 * <p>A task is run at least once for each message, and may be run again: after a crash, a lost lease or a failure. Whatever it
 * does to the outside should go through an {@link dev.idempotency.Operation} whose key comes from the message.
 *
 * @since 0.1.0
 */
public final class InboxWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InboxWorker.class);
    private static final int RECORDINGS = 3;
    private static final long LOOK_UP_MILLIS = 100;

    /** What is done with a message. */
    @FunctionalInterface
    public interface Task {
        /**
         * Handles a message. Returning means done; whatever it throws means that it is to be tried again.
         *
         * @param claim the message, and which attempt this is
         * @throws UnprocessableException if no attempt will ever succeed: the message becomes a dead letter at once
         * @throws Exception if it failed
         */
        void run(InboxClaim claim) throws Exception;
    }

    private final Inbox inbox;
    private final Task task;
    private final Duration lease;
    private final int attempts;
    private final IntervalFunction backoff;
    private final Duration pollEvery;
    private final Duration drain;

    private final Semaphore free;
    private final CountDownLatch closing = new CountDownLatch(1);
    /** Has a permit when there may be something to claim that was not there before. */
    private final Semaphore news = new Semaphore(0);

    private final Runnable wakeUp = news::release;

    private final Set<Running> running = ConcurrentHashMap.newKeySet();
    private final Thread poller;
    private final ThreadPoolExecutor tasks;
    private final ScheduledExecutorService renewals;

    private InboxWorker(Builder builder) {
        inbox = builder.inbox;
        task = builder.task;
        lease = builder.lease;
        attempts = builder.attempts;
        backoff = builder.backoff;
        pollEvery = builder.pollEvery;
        drain = builder.drain;
        free = new Semaphore(builder.concurrency);
        String name = "inbox-" + inbox.queue();
        poller = new Thread(this::poll, name);
        tasks = new ThreadPoolExecutor(
                builder.concurrency,
                builder.concurrency,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                work -> new Thread(work, name + "-task"));
        renewals = Executors.newSingleThreadScheduledExecutor(work -> {
            var thread = new Thread(work, name + "-renewal");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Settings of a worker. Not thread-safe. */
    public static final class Builder {
        private final Inbox inbox;
        private final Task task;
        private int concurrency = 4;
        private Duration lease = Duration.ofSeconds(30);
        private int attempts = 10;
        private IntervalFunction backoff =
                IntervalFunction.ofExponentialRandomBackoff(Duration.ofSeconds(1), 2, 0.5, Duration.ofMinutes(10));
        private Duration pollEvery = Duration.ofSeconds(1);
        private Duration drain = Duration.ofSeconds(20);

        Builder(Inbox inbox, Task task) {
            this.inbox = inbox;
            this.task = Objects.requireNonNull(task, "task");
        }

        /**
         * Sets how many messages are handled at once, 4 by default. No more are claimed.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder concurrency(int value) {
            concurrency = atLeastOne("concurrency", value);
            return this;
        }

        /**
         * Sets how long a claim lasts without being renewed, 30 seconds by default; it is renewed at a third. So long the
         * messages of a process that has died wait.
         *
         * @param value a millisecond to 366 days, and much longer than a step of the store takes
         * @return this
         * @throws IllegalArgumentException if {@code value} is out of range
         */
        public Builder lease(Duration value) {
            lease = Inbox.atLeast(Duration.ofMillis(1), "at least a millisecond", "lease", value);
            return this;
        }

        /**
         * Sets how often a message is tried before it becomes a dead letter, 10 times by default. Attempts whose process died
         * count.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder attempts(int value) {
            attempts = atLeastOne("attempts", value);
            return this;
        }

        /**
         * Sets how long a message that failed is left alone, by the number of the attempt: by default from a second, doubled
         * each time, up to ten minutes, half of it random.
         *
         * @param value milliseconds for each attempt, from attempt 1
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder backoff(IntervalFunction value) {
            backoff = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Sets how often the store is asked while nothing is due, and after it failed: every second by default. An offer
         * through the same {@link Inbox} is heard of at once.
         *
         * @param value more than zero, at most 366 days
         * @return this
         * @throws IllegalArgumentException if {@code value} is out of range
         */
        public Builder pollEvery(Duration value) {
            pollEvery = Inbox.positive("pollEvery", value);
            return this;
        }

        /**
         * Sets how long closing waits for tasks that run, 20 seconds by default. Then they are interrupted.
         *
         * @param value more than zero, at most 366 days
         * @return this
         * @throws IllegalArgumentException if {@code value} is out of range
         */
        public Builder drain(Duration value) {
            drain = Inbox.positive("drain", value);
            return this;
        }

        /**
         * Starts a worker, with all its threads: one that polls, one that renews, and one for each message that is handled at
         * once.
         *
         * @return a worker that runs until it is closed
         * @throws OutOfMemoryError if there is no thread to be had; nothing was started then
         */
        public InboxWorker start() {
            var worker = new InboxWorker(this);
            try {
                // Now, and not when the first messages have been claimed: then nobody could be told that there are no
                // threads.
                worker.tasks.prestartAllCoreThreads();
                long third = Math.max(1, lease.toMillis() / 3);
                var unused = worker.renewals.scheduleWithFixedDelay(worker::renew, third, third, TimeUnit.MILLISECONDS);
                worker.poller.start();
                worker.inbox.onOffered(worker.wakeUp);
                return worker;
            } catch (Throwable e) {
                worker.close();
                throw e;
            }
        }

        private static int atLeastOne(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " is " + value + "; it must be at least 1");
            }
            return value;
        }
    }

    /** A claim whose task has not ended. */
    private static final class Running {
        final InboxClaim claim;
        final long startedAt = System.nanoTime();
        final AtomicBoolean isLost = new AtomicBoolean();

        Running(InboxClaim claim) {
            this.claim = claim;
        }

        InboxEvent event(InboxEvent.Type type, String detail) {
            boolean ended = type != InboxEvent.Type.CLAIMED;
            return new InboxEvent(
                    type,
                    claim.message().key(),
                    claim.attempt(),
                    Duration.between(claim.receivedAt(), claim.claimedAt()),
                    ended ? Duration.ofNanos(System.nanoTime() - startedAt) : Duration.ZERO,
                    detail);
        }
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    private void poll() {
        while (!isClosing()) {
            try {
                pollOnce();
            } catch (Throwable e) {
                // Not even a failure to log ends this, and nobody but close() does: an interrupt is somebody's mistake.
            }
        }
    }

    private void pollOnce() throws InterruptedException {
        // No more is claimed than can run at once: what waited in this process would wait under a lease.
        if (!free.tryAcquire(LOOK_UP_MILLIS, TimeUnit.MILLISECONDS)) {
            return;
        }
        news.drainPermits();
        if (claim(1 + free.drainPermits()) == 0) {
            news.tryAcquire(pollEvery.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** Answers how many messages there were. */
    private int claim(int room) {
        int left = room;
        try {
            List<InboxClaim> claims = isClosing() ? List.of() : inbox.store().claim(inbox.queue(), room, lease);
            for (InboxClaim claim : claims) {
                var next = new Running(claim);
                running.add(next);
                inbox.emit(next.event(InboxEvent.Type.CLAIMED, ""));
                if (handOver(next)) {
                    left--;
                }
            }
            return claims.size();
        } catch (Throwable e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            LOG.warn(
                    "Queue {} could not be asked for messages, asked again in {}: {}",
                    inbox.queue(),
                    pollEvery,
                    e.toString());
            return 0;
        } finally {
            free.release(left);
        }
    }

    /** False if no thread takes it: it is then tried again like one that failed. */
    private boolean handOver(Running next) {
        try {
            tasks.execute(() -> run(next));
            return true;
        } catch (Throwable e) {
            failed(next, e);
            return false;
        }
    }

    private void run(Running current) {
        try {
            InboxClaim claim = current.claim;
            if (claim.attempt() > attempts) {
                bury(current, claim.lastReason() == null ? "its attempts did not come to an end" : claim.lastReason());
                return;
            }
            try {
                task.run(claim);
            } catch (Throwable failure) {
                failed(current, failure);
                return;
            }
            end(current, InboxEvent.Type.DONE, "", () -> inbox.store().done(claim));
        } finally {
            running.remove(current);
            free.release();
        }
    }

    /** The reason is the class of the failure: its message may have a payload in it. */
    private void failed(Running current, Throwable failure) {
        InboxClaim claim = current.claim;
        String reason = failure.getClass().getName();
        LOG.warn(
                "Attempt {} of {} failed with {}",
                claim.attempt(),
                claim.message().key(),
                reason);
        if (failure instanceof UnprocessableException hopeless) {
            bury(current, hopeless.reason());
            return;
        }
        if (claim.attempt() >= attempts) {
            bury(current, reason);
            return;
        }
        Duration delay = backoffAfter(claim.attempt());
        end(current, InboxEvent.Type.RETRIED, reason, () -> inbox.store().retry(claim, delay, reason));
    }

    /** The user's function; where it fails, the message waits as long as for a store that failed. */
    private Duration backoffAfter(int attempt) {
        try {
            return Duration.ofMillis(Math.max(0, backoff.apply(attempt)));
        } catch (Throwable e) {
            LOG.warn("The backoff of queue {} failed; {} is taken instead", inbox.queue(), pollEvery, e);
            return pollEvery;
        }
    }

    private void bury(Running current, String reason) {
        end(current, InboxEvent.Type.BURIED, reason, () -> inbox.store().bury(current.claim, reason));
    }

    /** An act may be repeated; when the store does not take it at all, the lease ends and somebody handles the message again. */
    private void end(Running current, InboxEvent.Type type, String detail, BooleanSupplier act) {
        // From here on a renewal would find the claim ended by ourselves.
        running.remove(current);
        // What interrupted the task must not interrupt this.
        Thread.interrupted();
        for (int tries = 1; ; tries++) {
            try {
                if (act.getAsBoolean()) {
                    inbox.emit(current.event(type, detail));
                } else {
                    lost(current, "claimed by somebody else");
                }
                return;
            } catch (Throwable e) {
                // Only a failing store may be asked again at once.
                if (tries == RECORDINGS || !(e instanceof StoreException)) {
                    LOG.warn(
                            "The end of {} could not be recorded",
                            current.claim.message().key(),
                            e);
                    lost(current, "the store failed");
                    return;
                }
            }
        }
    }

    private void lost(Running current, String detail) {
        if (current.isLost.compareAndSet(false, true)) {
            inbox.emit(current.event(InboxEvent.Type.LEASE_LOST, detail));
        }
    }

    private void renew() {
        for (Running current : running) {
            try {
                if (!inbox.store().renew(current.claim, lease) && running.contains(current)) {
                    lost(current, "claimed by somebody else");
                }
            } catch (Throwable e) {
                LOG.warn(
                        "The claim of {} could not be renewed",
                        current.claim.message().key(),
                        e);
            }
        }
    }

    /**
     * Claims no more messages, and waits for the tasks that run, as long as {@link Builder#drain} says; interrupts those that run
     * longer, and waits for them once more as long. What they leave is claimed again when its lease is over.
     */
    @Override
    public void close() {
        closing.countDown();
        inbox.forget(wakeUp);
        news.release();
        boolean interrupted = false;
        try {
            // Claims of the poller may still arrive until it has ended.
            poller.join(Math.max(1, drain.toMillis()));
            tasks.shutdown();
            if (!tasks.awaitTermination(drain.toNanos(), TimeUnit.NANOSECONDS)) {
                tasks.shutdownNow();
                if (!tasks.awaitTermination(drain.toNanos(), TimeUnit.NANOSECONDS)) {
                    LOG.warn("{} tasks of queue {} still run", running.size(), inbox.queue());
                }
            }
        } catch (InterruptedException e) {
            interrupted = true;
            tasks.shutdownNow();
        }
        renewals.shutdownNow();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

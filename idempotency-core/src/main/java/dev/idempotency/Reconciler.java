package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resolves keys that no caller comes back for: after a crash between call and record, it goes through the unresolved keys
 * of the store and does what each operation's {@link Recovery} says. What only a person can resolve, it leaves. It also
 * purges what the store need not keep any longer.
 *
 * <p>Any number of processes may run one on the same store: whoever is first to write has the key, and of all of them one
 * at a time asks the provider about it. Thread-safe.
 *
 * <pre>{@code
 * var reconciler = Reconciler.on(idempotency).operations(charge, refund).build();
 * reconciler.start();
 * }</pre>
 *
 * @since 0.1.0
 */
public final class Reconciler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final int PAGE = 100;

    /** Records in one step of a purge: few enough for a short transaction. */
    private static final int PURGE = 1_000;

    /** Steps of the purge in one sweep; what is left is for the next one. */
    private static final int PURGES = 10;

    /** How much longer than its call and its question may take a recovery keeps others waiting. */
    private static final Duration MARGIN = Duration.ofSeconds(5);

    private final Idempotency idempotency;
    private final IdempotencyStore store;
    private final Ports ports;
    private final Map<String, Operation<?, ?>> operations;
    private final IntervalFunction pauses;
    private final IntervalFunction backoff;
    private final int parallelism;
    private final boolean purge;
    private final Duration stopWithin;
    private final Duration forgetAfter;
    private final Semaphore free;
    private final Lock sweeping = new ReentrantLock();
    private final Map<IdempotencyKey, Failing> failing = new ConcurrentHashMap<>();
    private final Map<IdempotencyKey, Turn> underWay = new ConcurrentHashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    private boolean started;

    /** A key whose recovery has not succeeded, and the monotonic time before which it is not tried again. */
    private record Failing(int tries, long notBefore) {}

    /**
     * One recovery that has begun. It has a permit until it ends, or until it is given up because it takes too long: then it goes
     * on by itself, and no other begins for the key before it has ended.
     */
    private static final class Turn {
        final IdempotencyRecord listed;
        final long until;
        private final AtomicBoolean over = new AtomicBoolean();

        Turn(IdempotencyRecord listed, long until) {
            this.listed = listed;
            this.until = until;
        }

        /** True for whoever is first: he gives the permit back. */
        boolean end() {
            return over.compareAndSet(false, true);
        }
    }

    private Reconciler(Builder builder) {
        idempotency = builder.idempotency;
        store = idempotency.store();
        ports = idempotency.ports(new Event.Spans(Duration.ZERO, Duration.ZERO, Duration.ZERO));
        operations = Map.copyOf(builder.operations);
        pauses = IntervalFunction.ofRandomized(builder.every, 0.2);
        backoff = IntervalFunction.ofExponentialRandomBackoff(builder.every, 2, 0.3, builder.retryWithin);
        parallelism = builder.parallelism;
        purge = builder.purge;
        stopWithin = builder.stopWithin;
        forgetAfter = builder.retryWithin.multipliedBy(2);
        free = new Semaphore(parallelism);
    }

    /**
     * Starts to describe a reconciler.
     *
     * @param idempotency the library on the store to go through
     * @return a builder; not thread-safe
     * @throws NullPointerException if {@code idempotency} is null
     */
    public static Builder on(Idempotency idempotency) {
        return new Builder(idempotency);
    }

    /**
     * Goes through the store in the background from now on, until it is closed. The first time at once. It has a thread of its
     * own, which no executor can refuse and no failure ends.
     *
     * @throws IllegalStateException if it was started or closed before
     */
    public synchronized void start() {
        if (started || isClosed()) {
            throw new IllegalStateException("The reconciler was " + (isClosed() ? "closed" : "started") + " before");
        }
        var thread = new Thread(this::sweepUntilClosed, "idempotency-reconciler");
        thread.setDaemon(true);
        thread.start();
        started = true;
    }

    private boolean isClosed() {
        return closing.getCount() == 0;
    }

    private void sweepUntilClosed() {
        while (!isClosed()) {
            try {
                sweepQuietly();
                if (closing.await(pauses.apply(1), TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (Throwable e) {
                // Not even a failure to log ends this, and nobody but close() does.
            }
        }
    }

    private void sweepQuietly() {
        try {
            sweep();
        } catch (StoreException e) {
            LOG.warn("The store failed; its unresolved keys are gone through again later", e);
        } catch (Throwable e) {
            LOG.error("Going through the unresolved keys failed; it is done again later", e);
        }
    }

    /**
     * Goes through the unresolved keys of the store once, and waits until each recovery that it has begun has ended, or takes
     * longer than the operation's {@code callTimeout} and {@code recoveryTimeout} together: such a one keeps no other key
     * waiting, goes on by itself, and is not begun again before it has ended. A key that cannot be read, or whose recovery
     * fails with whatever, is one failed key. Two sweeps of one reconciler never overlap: the second waits for the first.
     *
     * @return what was seen and done
     * @throws StoreException if the store failed to list keys; those that were listed before are dealt with
     */
    public Sweep sweep() {
        sweeping.lock();
        try {
            return new Pass().run();
        } finally {
            sweeping.unlock();
        }
    }

    /**
     * Starts nothing new, and waits for the recoveries that are under way, for a limited time. Those that take longer end by
     * themselves, with their outcome recorded.
     */
    @Override
    public void close() {
        closing.countDown();
        boolean interrupted = false;
        long until = System.nanoTime() + stopWithin.toNanos();
        while (true) {
            try {
                if (free.tryAcquire(parallelism, until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    free.release(parallelism);
                }
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One sweep. */
    private final class Pass {
        private final LongAdder resolved = new LongAdder();
        private final LongAdder inDoubt = new LongAdder();
        private final LongAdder failed = new LongAdder();

        private int unresolved;
        private int inFlight;
        private int held;
        private int unregistered;
        private @Nullable Snapshot begun;
        private long begunAt;

        Sweep run() {
            try {
                IdempotencyRecord next = null;
                List<IdempotencyRecord> page;
                do {
                    page = store.listUnresolved(next, PAGE);
                    for (IdempotencyRecord record : page) {
                        next = record;
                        if (!visit(record)) {
                            page = List.of();
                            break;
                        }
                    }
                } while (page.size() == PAGE);
                long now = ports.nanoTime().getAsLong();
                failing.values().removeIf(last -> now - last.notBefore() > forgetAfter.toNanos());
            } finally {
                awaitPermits(parallelism);
                free.release(parallelism);
            }
            int purged = purge ? purge() : 0;
            return new Sweep(
                    unresolved,
                    inFlight,
                    resolved.intValue(),
                    inDoubt.intValue(),
                    held,
                    unregistered,
                    failed.intValue(),
                    purged);
        }

        /** What was not purged is no harm: it is not given out either. */
        private int purge() {
            int purged = 0;
            for (int steps = 0; steps < PURGES && !isClosed(); steps++) {
                long from = idempotency.audience().nanoTime();
                int last = 0;
                boolean failed = true;
                try {
                    last = store.purge(PURGE);
                    failed = false;
                } catch (Throwable e) {
                    LOG.warn("Records whose retention is over could not be purged; it is tried again later", e);
                }
                idempotency.audience().tellStep("purge", from, failed);
                if (last > 0) {
                    purged += last;
                    idempotency.audience().tellPurged(last);
                }
                if (last < PURGE) {
                    return purged;
                }
            }
            return purged;
        }

        /** False when there is nothing more to see: what came into its state after the sweep began is for the next one. */
        private boolean visit(IdempotencyRecord listed) {
            if (isClosed()) {
                return false;
            }
            if (begun == null && !learnTime(listed)) {
                unresolved++;
                return true;
            }
            Snapshot first = Objects.requireNonNull(begun);
            if (listed.times().stateSince().isAfter(first.now())) {
                return false;
            }
            unresolved++;
            // About what the store's clock says now: what rests on it is decided on its own clock again.
            Instant now = first.now().plusNanos(ports.nanoTime().getAsLong() - begunAt);
            if (listed.state() == State.IN_FLIGHT && !listed.isLapsed(now)) {
                inFlight++;
            } else {
                act(listed);
            }
            return true;
        }

        /** The store's time comes with a key; where one cannot be read, the next one serves. */
        private boolean learnTime(IdempotencyRecord listed) {
            return guarded(listed.key(), () -> {
                long at = ports.nanoTime().getAsLong();
                begun = store.find(listed.key());
                begunAt = at;
            });
        }

        private void act(IdempotencyRecord listed) {
            Operation<?, ?> operation = operations.get(listed.key().operation());
            if (operation == null) {
                unregistered++;
            } else if (listed.terms().policy() == Policy.HOLD) {
                held++;
            } else if (!isDue(listed.key())) {
                inDoubt.increment();
                return;
            } else if (listed.terms().policy() == Policy.SAME_TRANSACTION) {
                free(operation, listed);
                return;
            } else {
                recover(operation, listed);
                return;
            }
            if (listed.state() == State.IN_FLIGHT) {
                var unused = guarded(listed.key(), () -> expire(listed));
            }
        }

        /** Nobody is asked, so no thread but this one is needed. */
        private void free(Operation<?, ?> operation, IdempotencyRecord listed) {
            try {
                release(operation, listed);
                ended(listed, null);
            } catch (Throwable e) {
                ended(listed, e);
            }
        }

        private void recover(Operation<?, ?> operation, IdempotencyRecord listed) {
            awaitPermits(1);
            if (isClosed()) {
                // Whoever closes waits for all permits, so nothing may begin once he could have had them.
                free.release();
                return;
            }
            var turn = new Turn(listed, ports.nanoTime().getAsLong() + longest(operation));
            if (underWay.putIfAbsent(listed.key(), turn) != null) {
                free.release();
                inDoubt.increment();
                return;
            }
            CompletableFuture<? extends Answer<?>> done;
            try {
                done = operation.recover(listed);
            } catch (Throwable e) {
                done = CompletableFuture.failedFuture(e);
            }
            var unused = done.whenComplete((answer, failure) -> {
                underWay.remove(listed.key(), turn);
                if (turn.end()) {
                    try {
                        ended(listed, outcome(answer, failure));
                    } finally {
                        free.release();
                    }
                }
            });
        }

        /**
         * Takes permits. Waits for recoveries that are under way, each as long as it may take: whatever its call, its executor or
         * a timer does, it cannot hold its permit for ever.
         */
        private void awaitPermits(int permits) {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        if (free.tryAcquire(permits, untilTheNextIsOverdue(), TimeUnit.NANOSECONDS)) {
                            return;
                        }
                        giveUpOverdue();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        /** At most a second: the clock of this process may be one that moves by itself. */
        private long untilTheNextIsOverdue() {
            long now = ports.nanoTime().getAsLong();
            long left = TimeUnit.SECONDS.toNanos(1);
            for (Turn turn : underWay.values()) {
                if (!turn.over.get()) {
                    left = Math.min(left, turn.until - now);
                }
            }
            return Math.max(left, TimeUnit.MILLISECONDS.toNanos(1));
        }

        private void giveUpOverdue() {
            long now = ports.nanoTime().getAsLong();
            for (Turn turn : underWay.values()) {
                if (turn.until - now <= 0 && turn.end()) {
                    try {
                        putOff(turn.listed.key());
                        inDoubt.increment();
                        LOG.warn(
                                "Recovery of {} takes longer than its call and its lookup may; it goes on by itself, and the key"
                                        + " is tried again once it has ended",
                                turn.listed.key());
                    } finally {
                        free.release();
                    }
                }
            }
        }

        private static @Nullable Throwable outcome(@Nullable Answer<?> answer, @Nullable Throwable failure) {
            if (answer == null || answer.failure() == null) {
                return failure;
            }
            return answer.failure().get();
        }

        private void ended(IdempotencyRecord listed, @Nullable Throwable failure) {
            IdempotencyKey key = listed.key();
            boolean settled = failure instanceof DeclinedException
                    || failure instanceof MismatchException
                    || failure instanceof ResultUnavailableException
                    || failure instanceof NotExecutedException;
            if (failure == null || settled) {
                failing.remove(key);
                resolved.increment();
                return;
            }
            putOff(key);
            if (failure instanceof InDoubtException || failure instanceof InFlightException) {
                inDoubt.increment();
                return;
            }
            failed.increment();
            // Only our own messages: a codec's or a client's may say what is in the request.
            String why = failure instanceof IllegalStateException
                    ? String.valueOf(failure.getMessage())
                    : failure.getClass().getName();
            LOG.warn("Recovery of {} failed, and is tried again later: {}", key, why);
            if (!(failure instanceof StoreException)) {
                idempotency.tell(new IdempotencyEvent(
                        IdempotencyEvent.Type.RECOVERY_FAILED, key, listed.generation(), listed.attempt(), why));
            }
        }

        /** True if it was done; else the key has failed, and no other one. */
        private boolean guarded(IdempotencyKey key, Runnable step) {
            try {
                step.run();
                return true;
            } catch (Throwable e) {
                failed.increment();
                LOG.warn("{} could not be read or written; it is tried again later", key, e);
                return false;
            }
        }
    }

    private static long longest(Operation<?, ?> operation) {
        return Waits.nanos(operation
                .spec
                .callTimeout()
                .plus(operation.spec.recoveryTimeout())
                .plus(MARGIN));
    }

    private boolean isDue(IdempotencyKey key) {
        Failing last = failing.get(key);
        return last == null || ports.nanoTime().getAsLong() - last.notBefore() >= 0;
    }

    private void putOff(IdempotencyKey key) {
        failing.compute(key, (same, last) -> {
            int tries = last == null ? 1 : last.tries() + 1;
            long delay = Duration.ofMillis(backoff.apply(tries)).toNanos();
            return new Failing(tries, ports.nanoTime().getAsLong() + delay);
        });
    }

    /** A lapsed attempt that nothing but a person or its own late answer resolves is shown as what it is. */
    private void expire(IdempotencyRecord listed) {
        Snapshot snapshot = store.find(listed.key());
        IdempotencyRecord standing = snapshot.record();
        if (standing == null || !standing.isLapsed(snapshot.now())) {
            return;
        }
        Decision decision = ports.machine().decide(standing, new Event.Expire(standing.token()), snapshot.now());
        if (store.replace(standing, decision.toWrite()).applied()) {
            tell(IdempotencyEvent.Type.LAPSED, standing);
        }
    }

    /** What was called in a transaction of the store did nothing, once nobody can commit it any more: the key is freed. */
    private void release(Operation<?, ?> operation, IdempotencyRecord listed) {
        Snapshot snapshot = store.find(listed.key());
        IdempotencyRecord standing = snapshot.record();
        if (standing == null || !standing.state().isUnresolved()) {
            return;
        }
        var token = ports.tokens().get();
        Event.Spans spans = operation.spec.spans();
        Event event = standing.state() == State.IN_FLIGHT
                ? new Event.TakeOver(standing.token(), token, spans)
                : new Event.ReExecute(
                        standing.token(),
                        token,
                        false,
                        operation.spec.recovery().keyFormat(),
                        spans);
        Decision decision = ports.machine().decide(standing, event, snapshot.now());
        if (decision.verdict() != Decision.Verdict.CHANGE) {
            throw busy(listed.key());
        }
        Snapshot taken = store.replace(standing, decision.toWrite());
        IdempotencyRecord own = taken.record();
        if (!taken.applied() || own == null) {
            throw busy(listed.key());
        }
        tell(IdempotencyEvent.Type.TAKEN_OVER, own);
        Decision freed = ports.machine().decide(own, new Event.Release(token, spans), taken.now());
        if (!store.replace(own, freed.toWrite()).applied()) {
            throw busy(listed.key());
        }
        tell(IdempotencyEvent.Type.RELEASED, own);
    }

    private static InFlightException busy(IdempotencyKey key) {
        return new InFlightException(key, "Another run is in flight", null);
    }

    private void tell(IdempotencyEvent.Type type, IdempotencyRecord record) {
        idempotency.tell(new IdempotencyEvent(type, record.key(), record.generation(), record.attempt(), ""));
    }

    /**
     * What one sweep saw and did.
     *
     * @param unresolved how many unresolved keys it saw
     * @param inFlight how many of them have a run in flight whose lease is not over
     * @param resolved how many it resolved, or found resolved by somebody else meanwhile
     * @param inDoubt how many are still in doubt, and tried again later
     * @param held how many only a person, or a late answer, resolves
     * @param unregistered how many are of operations that the reconciler does not know
     * @param failed how many could not be tried: the store failed, or their kept request could not be read
     * @param purged how many other records were removed, or lost their result, because their retention was over
     */
    public record Sweep(
            int unresolved,
            int inFlight,
            int resolved,
            int inDoubt,
            int held,
            int unregistered,
            int failed,
            int purged) {}

    /** Describes a reconciler, setting by setting. Not thread-safe. */
    public static final class Builder {
        private final Idempotency idempotency;
        private final Map<String, Operation<?, ?>> operations = new HashMap<>();
        private Duration every = Duration.ofSeconds(30);
        private Duration retryWithin = Duration.ofHours(1);
        private Duration stopWithin = Duration.ofSeconds(30);
        private int parallelism = 4;
        private boolean purge = true;

        private Builder(Idempotency idempotency) {
            this.idempotency = Objects.requireNonNull(idempotency, "idempotency");
        }

        /**
         * Adds operations whose keys are to be resolved. Keys of others are only counted, and marked in doubt when they have
         * lapsed.
         *
         * @param operations built on the same library instance; each keeps its requests, unless its recovery needs none
         *     (hold, and calls in a transaction of the store)
         * @return this
         * @throws IllegalArgumentException if an operation is of another instance, keeps no requests although its recovery
         *     needs them, or has the name of one that was added before
         */
        public Builder operations(Operation<?, ?>... operations) {
            for (Operation<?, ?> operation : operations) {
                var spec = operation.spec;
                if (operation.idempotency != idempotency) {
                    throw new IllegalArgumentException(
                            "operation '" + spec.name() + "' was built on another instance of Idempotency");
                }
                Policy policy = spec.terms().policy();
                boolean needsRequest = policy != Policy.HOLD && policy != Policy.SAME_TRANSACTION;
                if (needsRequest && spec.requests() == null) {
                    throw new IllegalArgumentException("operation '" + spec.name()
                            + "' keeps no requests, without which nobody but its callers can recover; build it with"
                            + " keepRequests()");
                }
                if (this.operations.putIfAbsent(spec.name(), operation) != null) {
                    throw new IllegalArgumentException("operation '" + spec.name() + "' was added before");
                }
            }
            return this;
        }

        /**
         * Sets the pause between two sweeps; a fifth of it at random, so that processes drift apart. By default 30 seconds. A
         * key whose recovery fails is tried again after twice this pause, then four times, and so on.
         *
         * @param every 10 milliseconds to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder every(Duration every) {
            this.every = Settings.between("every", every, Duration.ofMillis(10), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets the longest pause between two tries at one key. By default 1 hour.
         *
         * @param retryWithin 10 milliseconds to 30 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder retryWithin(Duration retryWithin) {
            this.retryWithin = Settings.between("retryWithin", retryWithin, Duration.ofMillis(10), Duration.ofDays(30));
            return this;
        }

        /**
         * Sets how many keys are recovered at once. By default 4.
         *
         * @param parallelism 1 to 1,000
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder parallelism(int parallelism) {
            if (parallelism < 1 || parallelism > 1000) {
                throw new IllegalArgumentException("parallelism is " + parallelism + "; it must be 1 to 1,000");
            }
            this.parallelism = parallelism;
            return this;
        }

        /**
         * Sets whether each sweep also purges records whose retention is over, at most 10,000 of them in steps of 1,000. By
         * default it does: on stores that keep records until they are told to drop them, nothing else ever would.
         *
         * @param purge false if something else calls {@link IdempotencyStore#purge}
         * @return this
         */
        public Builder purge(boolean purge) {
            this.purge = purge;
            return this;
        }

        /**
         * Sets how long {@link Reconciler#close()} waits for recoveries that are under way. By default 30 seconds.
         *
         * @param stopWithin 0 to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder stopWithin(Duration stopWithin) {
            this.stopWithin = Settings.between("stopWithin", stopWithin, Duration.ZERO, Duration.ofDays(1));
            return this;
        }

        /**
         * Makes the reconciler. It does nothing before it is {@link Reconciler#start() started}.
         *
         * @return a new instance
         * @throws IllegalArgumentException if the longest pause between two tries is shorter than that between two sweeps
         */
        public Reconciler build() {
            if (retryWithin.compareTo(every) < 0) {
                throw new IllegalArgumentException(
                        "retryWithin is " + retryWithin + "; it must be at least every, which is " + every);
            }
            return new Reconciler(this);
        }
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the steps of callers that outnumber the connections: while some are on their way, the others queue, and go all
 * together in the next statement. Thread-safe.
 *
 * <p>Below that number nothing is gathered: single statements on connections of their own are faster then, because PostgreSQL
 * gathers their commits itself.
 *
 * <p>The threads that go to the server run nobody's code: what completes without a caller that waits is left to
 * {@link Completions}.
 */
final class Batches {
    /** More in one statement bring nothing. */
    private static final int LARGEST = 128;

    /** Where a second statement beside the first pays. */
    private static final int LONG_QUEUE = 64;

    private static final int MOST_SINGLES = 64;
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final Connections connections;
    private final Statements statements;
    private final int single;
    private final AtomicInteger inside = new AtomicInteger();
    private final ThreadFactory threads;
    private final Completions completions;

    /** For steps that nobody waits for in a thread of his own. */
    private final ExecutorService singles;

    private final Queue<Member> queue = new ArrayDeque<>(); // guarded by itself
    private int leaders; // guarded by the queue
    private int idleLeaders; // guarded by the queue

    /** @param single how many steps at once go by themselves */
    Batches(Connections connections, Statements statements, int single, ThreadFactory threads) {
        this.connections = connections;
        this.statements = statements;
        this.single = single;
        this.threads = threads;
        this.completions = new Completions(threads);
        int most = Math.max(2, Math.min(single, MOST_SINGLES));
        var executor = new ThreadPoolExecutor(
                most, most, IDLE.toNanos(), TimeUnit.NANOSECONDS, new LinkedBlockingQueue<>(), threads);
        executor.allowCoreThreadTimeOut(true);
        this.singles = executor;
    }

    static Thread thread(Runnable work) {
        var thread = new Thread(work, "idempotency-batches");
        thread.setDaemon(true);
        return thread;
    }

    private static StoreException noThread(Throwable why) {
        return new StoreException("No thread can be had to go to PostgreSQL, and nothing was sent", false, why);
    }

    // ---- what the store asks for

    /** Takes a step, in this thread or with others. */
    Snapshot take(Supplier<Member> described, Supplier<Snapshot> alone) {
        boolean isSingle = enter();
        try {
            Member member = isSingle ? null : described.get();
            if (member == null || !member.isSmall()) {
                return alone.get();
            }
            add(member);
            return answer(member).orElseGet(alone);
        } finally {
            leave();
        }
    }

    /**
     * Waits as a statement of one's own would: as long as the server and the pool may take. Neither an interrupt ends it, which
     * would leave the step's outcome open, nor does this thread run anybody's tasks meanwhile, as
     * {@link CompletableFuture#join} would on a fork-join pool: they would find themselves in the transaction that it has joined.
     */
    private static Optional<Snapshot> answer(Member member) {
        var isThere = new CountDownLatch(1);
        var unused = member.outcome().whenComplete((together, failure) -> isThere.countDown());
        boolean interrupted = false;
        while (true) {
            try {
                isThere.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        try {
            return member.outcome().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof StoreException failure ? failure : e;
        }
    }

    /** Takes a step in a thread of this object's, or with others. */
    CompletableFuture<Snapshot> start(Supplier<Member> described, Supplier<Snapshot> alone) {
        var answer = new CompletableFuture<Snapshot>();
        boolean isSingle = enter();
        try {
            Member member = isSingle ? null : described.get();
            if (member == null || !member.isSmall()) {
                startAlone(alone, answer);
            } else {
                var unused = member.outcome().whenComplete((together, failure) -> {
                    if (failure != null) {
                        fail(answer, failure);
                    } else if (together.isPresent()) {
                        end(() -> answer.complete(together.get()));
                    } else {
                        startAlone(alone, answer);
                    }
                });
                add(member);
            }
        } catch (Throwable e) {
            fail(answer, e);
        }
        completions.goHereIfNeedBe();
        return answer;
    }

    /** Never in this thread: it may be one that leads. */
    private void startAlone(Supplier<Snapshot> alone, CompletableFuture<Snapshot> answer) {
        // An executor that could not make a thread may have kept the task all the same.
        var taken = new AtomicBoolean();
        try {
            singles.execute(() -> {
                if (taken.compareAndSet(false, true)) {
                    run(alone, answer);
                    completions.goHereIfNeedBe();
                }
            });
        } catch (Throwable e) {
            if (taken.compareAndSet(false, true)) {
                fail(answer, noThread(e));
            }
        }
    }

    private void run(Supplier<Snapshot> alone, CompletableFuture<Snapshot> answer) {
        try {
            Snapshot snapshot = alone.get();
            end(() -> answer.complete(snapshot));
        } catch (Throwable e) {
            fail(answer, e);
        }
    }

    private void fail(CompletableFuture<Snapshot> answer, Throwable failure) {
        end(() -> answer.completeExceptionally(failure));
    }

    /** The step is over; whoever waits for it hears of it when {@link Completions#go} is called. */
    private void end(Runnable completion) {
        leave();
        completions.add(completion);
    }

    /** Tells whether this step goes by itself. Whatever the answer, {@link #leave} follows. */
    private boolean enter() {
        return inside.incrementAndGet() <= single;
    }

    private void leave() {
        inside.decrementAndGet();
    }

    int queued() {
        synchronized (queue) {
            return queue.size();
        }
    }

    int inside() {
        return inside.get();
    }

    // ---- leaders

    private void add(Member member) {
        synchronized (queue) {
            queue.add(member);
        }
        findLeader();
    }

    /** Sees to it that somebody leads, if there is anybody to lead. Where nobody can, all that queue have failed. */
    private void findLeader() {
        synchronized (queue) {
            int wanted = queue.isEmpty() ? 0 : queue.size() < LONG_QUEUE ? 1 : 2;
            if (wanted > 0 && idleLeaders > 0) {
                queue.notifyAll();
                return;
            }
            if (leaders >= wanted) {
                return;
            }
            leaders++;
        }
        try {
            threads.newThread(this::lead).start();
        } catch (Throwable e) {
            List<Member> left;
            synchronized (queue) {
                leaders--;
                left = leaders == 0 ? List.copyOf(queue) : List.of();
                if (leaders == 0) {
                    queue.clear();
                }
            }
            left.forEach(member -> member.outcome().completeExceptionally(noThread(e)));
            completions.goHereIfNeedBe();
        }
    }

    /** Whatever happens, the leadership is given back, and those who were led hear of it. */
    private void lead() {
        List<Member> members = new ArrayList<>(LARGEST);
        boolean leads = true;
        try {
            while (completions.go()) {
                members.clear();
                next(members);
                if (members.isEmpty()) {
                    leads = false;
                    return;
                }
                run(members);
            }
            // No thread can be had for completions but this one, which others may keep: somebody else leads from now
            // on.
        } finally {
            if (leads) {
                members.forEach(member -> member.outcome().completeExceptionally(failedUnexpectedly(null)));
                synchronized (queue) {
                    leaders--;
                }
                findLeader();
                completions.goHereIfNeedBe();
            }
        }
    }

    /**
     * Waits for a while for the first of the queue, and takes as many as go together; of those with one key the first. If
     * nobody comes, the leadership is given back.
     */
    private void next(List<Member> members) {
        long until = System.nanoTime() + IDLE.toNanos();
        synchronized (queue) {
            while (queue.isEmpty()) {
                long left = until - System.nanoTime();
                if (left <= 0) {
                    leaders--;
                    return;
                }
                idleLeaders++;
                try {
                    TimeUnit.NANOSECONDS.timedWait(queue, left);
                } catch (InterruptedException e) {
                    // Nobody has this thread to interrupt it.
                } finally {
                    idleLeaders--;
                }
            }
            Set<IdempotencyKey> keys = new HashSet<>();
            for (Iterator<Member> queued = queue.iterator(); queued.hasNext() && members.size() < LARGEST; ) {
                Member member = queued.next();
                if (keys.add(member.key())) {
                    members.add(member);
                    queued.remove();
                }
            }
        }
        members.sort(Member.BY_KEY);
    }

    private void run(List<Member> members) {
        try {
            var batch = new Batch(members);
            Map<IdempotencyKey, Optional<Snapshot>> answers =
                    connections.plain("batch", connection -> batch.run(connections, connection, statements));
            boolean isUnreplicated = connections.isUnreplicated();
            for (Member member : members) {
                // What stands already may have to be confirmed, which each does by itself.
                member.outcome()
                        .complete(answers.getOrDefault(member.key(), Optional.empty())
                                .filter(answer -> answer.applied() || !isUnreplicated));
            }
        } catch (StoreException e) {
            for (Member member : members) {
                if (Failures.isRefusal(e)) {
                    // One of them, or all together: each will be told by itself.
                    member.outcome().complete(Optional.empty());
                } else {
                    member.outcome().completeExceptionally(copy(e));
                }
            }
        } catch (Throwable e) {
            members.forEach(member -> member.outcome().completeExceptionally(failedUnexpectedly(e)));
        }
    }

    private static StoreException failedUnexpectedly(@Nullable Throwable why) {
        return new StoreException("A batch failed unexpectedly", true, why);
    }

    /** Each caller throws one of his own. */
    private static StoreException copy(StoreException failure) {
        String message = String.valueOf(failure.getMessage());
        return failure.isRetryable()
                ? new StoreException(message, failure.mayHaveWritten(), failure)
                : StoreException.notRetryable(message, failure);
    }
}

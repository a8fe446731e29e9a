package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Gathers the steps of callers that outnumber the connections: while some are on their way, the others queue, and go all
 * together in the next statement. Thread-safe.
 *
 * <p>Below that number nothing is gathered: single statements on connections of their own are faster then, because PostgreSQL
 * gathers their commits itself.
 */
final class Batches {
    /** More in one statement bring nothing. */
    private static final int LARGEST = 128;

    /** Where a second statement beside the first pays. */
    private static final int LONG_QUEUE = 64;

    private static final int MOST_SINGLES = 64;

    private final Connections connections;
    private final String sql;
    private final boolean partitioned;
    private final int single;
    private final AtomicInteger inside = new AtomicInteger();
    private final ExecutorService leaders = threads(2);

    /** For steps that nobody waits for in a thread of his own. */
    private final ExecutorService singles;

    private final Queue<Member> queue = new ArrayDeque<>(); // guarded by itself
    private int leading; // guarded by the queue

    /** @param single how many steps at once go by themselves */
    Batches(Connections connections, Statements statements, Table table, int single) {
        this.connections = connections;
        this.sql = statements.combined;
        this.partitioned = table.partitioned();
        this.single = single;
        this.singles = threads(Math.max(2, Math.min(single, MOST_SINGLES)));
    }

    /** They are begun when there is something to do, and end when there is not. */
    private static ExecutorService threads(int most) {
        var threads = new ThreadPoolExecutor(most, most, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
            var thread = new Thread(work, "idempotency-batches");
            thread.setDaemon(true);
            return thread;
        });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /** Takes a step, in this thread or with others. */
    Snapshot take(Supplier<Member> described, Supplier<Snapshot> alone) {
        try {
            if (enter()) {
                return alone.get();
            }
            Member member = described.get();
            if (!member.isSmall()) {
                return alone.get();
            }
            add(member);
            return member.outcome().join().orElseGet(alone);
        } catch (CompletionException e) {
            throw e.getCause() instanceof StoreException failure ? failure : e;
        } finally {
            leave();
        }
    }

    /** Takes a step in a thread of this object's, or with others. */
    CompletableFuture<Snapshot> start(Member member, Supplier<Snapshot> alone) {
        var answer = new CompletableFuture<Snapshot>();
        if (enter() || !member.isSmall()) {
            singles.execute(() -> run(alone, answer));
        } else {
            var unused = member.outcome().whenComplete((together, failure) -> {
                if (failure != null) {
                    leave();
                    answer.completeExceptionally(failure);
                } else if (together.isPresent()) {
                    leave();
                    answer.complete(together.get());
                } else {
                    singles.execute(() -> run(alone, answer));
                }
            });
            add(member);
        }
        return answer;
    }

    private void run(Supplier<Snapshot> alone, CompletableFuture<Snapshot> answer) {
        Snapshot snapshot;
        try {
            snapshot = alone.get();
        } catch (Throwable e) {
            leave();
            answer.completeExceptionally(e);
            return;
        }
        leave();
        answer.complete(snapshot);
    }

    /** Tells whether this step goes by itself. Whatever the answer, {@link #leave} follows. */
    private boolean enter() {
        return inside.incrementAndGet() <= single;
    }

    private void leave() {
        inside.decrementAndGet();
    }

    private void add(Member member) {
        boolean lead;
        synchronized (queue) {
            queue.add(member);
            lead = leading < (queue.size() < LONG_QUEUE ? 1 : 2);
            leading += lead ? 1 : 0;
        }
        if (lead) {
            leaders.execute(this::lead);
        }
    }

    int queued() {
        synchronized (queue) {
            return queue.size();
        }
    }

    private void lead() {
        for (List<Member> members = next(); !members.isEmpty(); members = next()) {
            run(members);
        }
    }

    /** The first of the queue, as many as go together; of those with one key the first. */
    private List<Member> next() {
        List<Member> members = new ArrayList<>();
        synchronized (queue) {
            Set<IdempotencyKey> keys = new HashSet<>();
            for (Iterator<Member> queued = queue.iterator(); queued.hasNext() && members.size() < LARGEST; ) {
                Member member = queued.next();
                if (keys.add(member.key())) {
                    members.add(member);
                    queued.remove();
                }
            }
            leading -= members.isEmpty() ? 1 : 0;
        }
        members.sort(Member.BY_KEY);
        return members;
    }

    private void run(List<Member> members) {
        try {
            var batch = new Batch(members);
            Map<IdempotencyKey, Optional<Snapshot>> answers =
                    connections.plain("batch", connection -> batch.run(connection, sql, partitioned));
            members.forEach(member -> member.outcome().complete(answers.getOrDefault(member.key(), Optional.empty())));
        } catch (StoreException e) {
            for (Member member : members) {
                if (Failures.isRefusal(e)) {
                    // One of them, or all together: each will be told by itself.
                    member.outcome().complete(Optional.empty());
                } else {
                    member.outcome()
                            .completeExceptionally(
                                    new StoreException(String.valueOf(e.getMessage()), e.mayHaveWritten(), e));
                }
            }
        } catch (Throwable e) {
            members.forEach(member ->
                    member.outcome().completeExceptionally(new StoreException("A batch failed unexpectedly", true, e)));
        }
    }
}

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
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

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

    private final Connections connections;
    private final String sql;
    private final boolean partitioned;
    private final int single;
    private final AtomicInteger inside = new AtomicInteger();
    private final ThreadPoolExecutor leaders =
            new ThreadPoolExecutor(2, 2, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Batches::daemon);

    private final Queue<Member> queue = new ArrayDeque<>(); // guarded by itself
    private int leading; // guarded by the queue

    /** @param single how many steps at once go by themselves */
    Batches(Connections connections, Statements statements, Table table, int single) {
        this.connections = connections;
        this.sql = statements.combined;
        this.partitioned = table.partitioned();
        this.single = single;
        leaders.allowCoreThreadTimeOut(true);
    }

    private static Thread daemon(Runnable work) {
        var thread = new Thread(work, "idempotency-batches");
        thread.setDaemon(true);
        return thread;
    }

    /** Tells whether this step goes by itself. Whatever the answer, {@link #leave} follows. */
    boolean enter() {
        return inside.incrementAndGet() <= single;
    }

    void leave() {
        inside.decrementAndGet();
    }

    /** Takes a step with others, and waits for it. Answers nothing if it is to be taken by itself. */
    Optional<Snapshot> join(Member member) {
        add(member);
        try {
            return member.outcome().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof StoreException failure) {
                throw failure;
            }
            throw e;
        }
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

package dev.idempotency.testkit.engine;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A database with rows of text beside the records. A transaction that replaces a record keeps all others waiting. */
final class RowStore implements TransactionalStore<RowStore.Transaction> {
    /** What becomes of a commit. */
    enum Commit {
        /** Refused, and rolled back. */
        REFUSED,
        /** Lost: rolled back, but nobody can know. */
        LOST,
        /** Done, but the reply is lost. */
        REPLY_LOST,
        /** The driver fails in a way that says nothing. */
        BROKEN
    }

    /** Rows and one replacement, not committed yet. */
    final class Transaction {
        private final List<String> added = new ArrayList<>();
        private @Nullable IdempotencyRecord expected;
        private @Nullable Write write;

        void add(String row) {
            added.add(row);
        }
    }

    private final ReferenceStore records;
    private final List<String> rows = new ArrayList<>();
    private final Deque<Commit> commits = new ArrayDeque<>();
    private final ReentrantLock replacing = new ReentrantLock();
    private @Nullable StoreException refusal;
    private volatile boolean joined;
    private volatile boolean blind;

    RowStore(ManualClock clock) {
        records = new ReferenceStore(clock);
    }

    /** The next commits go wrong, in this order. */
    synchronized void trouble(Commit... next) {
        commits.addAll(Arrays.asList(next));
    }

    /** The next replacement inside a transaction fails. */
    synchronized void refuseReplacement() {
        refusal = new StoreException("The statement has no answer", true, null);
    }

    void join(boolean isJoined) {
        joined = isJoined;
    }

    /** Transactions are on another database from now on. */
    void blind() {
        blind = true;
    }

    synchronized List<String> rows() {
        return List.copyOf(rows);
    }

    @Nullable
    IdempotencyRecord record(IdempotencyKey key) {
        return records.find(key).record();
    }

    @Override
    public <R extends @Nullable Object> R inTransaction(Work<? super Transaction, R> work) throws Exception {
        var transaction = new Transaction();
        try {
            R result = work.run(transaction);
            commit(transaction);
            return result;
        } finally {
            while (replacing.isHeldByCurrentThread()) {
                replacing.unlock();
            }
        }
    }

    private synchronized void commit(Transaction transaction) {
        Commit trouble = commits.poll();
        if (trouble == Commit.REFUSED) {
            throw new StoreException("The commit was refused", false, null);
        }
        if (trouble == Commit.LOST) {
            throw new StoreException("The commit has no answer", true, null);
        }
        if (trouble == Commit.BROKEN) {
            throw new IllegalStateException("The driver is broken");
        }
        if (transaction.expected != null && transaction.write != null) {
            records.replace(transaction.expected, transaction.write);
        }
        rows.addAll(transaction.added);
        if (trouble == Commit.REPLY_LOST) {
            throw new StoreException("The commit has no answer", true, null);
        }
    }

    @Override
    public Snapshot replace(Transaction transaction, IdempotencyRecord expected, Write write) {
        replacing.lock();
        synchronized (this) {
            if (refusal != null) {
                StoreException failure = refusal;
                refusal = null;
                throw failure;
            }
        }
        Snapshot standing = records.find(expected.key());
        if (blind) {
            return new Snapshot(false, null, standing.now());
        }
        if (!expected.isSameWriteAs(standing.record())) {
            return standing;
        }
        transaction.expected = expected;
        transaction.write = write;
        return new Snapshot(true, write.at(standing.now()), standing.now());
    }

    @Override
    public boolean isJoined() {
        return joined;
    }

    @Override
    public StoreClass storeClass() {
        return records.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        return records.reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        replacing.lock();
        try {
            return records.replace(expected, write);
        } finally {
            replacing.unlock();
        }
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return records.find(key);
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return records.listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return records.purge(limit);
    }
}

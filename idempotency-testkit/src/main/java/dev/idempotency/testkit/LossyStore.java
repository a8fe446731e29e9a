package dev.idempotency.testkit;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.util.Map;

/**
 * A store with a replica that lags: {@link #failover()} loses every write that was acknowledged since the last
 * {@link #replicate()}. Thread-safe.
 *
 * @since 0.1.0
 */
public final class LossyStore extends ForwardingStore {
    private final ReferenceStore primary;
    private Map<Object, IdempotencyRecord> replica = Map.of();
    private long acknowledged;
    private long lost;

    /**
     * Creates an empty store with an empty replica.
     *
     * @param clock the store's clock
     * @throws NullPointerException if the clock is null
     */
    public LossyStore(ManualClock clock) {
        this(new ReferenceStore(clock));
    }

    private LossyStore(ReferenceStore primary) {
        super(primary);
        this.primary = primary;
    }

    /** Brings the replica up to date: what is written now survives the next failover. */
    public synchronized void replicate() {
        replica = primary.copy();
        acknowledged = 0;
    }

    /** Makes the replica the primary: what was written since the last {@link #replicate()} is gone. */
    public synchronized void failover() {
        primary.restore(replica);
        lost += acknowledged;
        acknowledged = 0;
    }

    /**
     * Returns how many acknowledged writes were lost. A test that proves something shows that this is not zero.
     *
     * @return the number of writes, a purge with an effect counted as one
     */
    public synchronized long lostWrites() {
        return lost;
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.LOSSY;
    }

    @Override
    public synchronized Snapshot reserve(Write write) {
        return counted(super.reserve(write));
    }

    @Override
    public synchronized Snapshot replace(IdempotencyRecord expected, Write write) {
        return counted(super.replace(expected, write));
    }

    private synchronized Snapshot counted(Snapshot snapshot) {
        if (snapshot.applied()) {
            acknowledged++;
        }
        return snapshot;
    }

    @Override
    public synchronized int purge(int limit) {
        var done = super.purge(limit);
        if (done > 0) {
            acknowledged++;
        }
        return done;
    }
}

package dev.idempotency.docs;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.util.List;

/** Stands for the store of a reader. */
final class MyStore implements IdempotencyStore {
    private final IdempotencyStore store;

    MyStore(ManualClock clock) {
        store = new ReferenceStore(clock);
    }

    @Override
    public StoreClass storeClass() {
        return store.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        return store.reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return store.replace(expected, write);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return store.find(key);
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(IdempotencyRecord after, int limit) {
        return store.listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return store.purge(limit);
    }
}

package dev.idempotency.testkit.process;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store that is wrong: it says what time it is by this process's clock, and that clock is ahead. */
final class JvmClockStore implements IdempotencyStore {
    private final IdempotencyStore store;
    private final Duration ahead;

    JvmClockStore(IdempotencyStore store, Duration ahead) {
        this.store = store;
        this.ahead = ahead;
    }

    private Snapshot wrong(Snapshot snapshot) {
        return new Snapshot(snapshot.applied(), snapshot.record(), Instant.now().plus(ahead));
    }

    @Override
    public StoreClass storeClass() {
        return store.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        return wrong(store.reserve(write));
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return wrong(store.replace(expected, write));
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return wrong(store.find(key));
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return store.listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return store.purge(limit);
    }
}

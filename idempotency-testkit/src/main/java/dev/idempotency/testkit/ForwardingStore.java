package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.WakingStore;
import dev.idempotency.store.Write;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A store that hands each step to another one, for a test that changes, delays or counts some of them: override those.
 *
 * <p>Hides what else the other store can do: this one is no {@link WakingStore}, no {@link TransactionalStore} and no
 * {@link AuditedStore}. A subclass that is to be one implements it. Thread-safe if the other store is, as every store must be, and the subclass is.
 *
 * @since 0.1.0
 */
public abstract class ForwardingStore implements IdempotencyStore {
    private final IdempotencyStore store;

    /**
     * Creates a way to a store.
     *
     * @param store what really stores; may be shared
     * @throws NullPointerException if the store is null
     */
    protected ForwardingStore(IdempotencyStore store) {
        this.store = Objects.requireNonNull(store, "store");
    }

    /**
     * The other store. Asked once for each step that is not overridden, just before the step.
     *
     * @return what takes the step; as given to the constructor, unless overridden
     */
    protected IdempotencyStore store() {
        return store;
    }

    @Override
    public StoreClass storeClass() {
        return store.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        return store().reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return store().replace(expected, write);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return store().find(key);
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return store().listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return store().purge(limit);
    }
}

package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * A store that takes each step of an {@link AsyncStore} asynchronously and waits for it, so that whatever tests a store tests
 * the asynchronous steps too. Thread-safe.
 *
 * @since 0.1.0
 */
public final class WaitingStore extends ForwardingStore {
    private final AsyncStore store;

    /**
     * Puts a store's asynchronous steps in the place of the others.
     *
     * @param store what really stores; may be shared
     * @throws NullPointerException if the store is null
     */
    public WaitingStore(AsyncStore store) {
        super(store);
        this.store = store;
    }

    @Override
    public Snapshot reserve(Write write) {
        return await(store.reserveAsync(write));
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return await(store.replaceAsync(expected, write));
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return await(store.findAsync(key));
    }

    private static Snapshot await(CompletionStage<Snapshot> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof StoreException failure) {
                throw failure;
            }
            throw e;
        }
    }
}

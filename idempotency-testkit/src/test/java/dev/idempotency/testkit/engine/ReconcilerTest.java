package dev.idempotency.testkit.engine;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;

/** In one process, on its store: an attempt lapses there, too. */
final class ReconcilerTest extends ReconcilerCases {
    private final IdempotencyStore store = CaffeineIdempotencyStore.create();

    @Override
    protected IdempotencyStore store() {
        return store;
    }
}

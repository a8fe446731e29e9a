package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.engine.ReconcilerCases;
import org.junit.jupiter.api.AfterEach;

final class RedisReconcilerTest extends ReconcilerCases {
    private final RedisIdempotencyStore store = Redises.standalone().build();

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected IdempotencyStore store() {
        return store;
    }
}

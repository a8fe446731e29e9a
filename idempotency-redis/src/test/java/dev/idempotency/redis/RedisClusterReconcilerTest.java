package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.engine.ReconcilerCases;
import org.junit.jupiter.api.AfterEach;

final class RedisClusterReconcilerTest extends ReconcilerCases {
    private final RedisIdempotencyStore store = Redises.clustered().build();

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected IdempotencyStore store() {
        return store;
    }
}

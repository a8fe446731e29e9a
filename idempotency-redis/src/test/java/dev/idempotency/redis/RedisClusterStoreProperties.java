package dev.idempotency.redis;

import net.jqwik.api.lifecycle.AfterContainer;

final class RedisClusterStoreProperties extends RedisStoreModel {
    private static final RedisIdempotencyStore STORE = Redises.clustered().build();

    RedisClusterStoreProperties() {
        super(STORE);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

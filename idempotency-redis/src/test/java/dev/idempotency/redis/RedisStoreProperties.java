package dev.idempotency.redis;

import net.jqwik.api.lifecycle.AfterContainer;

final class RedisStoreProperties extends RedisStoreModel {
    private static final RedisIdempotencyStore STORE = Redises.standalone().build();

    RedisStoreProperties() {
        super(STORE);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

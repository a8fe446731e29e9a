package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.redis.RedisIdempotencyStore;
import io.lettuce.core.RedisClient;

/** What the README has beside the code of the guides. */
final class ReadmeSnippets {
    private ReadmeSnippets() {}

    static Idempotency redis(RedisClient client) {
        // tag::redis[]
        var store = RedisIdempotencyStore.builder(client).build();
        var idempotency = Idempotency.on(store);
        // end::redis[]
        return idempotency;
    }
}

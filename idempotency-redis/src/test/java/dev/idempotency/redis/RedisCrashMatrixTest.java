package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.process.CrashMatrix;
import io.lettuce.core.RedisClient;
import java.util.UUID;

/** The crash matrix on a real Redis. */
final class RedisCrashMatrixTest extends CrashMatrix {
    private static final String PREFIX = "crash:" + UUID.randomUUID();

    static final class OnRedis implements Opener {
        @Override
        public IdempotencyStore open(String address) {
            int end = address.lastIndexOf('#');
            return RedisIdempotencyStore.builder(RedisClient.create(address.substring(0, end)))
                    .prefix(address.substring(end + 1))
                    .build();
        }
    }

    @Override
    protected Class<? extends Opener> opener() {
        return OnRedis.class;
    }

    @Override
    protected String address() {
        return Redises.Standalone.SERVER.uri() + "#" + PREFIX;
    }
}

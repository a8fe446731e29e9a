package dev.idempotency.examples.payments;

import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanIterator;

/** Records on Redis. */
final class Redis {
    /** Keys of this example's own. */
    private static final String PREFIX = "payments-example";

    private Redis() {}

    /** What a process does that pays: a client, and the store. */
    static StoreServer.Opened open(String url) {
        RedisClient client = RedisClient.create(url);
        RedisIdempotencyStore store =
                RedisIdempotencyStore.builder(client).prefix(PREFIX).build();
        return new StoreServer.Opened(store, () -> {
            store.close();
            client.shutdown();
        });
    }

    static StoreServer embedded() {
        RedisServer server = RedisServer.start();
        return new StoreServer(server.uri(), server::close);
    }

    static void empty(String url) {
        RedisClient client = RedisClient.create(url);
        try (var connection = client.connect()) {
            ScanIterator.scan(connection.sync(), ScanArgs.Builder.matches("{" + PREFIX + ":*"))
                    .forEachRemaining(key -> connection.sync().unlink(key));
        } finally {
            client.shutdown();
        }
    }
}

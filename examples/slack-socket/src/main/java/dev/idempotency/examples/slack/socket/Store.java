package dev.idempotency.examples.slack.socket;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;
import io.lettuce.core.RedisClient;
import java.time.Duration;

/**
 * What a process has of a store.
 *
 * @param records of operations
 * @param inbox where events wait
 * @param guard tells late edits from newer ones
 * @param disconnect closes the connections
 */
record Store(IdempotencyStore records, InboxStore inbox, VersionGuard guard, Runnable disconnect)
        implements AutoCloseable {
    /** Enough for the intake, the workers and what renews their leases. */
    private static final int CONNECTIONS = 24;

    /** Less than the app has for an acknowledgement. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** Opens a store, {@code jdbc:} or {@code redis:}, and makes its server ready if it is not. */
    static Store open(String url) {
        return url.startsWith("jdbc:") ? postgres(url) : redis(url);
    }

    private static Store postgres(String url) {
        var config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(CONNECTIONS);
        config.setConnectionTimeout(PATIENCE.toMillis());
        var pool = new HikariDataSource(config);
        JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                .table("slack_socket")
                .createSchema()
                .build();
        return new Store(store, store.inbox(), store.versionGuard(), pool::close);
    }

    private static Store redis(String url) {
        RedisClient client = RedisClient.create(url);
        RedisIdempotencyStore store =
                RedisIdempotencyStore.builder(client).prefix("slack-socket").build();
        return new Store(store, store.inbox(), store.versionGuard(), () -> {
            store.close();
            client.shutdown();
        });
    }

    @Override
    public void close() {
        disconnect.run();
    }
}

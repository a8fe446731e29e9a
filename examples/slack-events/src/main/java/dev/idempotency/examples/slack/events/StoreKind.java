package dev.idempotency.examples.slack.events;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.Locale;

/** Where events wait, and where it is recorded what was done. */
enum StoreKind {
    /** On PostgreSQL. */
    POSTGRES {
        @Override
        StoreServer embedded() {
            PostgresServer server = PostgresServer.start();
            return new StoreServer(server.jdbcUrl(), server::kill, server::restart, server::close, server);
        }

        @Override
        OpenStore open(String url) {
            var config = new HikariConfig();
            config.setJdbcUrl(url);
            config.setMaximumPoolSize(CONNECTIONS);
            config.setConnectionTimeout(PATIENCE.toMillis());
            config.setInitializationFailTimeout(-1);
            var pool = new HikariDataSource(config);
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .table("slack_example")
                    .createSchema()
                    .build();
            return new OpenStore(store, store.inbox(), store.versionGuard(), pool::close);
        }
    },
    /** On Redis. */
    REDIS {
        @Override
        StoreServer embedded() {
            RedisServer server = RedisServer.start();
            return new StoreServer(server.uri(), server::kill, server::restart, server::close, server);
        }

        @Override
        OpenStore open(String url) {
            RedisClient client = RedisClient.create(url);
            RedisIdempotencyStore store = RedisIdempotencyStore.builder(client)
                    .prefix("slack-example")
                    .build();
            return new OpenStore(store, store.inbox(), store.versionGuard(), () -> {
                store.close();
                client.shutdown();
            });
        }
    };

    /** Enough for the intake, the workers and what renews their leases. */
    private static final int CONNECTIONS = 40;

    /** Less than the app has for an answer. */
    private static final Duration PATIENCE = Duration.ofMillis(1500);

    /** The option that names a server of the user's own. */
    String urlOption() {
        return this == POSTGRES ? "--jdbc-url" : "--redis-url";
    }

    /** Starts a server that ends with this process. */
    abstract StoreServer embedded();

    /** Opens a store on such a server, and makes the server ready if it is not. */
    abstract OpenStore open(String url);

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}

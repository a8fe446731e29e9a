package dev.idempotency.examples.payments;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.sql.SQLException;
import java.time.Duration;

/** Records on PostgreSQL. */
final class Postgres {
    /** A table of this example's own. */
    private static final String TABLE = "payments_example";

    private static final int CONNECTIONS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private Postgres() {}

    /** What a process does that pays: a small pool for the store alone, and the store. */
    static StoreServer.Opened open(String url) {
        HikariDataSource pool = pool(url);
        return new StoreServer.Opened(
                JdbcIdempotencyStore.builder(pool).table(TABLE).build(), pool::close);
    }

    static HikariDataSource pool(String url) {
        var config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(CONNECTIONS);
        config.setConnectionTimeout(PATIENCE.toMillis());
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    static StoreServer embedded() {
        PostgresServer server = PostgresServer.start();
        return new StoreServer(server.jdbcUrl(), server::close);
    }

    static void createSchema(String url) {
        try (HikariDataSource pool = pool(url)) {
            JdbcIdempotencyStore.builder(pool).table(TABLE).createSchema();
        }
    }

    static void empty(String url) throws SQLException {
        try (HikariDataSource pool = pool(url);
                var connection = pool.getConnection();
                var statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM " + TABLE);
        }
    }
}

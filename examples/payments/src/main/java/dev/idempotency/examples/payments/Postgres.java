package dev.idempotency.examples.payments;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Records on PostgreSQL.
 *
 * @param url for JDBC
 * @param embedded the server of this run; null for somebody else's
 */
record Postgres(String url, @Nullable PostgresServer embedded) implements StoreServer {
    /** A table of this example's own: it is emptied before a run against the simulator, which begins with an empty ledger. */
    private static final String TABLE = "payments_example";

    private static final int CONNECTIONS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** What a process does that pays: a small pool for the store alone, and the store. */
    static Opened open(String url) {
        HikariDataSource pool = pool(url);
        return new Opened(JdbcIdempotencyStore.on(pool).table(TABLE).open(), pool::close);
    }

    private static HikariDataSource pool(String url) {
        var config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(CONNECTIONS);
        config.setConnectionTimeout(PATIENCE.toMillis());
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    static Postgres start(Options options) throws RunFailedException {
        PostgresServer embedded = null;
        try {
            String url = options.storeUrl();
            if (url == null) {
                embedded = PostgresServer.start();
                url = embedded.jdbcUrl();
            }
            prepare(url, options.providerUrl() == null);
            return new Postgres(url, embedded);
        } catch (SQLException | RuntimeException e) {
            if (embedded != null) {
                embedded.close();
            }
            throw RunFailedException.of("PostgreSQL cannot be used", e);
        }
    }

    private static void prepare(String url, boolean hasNewProvider) throws SQLException {
        try (HikariDataSource pool = pool(url)) {
            JdbcIdempotencyStore.on(pool).table(TABLE).createSchema();
            if (hasNewProvider) {
                try (var connection = pool.getConnection();
                        var statement = connection.createStatement()) {
                    statement.executeUpdate("DELETE FROM " + TABLE);
                }
            }
        }
    }

    @Override
    public void close() {
        if (embedded != null) {
            embedded.close();
        }
    }
}

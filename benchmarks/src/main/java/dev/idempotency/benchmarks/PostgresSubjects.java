package dev.idempotency.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Idempotency;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.provider.jdbc.JdbcLockProvider;
import org.apache.camel.processor.idempotent.jdbc.JdbcMessageIdRepository;
import org.jspecify.annotations.Nullable;
import org.springframework.integration.jdbc.metadata.JdbcMetadataStore;

/** On PostgreSQL. Everybody has a pool of the same size. */
final class PostgresSubjects {
    static final String SINGLE = "this library, each step by itself";
    static final String[] RAW = {
        "CREATE TABLE IF NOT EXISTS raw (key text PRIMARY KEY, token bigint NOT NULL, state smallint NOT NULL,"
                + " lease_until timestamptz NOT NULL, expires_at timestamptz NOT NULL, result bytea)",
        "CREATE INDEX IF NOT EXISTS raw_expires_at ON raw (expires_at)"
    };

    private PostgresSubjects() {}

    static HikariDataSource pool(Server postgres, int connections) {
        var config = new HikariConfig();
        config.setJdbcUrl(postgres.url());
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(connections);
        config.setConnectionTimeout(Duration.ofSeconds(30).toMillis());
        return new HikariDataSource(config);
    }

    static void execute(DataSource dataSource, String... statements) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            for (String one : statements) {
                statement.execute(one);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Two statements, each committed: insert if absent, update under the token. */
    static Subject raw(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        execute(pool, RAW);
        return new Subject(
                "raw INSERT + UPDATE; SELECT (JDBC)",
                Kind.LIMIT,
                order -> {
                    long token = ThreadLocalRandom.current().nextLong();
                    if (!rawReserve(pool, order.orderId(), token)) {
                        throw new IllegalStateException("not new");
                    }
                    String result = downstream.call();
                    rawRecord(pool, order.orderId(), token, result);
                    return result;
                },
                order -> rawFind(pool, order.orderId()),
                pool::close);
    }

    static boolean rawReserve(DataSource pool, String key, long token) throws SQLException {
        try (Connection connection = pool.getConnection();
                var statement =
                        connection.prepareStatement("INSERT INTO raw (key, token, state, lease_until, expires_at)"
                                + " VALUES (?, ?, 1, now() + interval '30 s', now() + interval '7 d')"
                                + " ON CONFLICT DO NOTHING RETURNING token")) {
            statement.setString(1, key);
            statement.setLong(2, token);
            try (var rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    static void rawRecord(DataSource pool, String key, long token, String result) throws SQLException {
        try (Connection connection = pool.getConnection();
                var statement = connection.prepareStatement(
                        "UPDATE raw SET state = 2, result = ? WHERE key = ? AND token = ? RETURNING state")) {
            statement.setBytes(1, result.getBytes(StandardCharsets.UTF_8));
            statement.setString(2, key);
            statement.setLong(3, token);
            try (var rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new IllegalStateException("not recorded");
                }
            }
        }
    }

    private static @Nullable String rawFind(DataSource pool, String key) throws SQLException {
        try (Connection connection = pool.getConnection();
                var statement =
                        connection.prepareStatement("SELECT state, result, expires_at FROM raw WHERE key = ?")) {
            statement.setString(1, key);
            try (var rows = statement.executeQuery()) {
                return rows.next() ? new String(rows.getBytes(2), StandardCharsets.UTF_8) : null;
            }
        }
    }

    /** Steps of more callers than connections share statements, as by default. */
    static Subject library(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        return Library.on(store(pool).singleSteps(connections).build(), downstream, pool::close);
    }

    private static JdbcIdempotencyStore.Builder store(HikariDataSource pool) {
        return JdbcIdempotencyStore.builder(pool).createSchema();
    }

    static Subject single(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        var idempotency =
                Idempotency.on(store(pool).singleSteps(Integer.MAX_VALUE).build());
        return Library.on(SINGLE, idempotency, downstream, pool::close);
    }

    static Subject many(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        return Library.many(store(pool).singleSteps(connections).build(), downstream, pool::close);
    }

    static Subject near(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        return Library.near(store(pool).build(), downstream, pool::close);
    }

    static Subject springIntegration(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        execute(
                pool,
                "CREATE TABLE IF NOT EXISTS int_metadata_store (metadata_key varchar(255) NOT NULL,"
                        + " metadata_value varchar(4000), region varchar(100) NOT NULL,"
                        + " CONSTRAINT int_metadata_store_pk PRIMARY KEY (metadata_key, region))");
        var store = new JdbcMetadataStore(pool);
        store.afterPropertiesSet();
        Subject.Work work = MetadataStoreWork.on(store, downstream);
        return new Subject(
                "Spring Integration JdbcMetadataStore",
                Kind.PEER,
                work,
                order -> store.get(order.orderId()),
                pool::close);
    }

    static Subject camel(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        var repository = new JdbcMessageIdRepository(pool, "orders");
        repository.start();
        return new Subject(
                "Camel JdbcMessageIdRepository (keeps no result)",
                Kind.PEER,
                order -> {
                    if (repository.add(order.orderId())) {
                        downstream.call();
                        repository.confirm(order.orderId());
                    }
                    return null;
                },
                null,
                () -> {
                    repository.stop();
                    pool.close();
                });
    }

    static Subject shedLock(Server postgres, int connections, Downstream downstream) {
        HikariDataSource pool = pool(postgres, connections);
        execute(
                pool,
                "CREATE TABLE IF NOT EXISTS shedlock (name varchar(64) NOT NULL PRIMARY KEY, lock_until timestamp NOT NULL,"
                        + " locked_at timestamp NOT NULL, locked_by varchar(255) NOT NULL)");
        var provider = new JdbcLockProvider(pool);
        return new Subject(
                "ShedLock JDBC (keeps no result)",
                Kind.PEER,
                order -> {
                    var once = new LockConfiguration(
                            Instant.now(), order.orderId(), Duration.ofDays(7), Duration.ofDays(7));
                    provider.lock(once).ifPresent(lock -> {
                        downstream.call();
                        lock.unlock();
                    });
                    return null;
                },
                null,
                pool::close);
    }
}

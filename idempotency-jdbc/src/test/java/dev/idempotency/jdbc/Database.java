package dev.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/** One PostgreSQL for all tests of this module; each test takes a schema of its own. */
final class Database {
    private static final AtomicInteger SCHEMAS = new AtomicInteger();

    private static final class Running {
        static final PostgresServer SERVER = PostgresServer.start();
        static final HikariDataSource POOL = pool(SERVER.jdbcUrl());
    }

    private Database() {}

    static PostgresServer server() {
        return Running.SERVER;
    }

    static DataSource pool() {
        return Running.POOL;
    }

    static HikariDataSource pool(String url) {
        var config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(20);
        return new HikariDataSource(config);
    }

    /** A new, empty schema. */
    static String schema() {
        String name = "test_" + SCHEMAS.incrementAndGet();
        Jdbi.create(pool()).useHandle(handle -> handle.execute("CREATE SCHEMA " + name));
        return name;
    }

    /** A store on a table of its own. */
    static JdbcIdempotencyStore store() {
        return JdbcIdempotencyStore.builder(pool())
                .schema(schema())
                .createSchema()
                .build();
    }

    /** The server's clock is the one that must move. */
    static void elapse(Duration duration) {
        Jdbi.create(pool()).useHandle(handle -> {
            Instant end = now(handle).plus(duration);
            while (now(handle).isBefore(end)) {
                handle.execute("SELECT pg_sleep(0.001)");
            }
        });
    }

    private static Instant now(Handle handle) {
        return handle.createQuery("SELECT clock_timestamp()")
                .mapTo(Instant.class)
                .one();
    }
}

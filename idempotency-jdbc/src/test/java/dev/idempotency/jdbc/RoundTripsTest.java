package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How many statements reach the server, as the server counts them. */
final class RoundTripsTest {
    private static final PostgresServer SERVER =
            PostgresServer.start(Map.of("shared_preload_libraries", "pg_stat_statements"));
    private static final Jdbi JDBI = Jdbi.create(SERVER.dataSource());
    private static final String APPLICATION = "application";

    private final HikariDataSource pool;
    private final JdbcIdempotencyStore store;

    RoundTripsTest() {
        JDBI.useHandle(handle -> {
            handle.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
            handle.execute("DO $$ BEGIN IF to_regrole('" + APPLICATION + "') IS NULL THEN CREATE ROLE " + APPLICATION
                    + " LOGIN; GRANT CREATE ON SCHEMA public TO " + APPLICATION + "; END IF; END $$");
        });
        // One connection, which is there before the counting begins.
        var config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + SERVER.port() + "/postgres?user=" + APPLICATION);
        config.setMaximumPoolSize(1);
        pool = new HikariDataSource(config);
        store = JdbcIdempotencyStore.builder(pool).createSchema().build();
    }

    @AfterEach
    void closePool() {
        pool.close();
    }

    @AfterAll
    static void stop() {
        SERVER.close();
    }

    private static Operation<String, String> charging(IdempotencyStore on) {
        return Idempotency.on(on)
                .operation("charge", String.class, String.class)
                .key(order -> order)
                .calling((order, attempt) -> "paid " + order);
    }

    /** All statements of the application's role, of whatever kind. */
    private static long statementsOf(Runnable work) {
        return JDBI.withHandle(handle -> {
            handle.createQuery("SELECT pg_stat_statements_reset()")
                    .mapTo(String.class)
                    .one();
            work.run();
            return count(handle);
        });
    }

    private static long count(Handle handle) {
        return handle.createQuery(
                        "SELECT COALESCE(sum(calls), 0) FROM pg_stat_statements WHERE userid = (SELECT oid FROM"
                                + " pg_roles WHERE rolname = ?)")
                .bind(0, APPLICATION)
                .mapTo(Long.class)
                .one();
    }

    @Test
    void firstExecution_isTwoStatements() {
        Operation<String, String> charge = charging(store);

        assertThat(statementsOf(() -> charge.execute(Writes.key().value()))).isEqualTo(2);
    }

    /** One that inserts nothing, and a look. */
    @Test
    void replay_amongFirstExecutions_isTwoStatements() {
        Operation<String, String> charge = charging(store);
        charge.execute("order-7");

        assertThat(statementsOf(() -> charge.execute("order-7"))).isEqualTo(2);
    }

    @Test
    void replay_whereReplaysPrevail_isOneStatement() {
        Operation<String, String> charge = charging(store);
        IntStream.range(0, 10).forEach(i -> charge.execute("order-8"));

        assertThat(statementsOf(() -> charge.execute("order-8"))).isEqualTo(1);
    }

    @Test
    void offer_ofWhateverIsThere_isOneStatement() {
        var message = new InboxMessage(new IdempotencyKey("events", "one"), new byte[1], Map.of("a", "b"));

        assertThat(statementsOf(() -> store.inbox().offer(message, Duration.ofHours(1))))
                .isEqualTo(1);
        assertThat(statementsOf(() -> store.inbox().offer(message, Duration.ofHours(1))))
                .isEqualTo(1);
    }

    @Test
    void store_thatLooksFirst_isCounted() {
        Operation<String, String> charge = charging(new LooksFirst(store));

        assertThat(statementsOf(() -> charge.execute(Writes.key().value()))).isEqualTo(3);
    }

    private static final class LooksFirst extends ForwardingStore {
        LooksFirst(IdempotencyStore store) {
            super(store);
        }

        @Override
        public Snapshot reserve(Write write) {
            Snapshot found = find(write.next().key());
            return found.record() == null ? super.reserve(write) : found;
        }
    }
}

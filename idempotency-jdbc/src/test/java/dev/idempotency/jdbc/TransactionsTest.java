package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Whatever transaction the caller is in, a reservation stands by itself. */
final class TransactionsTest {
    private final JdbcIdempotencyStore store = Database.store();

    @Test
    void reservation_inACallersTransactionThatIsRolledBack_stands() throws SQLException {
        var key = Writes.key();
        try (Connection caller = Database.pool().getConnection()) {
            caller.setAutoCommit(false);
            caller.createStatement().execute("CREATE TEMPORARY TABLE business (id int) ON COMMIT DROP");

            store.reserve(Writes.reservation(key));
            caller.rollback();
        }

        assertThat(store.find(key).record().state()).isEqualTo(State.IN_FLIGHT);
    }

    @Test
    void reservation_whenReserveReturns_isSeenByOthers() throws SQLException {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setAutoCommit(false);
        String schema = Database.schema();
        var key = Writes.key();
        try (var pool = new HikariDataSource(config)) {
            var uncommitting = JdbcIdempotencyStore.builder(pool)
                    .schema(schema)
                    .createSchema()
                    .build();
            uncommitting.reserve(Writes.reservation(key));

            assertThat(JdbcIdempotencyStore.builder(Database.pool())
                            .schema(schema)
                            .build()
                            .find(key)
                            .record())
                    .isNotNull();
            try (Connection next = pool.getConnection()) {
                assertThat(next.getAutoCommit()).as("the pool's own setting").isFalse();
            }
        }
    }

    @Test
    void dataSource_boundToTheCallersTransaction_isRefusedBeforeAnythingIsWritten() throws SQLException {
        try (Connection caller = Database.pool().getConnection()) {
            caller.setAutoCommit(false);
            caller.createStatement().execute("SELECT 1");

            assertThatThrownBy(
                            () -> JdbcIdempotencyStore.builder(boundTo(caller)).createSchema())
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.mayHaveWritten()).isFalse())
                    .hasMessageContaining("in a transaction already (OPEN)");
            caller.rollback();
        }
    }

    @Test
    void dataSource_boundToATransactionWithoutAStatementYet_leavesItToTheCaller() throws SQLException {
        String schema = Database.schema();
        JdbcIdempotencyStore.builder(Database.pool()).schema(schema).createSchema();
        IdempotencyKey key = Writes.key();
        try (Connection caller = Database.pool().getConnection()) {
            caller.setAutoCommit(false);
            var bound =
                    JdbcIdempotencyStore.builder(boundTo(caller)).schema(schema).build();

            assertThat(bound.reserve(Writes.reservation(key)).applied()).isTrue();
            assertThat(caller.getAutoCommit()).isFalse();
            caller.createStatement().execute("CREATE TABLE " + schema + ".undone (id integer)");
            caller.rollback();
        }

        assertThat(JdbcIdempotencyStore.builder(Database.pool())
                        .schema(schema)
                        .build()
                        .find(key)
                        .record())
                .isNotNull();
        boolean undone = Jdbi.create(Database.pool())
                .withHandle(handle -> handle.createQuery("SELECT to_regclass(?) IS NULL")
                        .bind(0, schema + ".undone")
                        .mapTo(Boolean.class)
                        .one());
        assertThat(undone).isTrue();
    }

    @Test
    void dataSource_boundToAnAbortedTransaction_isRefusedBeforeAnythingIsWritten() throws SQLException {
        try (Connection caller = Database.pool().getConnection()) {
            caller.setAutoCommit(false);
            assertThatThrownBy(() -> caller.createStatement().execute("SELECT 1/0"))
                    .isInstanceOf(SQLException.class);

            assertThatThrownBy(() -> JdbcIdempotencyStore.create(boundTo(caller)))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("(FAILED)");
            caller.rollback();
        }
    }

    @Test
    void dataSource_ofAnotherDriver_isRefused() {
        DataSource other = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (c, m, a) -> m.getReturnType() == boolean.class ? false : null));

        assertThatThrownBy(() -> JdbcIdempotencyStore.create(other)).hasMessageContaining("org.postgresql driver");
    }

    @Test
    void session_thatBecameReadOnly_saysSoAndThatNothingWasWritten() {
        String schema = Database.schema();
        String role = "reader_" + schema;
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE ROLE " + role + " LOGIN SUPERUSER");
        });
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setUser(role);
        var opened = JdbcIdempotencyStore.builder(dataSource)
                .schema(schema)
                .createSchema()
                .build();
        Jdbi.create(Database.pool())
                .useHandle(handle -> handle.execute("ALTER ROLE " + role + " SET default_transaction_read_only = on"));

        assertThatThrownBy(() -> opened.reserve(Writes.reservation(Writes.key())))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isFalse())
                .hasMessageContaining("read only");
        assertThatThrownBy(() ->
                        JdbcIdempotencyStore.builder(dataSource).schema(schema).build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("default_transaction_read_only");
    }

    @Test
    void searchPath_ofAnotherSession_doesNotChangeTheTable() {
        String ours = Database.schema();
        String theirs = Database.schema();
        JdbcIdempotencyStore.builder(Database.pool()).schema(theirs).createSchema();
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setCurrentSchema(ours + "," + theirs);
        var opened = JdbcIdempotencyStore.builder(dataSource)
                .schema(ours)
                .createSchema()
                .build();
        var unnamed = JdbcIdempotencyStore.create(dataSource);
        dataSource.setCurrentSchema(theirs);
        var key = Writes.key();

        unnamed.reserve(Writes.reservation(key));

        assertThat(opened.find(key).record()).isNotNull();
    }

    @Test
    void pool_thatIsExhausted_saysSoAndThatNothingWasSent() throws SQLException {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(250);
        try (var pool = new HikariDataSource(config)) {
            var opened = JdbcIdempotencyStore.builder(pool)
                    .schema(Database.schema())
                    .createSchema()
                    .build();
            try (Connection held = pool.getConnection()) {
                assertThatThrownBy(() -> opened.reserve(Writes.reservation(Writes.key())))
                        .isInstanceOfSatisfying(
                                StoreException.class,
                                failure -> assertThat(failure.mayHaveWritten()).isFalse())
                        .hasMessageContaining("nothing was sent")
                        .hasMessageContaining("pool of its own");
            }
        }
    }

    /** What a transaction-aware proxy does: everybody in the thread gets the one connection, and nobody closes it. */
    private static DataSource boundTo(Connection caller) {
        Connection unclosable = (Connection) Proxy.newProxyInstance(
                TransactionsTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        return null;
                    }
                    try {
                        return method.invoke(caller, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return (DataSource) Proxy.newProxyInstance(
                TransactionsTest.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> unclosable);
    }
}

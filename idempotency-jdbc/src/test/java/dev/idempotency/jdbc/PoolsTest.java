package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mchange.v2.c3p0.ComboPooledDataSource;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.AgroalConnectionFactoryConfiguration.TransactionIsolation;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.apache.tomcat.jdbc.pool.PoolProperties;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** Who shares the store's pool finds its connections as they were. */
@Timeout(120)
final class PoolsTest {
    /** Pools with one connection, so that the next user gets the very one that the store had. */
    enum Pool {
        HIKARI {
            @Override
            DataSource open() {
                var config = new HikariConfig();
                config.setJdbcUrl(url());
                config.setMaximumPoolSize(1);
                return new HikariDataSource(config);
            }
        },
        HIKARI_STRICT {
            @Override
            DataSource open() {
                var config = new HikariConfig();
                config.setJdbcUrl(url());
                config.setMaximumPoolSize(1);
                config.setAutoCommit(false);
                config.setReadOnly(true);
                config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
                return new HikariDataSource(config);
            }
        },
        DBCP2 {
            @Override
            DataSource open() {
                return dbcp2();
            }
        },
        DBCP2_STRICT {
            @Override
            DataSource open() {
                BasicDataSource pool = dbcp2();
                pool.setDefaultAutoCommit(false);
                pool.setDefaultReadOnly(true);
                pool.setDefaultTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                return pool;
            }
        },
        TOMCAT {
            @Override
            DataSource open() {
                return new org.apache.tomcat.jdbc.pool.DataSource(tomcat());
            }
        },
        TOMCAT_STRICT {
            @Override
            DataSource open() {
                PoolProperties properties = tomcat();
                properties.setDefaultAutoCommit(false);
                properties.setDefaultReadOnly(true);
                properties.setDefaultTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                return new org.apache.tomcat.jdbc.pool.DataSource(properties);
            }
        },
        C3P0 {
            @Override
            DataSource open() {
                var pool = new ComboPooledDataSource();
                pool.setJdbcUrl(url());
                pool.setMinPoolSize(1);
                pool.setInitialPoolSize(1);
                pool.setMaxPoolSize(1);
                return pool;
            }
        },
        AGROAL {
            @Override
            DataSource open() throws SQLException {
                return agroal(true, TransactionIsolation.UNDEFINED);
            }
        },
        AGROAL_STRICT {
            @Override
            DataSource open() throws SQLException {
                return agroal(false, TransactionIsolation.SERIALIZABLE);
            }
        },
        /** One connection that nobody ever closes or puts right: what a framework binds to a thread. */
        BOUND {
            @Override
            DataSource open() throws SQLException {
                var plain = new PGSimpleDataSource();
                plain.setUrl(url());
                Connection only = plain.getConnection();
                Connection unclosable = (Connection) Proxy.newProxyInstance(
                        Pool.class.getClassLoader(), new Class<?>[] {Connection.class}, (self, method, arguments) -> {
                            if (method.getName().equals("close")) {
                                return null;
                            }
                            try {
                                return method.invoke(only, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
                return (DataSource) Proxy.newProxyInstance(
                        Pool.class.getClassLoader(),
                        new Class<?>[] {DataSource.class},
                        (self, method, arguments) -> unclosable);
            }
        };

        abstract DataSource open() throws SQLException;

        static String url() {
            return Database.server().jdbcUrl();
        }

        private static BasicDataSource dbcp2() {
            var pool = new BasicDataSource();
            pool.setUrl(url());
            pool.setMaxTotal(1);
            return pool;
        }

        private static PoolProperties tomcat() {
            var properties = new PoolProperties();
            properties.setUrl(url());
            properties.setDriverClassName("org.postgresql.Driver");
            properties.setMaxActive(1);
            properties.setInitialSize(1);
            return properties;
        }

        private static AgroalDataSource agroal(boolean autoCommit, TransactionIsolation isolation) throws SQLException {
            return AgroalDataSource.from(new AgroalDataSourceConfigurationSupplier()
                    .connectionPoolConfiguration(pool -> pool.maxSize(1)
                            .acquisitionTimeout(Duration.ofSeconds(30))
                            .connectionFactoryConfiguration(factory -> factory.jdbcUrl(url())
                                    .autoCommit(autoCommit)
                                    .jdbcTransactionIsolation(isolation))));
        }
    }

    private record Settings(
            boolean autoCommit, boolean readOnly, int isolation, int networkTimeout, int prepareThreshold) {
        static Settings of(DataSource pool) throws SQLException {
            try (Connection connection = pool.getConnection()) {
                var settings = new Settings(
                        connection.getAutoCommit(),
                        connection.isReadOnly(),
                        connection.getTransactionIsolation(),
                        connection.getNetworkTimeout(),
                        connection.unwrap(PGConnection.class).getPrepareThreshold());
                if (!settings.autoCommit()) {
                    connection.rollback();
                }
                return settings;
            }
        }
    }

    private final String schema = Database.schema();

    private static void close(DataSource pool) throws Exception {
        if (pool instanceof AutoCloseable closeable) {
            closeable.close();
        } else if (pool instanceof org.apache.tomcat.jdbc.pool.DataSource tomcat) {
            tomcat.close();
        }
    }

    /** Steps, transactions that are committed and rolled back, and steps that are repeated for a conflict. */
    @ParameterizedTest
    @EnumSource
    void nextUserOfThePool_findsItsConnectionAsItWas(Pool kind) throws Exception {
        DataSource pool = kind.open();
        try {
            Settings before = Settings.of(pool);
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .schema(schema)
                    .createSchema()
                    .build();
            IdempotencyRecord reserved = Objects.requireNonNull(
                    store.reserve(Writes.reservation(Writes.key())).record());
            assertThat(Settings.of(pool)).as("after a step").isEqualTo(before);

            boolean applied =
                    store.inTransaction(transaction -> store.replace(transaction, reserved, Writes.completion(reserved))
                            .applied());
            assertThat(applied).isTrue();
            assertThat(Settings.of(pool)).as("after a commit").isEqualTo(before);

            assertThatThrownBy(() -> store.inTransaction(transaction -> {
                        throw new SQLException("by order");
                    }))
                    .hasMessage("by order");
            assertThat(Settings.of(pool)).as("after a rollback").isEqualTo(before);

            conflictOnce();
            assertThat(store.reserve(Writes.reservation(Writes.key())).applied())
                    .isTrue();
            assertThat(Settings.of(pool)).as("after a conflict").isEqualTo(before);
            assertThat(store.listUnresolved(null, 10)).hasSize(1);
            assertThat(Settings.of(pool)).as("after a list").isEqualTo(before);
        } finally {
            close(pool);
        }
    }

    /** The first insert is refused as a conflict with somebody else's would be. */
    private void conflictOnce() {
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE SEQUENCE " + schema + ".inserts");
            handle.execute("CREATE FUNCTION " + schema + ".conflict() RETURNS trigger LANGUAGE plpgsql AS $$"
                    + " BEGIN IF nextval('" + schema + ".inserts') = 1 THEN"
                    + " RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END IF; RETURN NEW; END $$");
            handle.execute("CREATE TRIGGER conflict BEFORE INSERT ON " + schema + ".idempotency_record FOR EACH ROW"
                    + " EXECUTE FUNCTION " + schema + ".conflict()");
        });
    }

    /** What the next user of the connection writes must not wait for a commit that he does not know of. */
    @ParameterizedTest
    @EnumSource(names = {"TOMCAT", "BOUND"})
    void nextUsersInsert_afterATransactionOfTheStore_isCommitted(Pool kind) throws Exception {
        DataSource pool = kind.open();
        try {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .schema(schema)
                    .createSchema()
                    .build();
            store.inTransaction(transaction -> transaction.execute("CREATE TABLE " + schema + ".other (id text)"));
            try (Connection connection = pool.getConnection();
                    var statement = connection.createStatement()) {
                statement.executeUpdate("INSERT INTO " + schema + ".other VALUES ('somebody else')");
            }

            int rows = Jdbi.create(Database.pool())
                    .withHandle(handle -> handle.createQuery("SELECT count(*) FROM " + schema + ".other")
                            .mapTo(Integer.class)
                            .one());
            assertThat(rows).isOne();
        } finally {
            close(pool);
        }
    }

    /** Behind a proxy another client may go on with the session that a step has used. */
    @Test
    void conflict_thatIsRepeated_leavesTheSessionsIsolationAlone() throws SQLException {
        var statements = new AtomicInteger();
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setOptions("-cdefault_transaction_isolation=serializable");
        DataSource watched = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    Connection connection = dataSource.getConnection();
                    return Proxy.newProxyInstance(
                            getClass().getClassLoader(), new Class<?>[] {Connection.class}, (c, called, with) -> {
                                if (called.getName().equals("setTransactionIsolation")) {
                                    statements.incrementAndGet();
                                }
                                try {
                                    return called.invoke(connection, with);
                                } catch (InvocationTargetException e) {
                                    throw e.getCause();
                                }
                            });
                });
        JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(watched)
                .schema(schema)
                .createSchema()
                .build();
        conflictOnce();

        assertThat(store.reserve(Writes.reservation(Writes.key())).applied()).isTrue();
        assertThat(statements).as("changes of the session").hasValue(0);
    }

    @Test
    void pool_thatIsExhausted_isWaitedForOnce() throws SQLException {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(250);
        try (var pool = new HikariDataSource(config)) {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .schema(schema)
                    .createSchema()
                    .build();
            try (Connection held = pool.getConnection()) {
                assertThat(held.isValid(10)).isTrue();
                assertThatThrownBy(() -> store.reserve(Writes.reservation(Writes.key())))
                        .isInstanceOfSatisfying(StoreException.class, failure -> {
                            assertThat(failure.mayHaveWritten()).isFalse();
                            assertThat(failure.isRetryable()).isFalse();
                        });
            }
        }
    }

    @Test
    void dataSource_thatThrowsWhateverItLikes_isAFailedStepThatSentNothing() {
        DataSource healthy = Database.pool();
        var broken = new Throwable[1];
        DataSource breaking = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    if (broken[0] != null) {
                        throw broken[0];
                    }
                    return method.invoke(healthy, arguments);
                });
        JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(breaking)
                .schema(schema)
                .createSchema()
                .build();

        for (Throwable failure : new Throwable[] {
            new IllegalStateException("closed"), new OutOfMemoryError("unable to create native thread")
        }) {
            broken[0] = failure;
            assertThatThrownBy(() -> store.reserve(Writes.reservation(Writes.key())))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            e -> assertThat(e.mayHaveWritten()).isFalse())
                    .hasCause(failure);
        }
    }

    @Test
    void server_thatIsNotThere_isNotTakenForAnExhaustedPool() {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl("jdbc:postgresql://127.0.0.1:1/postgres?user=postgres");

        assertThatThrownBy(() -> JdbcIdempotencyStore.create(dataSource))
                .hasMessageContaining("The server could not be reached")
                .hasMessageNotContaining("pool");
    }

    // ---- sessions that are shared between connections

    private JdbcIdempotencyStore storeOn(DataSource dataSource) {
        return JdbcIdempotencyStore.builder(dataSource)
                .schema(schema)
                .createSchema()
                .build();
    }

    private static HikariDataSource one() {
        return (HikariDataSource) open(Pool.HIKARI);
    }

    private static DataSource open(Pool pool) {
        try {
            return pool.open();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> prepared(DataSource pool) {
        return Jdbi.create(pool)
                .withHandle(handle -> handle.createQuery("SELECT name, statement FROM pg_prepared_statements")
                        .map((row, context) -> row.getString("statement"))
                        .list());
    }

    private static void untilPrepared(JdbcIdempotencyStore store, DataSource pool) {
        for (int i = 0; i < 10; i++) {
            store.reserve(Writes.reservation(Writes.key()));
        }
        assertThat(prepared(pool)).isNotEmpty();
    }

    /** What PgBouncer's transaction pooling does to a driver that prepares statements by name. */
    @Test
    void statement_whoseNameTheSessionHasAlready_failsOnceAndIsNotNamedAgain() {
        try (HikariDataSource pool = one()) {
            JdbcIdempotencyStore store = storeOn(pool);
            store.find(Writes.key());
            Jdbi.create(pool)
                    .useHandle(handle -> handle.execute("DO $$ BEGIN FOR i IN 1..100 LOOP IF NOT EXISTS (SELECT"
                            + " FROM pg_prepared_statements WHERE name = 'S_' || i) THEN"
                            + " EXECUTE format('PREPARE %I AS SELECT 1', 'S_' || i); END IF; END LOOP; END $$"));
            List<StoreException> failures = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                try {
                    store.find(Writes.key());
                } catch (StoreException e) {
                    failures.add(e);
                }
            }

            assertThat(failures).singleElement().satisfies(failure -> {
                assertThat(failure.mayHaveWritten()).isFalse();
                assertThat(failure.isRetryable()).isTrue();
            });
            assertThat(prepared(pool)).noneMatch(statement -> statement.contains("idempotency_record"));
        }
    }

    /** The reservation goes to another store's table, and that says that it was written. */
    @Test
    void reservation_thatAnotherStatementHasAnswered_isNotBelieved() {
        String other = "other_" + UUID.randomUUID().toString().replace('-', '_').substring(0, 20);
        JdbcIdempotencyStore.builder(Database.pool())
                .schema(schema)
                .table(other)
                .createSchema();
        try (HikariDataSource pool = one()) {
            JdbcIdempotencyStore store = storeOn(pool);
            untilPrepared(store, pool);
            Jdbi.create(pool)
                    .useHandle(handle -> handle.execute("DO $$ DECLARE s record; BEGIN FOR s IN SELECT name, statement,"
                            + " parameter_types::text[] AS types FROM pg_prepared_statements WHERE statement LIKE"
                            + " 'INSERT INTO \"" + schema + "\".\"idempotency_record\"%' LOOP"
                            + " EXECUTE format('DEALLOCATE %I', s.name);"
                            + " EXECUTE format('PREPARE %I (%s) AS %s', s.name, array_to_string(s.types, ', '),"
                            + " replace(s.statement, 'idempotency_record', '" + other + "')); END LOOP; END $$"));
            var write = Writes.reservation(Writes.key());

            assertThatThrownBy(() -> store.reserve(write))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.mayHaveWritten()).isTrue())
                    .hasMessageContaining("another statement")
                    .hasMessageContaining("prepareThreshold=0");

            assertThat(store.find(write.next().key()).record()).isNull();
            assertThat(store.reserve(write).applied()).isTrue();
            assertThat(Objects.requireNonNull(store.find(write.next().key()).record())
                            .state())
                    .isEqualTo(State.IN_FLIGHT);
        }
    }

    /** A proxy in front of the server tells numbers of its own. */
    @Test
    void sessionThatIsNotTheServersOwn_isNoticedAtTheStart() {
        try (HikariDataSource pool = one()) {
            DataSource proxied = (DataSource) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                        Connection connection = pool.getConnection();
                        return Proxy.newProxyInstance(
                                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (c, called, with) -> {
                                    try {
                                        Object answer = called.invoke(connection, with);
                                        return called.getName().equals("unwrap") && with[0] == PGConnection.class
                                                ? withAnotherNumber((PGConnection) answer)
                                                : answer;
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                });
                    });
            JdbcIdempotencyStore store = storeOn(proxied);
            for (int i = 0; i < 10; i++) {
                store.reserve(Writes.reservation(Writes.key()));
            }

            assertThat(prepared(pool)).isEmpty();
        }
    }

    private PGConnection withAnotherNumber(PGConnection connection) {
        return (PGConnection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {PGConnection.class}, (self, method, arguments) -> {
                    if (method.getName().equals("getBackendPID")) {
                        return connection.getBackendPID() + 1;
                    }
                    return method.invoke(connection, arguments);
                });
    }
}

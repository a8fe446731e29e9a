package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

final class JdbcProbeTest {
    private static DataSource with(String options) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setOptions(options);
        return dataSource;
    }

    private static JdbcProbe probe(DataSource dataSource) {
        return JdbcIdempotencyStore.builder(dataSource)
                .schema(Database.schema())
                .createSchema()
                .build()
                .probes()
                .get(0);
    }

    @Test
    void server_thatKeepsWhatItAcknowledges_isDurable() {
        JdbcProbe probe = probe(Database.pool());

        assertThat(probe.storeClass()).isEqualTo(StoreClass.DURABLE);
        assertThat(probe.reasons()).isEmpty();
        assertThat(probe.version()).startsWith("17.");
    }

    @Test
    void session_withAsynchronousCommit_isLossy() {
        JdbcProbe probe = probe(with("-csynchronous_commit=off"));

        assertThat(probe.storeClass()).isEqualTo(StoreClass.LOSSY);
        assertThat(probe.reasons()).singleElement().asString().startsWith("synchronous_commit is off");
    }

    @Test
    void server_withoutFsync_isLossy() {
        try (var server = PostgresServer.start(Map.of("fsync", "off", "full_page_writes", "off"))) {
            var store = JdbcIdempotencyStore.builder(server.dataSource())
                    .createSchema()
                    .build();

            assertThat(store.storeClass()).isEqualTo(StoreClass.LOSSY);
            assertThat(store.probes().get(0).reasons())
                    .anyMatch(reason -> reason.startsWith("fsync is off"))
                    .anyMatch(reason -> reason.startsWith("full_page_writes is off"));
        }
    }

    @Test
    void session_thatIsReadOnly_isRefused() {
        assertThatThrownBy(() -> probe(with("-cdefault_transaction_read_only=on")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("read only");
        assertThatThrownBy(() -> JdbcIdempotencyStore.create(with("-cdefault_transaction_read_only=on")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("default_transaction_read_only is on");
    }

    @Test
    void server_thatIsAStandby_isRefused() {
        try (var server = PostgresServer.start()) {
            JdbcIdempotencyStore.builder(server.dataSource()).createSchema();
            server.kill();
            server.restartAsStandby();

            assertThatThrownBy(() -> JdbcIdempotencyStore.create(server.dataSource()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is a standby");
        }
    }

    @Test
    void server_thatIsNotThere_isToldApart() {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl("jdbc:postgresql://127.0.0.1:1/postgres?user=postgres");

        assertThatThrownBy(() -> JdbcIdempotencyStore.create(dataSource))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isFalse())
                .hasMessageContaining("no connection");
    }

    /** A crash of the server would empty it, whatever was acknowledged. */
    @Test
    void table_thatIsUnlogged_isLossy() {
        for (String table : List.of("idempotency_record", "idempotency_record_inbox")) {
            String schema = Database.schema();
            JdbcIdempotencyStore.builder(Database.pool()).schema(schema).createSchema();
            Jdbi.create(Database.pool())
                    .useHandle(handle -> handle.execute("ALTER TABLE " + schema + "." + table + " SET UNLOGGED"));

            var store =
                    JdbcIdempotencyStore.builder(Database.pool()).schema(schema).build();

            assertThat(store.storeClass()).isEqualTo(StoreClass.LOSSY);
            assertThat(store.probes().get(0).reasons())
                    .singleElement()
                    .asString()
                    .startsWith("the table " + table + " is UNLOGGED");
        }
    }

    @Test
    void partition_thatIsUnlogged_isLossy() {
        String schema = Database.schema();
        LocalDate day = LocalDate.of(2026, 11, 22);
        var builder = JdbcIdempotencyStore.builder(Database.pool())
                .schema(schema)
                .partitionedByDay(key -> day)
                .createSchema();
        builder.build().createPartitions(day, day);
        Jdbi.create(Database.pool())
                .useHandle(handle ->
                        handle.execute("ALTER TABLE " + schema + ".idempotency_record_20261122 SET UNLOGGED"));

        assertThat(builder.build().storeClass()).isEqualTo(StoreClass.LOSSY);
    }

    /** The first request would fail for it in production. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "REVOKE USAGE ON SCHEMA ${schema} FROM ${role}; GRANT USAGE ON SCHEMA",
                "REVOKE SELECT ON ${schema}.idempotency_record FROM ${role}; GRANT SELECT ON",
                "REVOKE INSERT, UPDATE ON ${schema}.idempotency_record FROM ${role}; GRANT INSERT, UPDATE ON"
            })
    void account_thatLacksARight_isRefusedAtTheStartWithTheGrant(String revoke, String grant) {
        String schema = Database.schema();
        String role = "writer_" + schema;
        JdbcIdempotencyStore.builder(Database.pool()).schema(schema).createSchema();
        var account = new PGSimpleDataSource();
        account.setUrl(Database.server().jdbcUrl());
        account.setUser(role);
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE ROLE " + role + " LOGIN");
            handle.execute("GRANT USAGE ON SCHEMA " + schema + " TO " + role);
            handle.execute("GRANT SELECT, INSERT, UPDATE ON " + schema + ".idempotency_record TO " + role);
        });
        // What purges and people need is not needed to reserve.
        JdbcIdempotencyStore.builder(account).schema(schema).build();
        Jdbi.create(Database.pool())
                .useHandle(handle ->
                        handle.execute(revoke.replace("${schema}", schema).replace("${role}", role)));

        assertThatThrownBy(() ->
                        JdbcIdempotencyStore.builder(account).schema(schema).build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(grant);
    }

    @Test
    void right_thatIsTakenAwayLater_isNamedInTheFailure() {
        String schema = Database.schema();
        String role = "writer_" + schema;
        JdbcIdempotencyStore.builder(Database.pool()).schema(schema).createSchema();
        var account = new PGSimpleDataSource();
        account.setUrl(Database.server().jdbcUrl());
        account.setUser(role);
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE ROLE " + role + " LOGIN");
            handle.execute("GRANT USAGE ON SCHEMA " + schema + " TO " + role);
            handle.execute("GRANT SELECT, INSERT, UPDATE ON " + schema + ".idempotency_record TO " + role);
        });
        var store = JdbcIdempotencyStore.builder(account).schema(schema).build();
        Jdbi.create(Database.pool())
                .useHandle(handle -> handle.execute("REVOKE INSERT ON " + schema + ".idempotency_record FROM " + role));

        assertThatThrownBy(() -> store.reserve(Writes.reservation(Writes.key())))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isFalse())
                .hasMessageContaining("GRANT SELECT, INSERT, UPDATE, DELETE");
    }

    /** Executing the request again later would never help. */
    @Test
    void key_thatTheDatabasesEncodingDoesNotHave_isRefusedForGoodAndSaysWhy() {
        String database = "latin1_" + Database.schema();
        Jdbi.create(Database.pool())
                .useHandle(handle -> handle.execute("CREATE DATABASE " + database
                        + " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"));
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setDatabaseName(database);
        var store = JdbcIdempotencyStore.builder(dataSource).createSchema().build();

        assertThatThrownBy(() -> store.find(new IdempotencyKey("charge", "\u6ce8")))
                .isInstanceOfSatisfying(StoreException.class, failure -> {
                    assertThat(failure.mayHaveWritten()).isFalse();
                    assertThat(failure.isRetryable()).isFalse();
                })
                .hasMessageContaining("ENCODING 'UTF8'");
    }

    @Test
    void schema_thatIsNamedAsTenantsAre_canBeUsed() {
        String schema = "Tenant-42." + Database.schema();
        Jdbi.create(Database.pool()).useHandle(handle -> handle.execute("CREATE SCHEMA \"" + schema + "\""));
        var current = new PGSimpleDataSource();
        current.setUrl(Database.server().jdbcUrl());
        current.setCurrentSchema("\"" + schema + "\"");

        var store = JdbcIdempotencyStore.builder(current).createSchema().build();

        assertThat(store.table().schema()).isEqualTo(schema);
        assertThat(store.reserve(Writes.reservation(Writes.key())).applied()).isTrue();
        assertThat(store.listUnresolved(null, 10)).hasSize(1);
    }

    /** Somebody's function of the same name, on a search path that puts it first, must not move the store's clock. */
    @Test
    void clock_isTheServersOwn_whateverTheSearchPathHas() {
        String schema = Database.schema();
        Jdbi.create(Database.pool())
                .useHandle(
                        handle -> handle.execute("CREATE FUNCTION " + schema + ".clock_timestamp() RETURNS timestamptz"
                                + " LANGUAGE sql AS $$ SELECT timestamptz '2001-01-01' $$"));
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setCurrentSchema(schema + ",pg_catalog");
        var store = JdbcIdempotencyStore.builder(dataSource).createSchema().build();

        assertThat(store.reserve(Writes.reservation(Writes.key())).now())
                .isAfter(Instant.parse("2020-01-01T00:00:00Z"));
        assertThat(store.find(Writes.key()).now()).isAfter(Instant.parse("2020-01-01T00:00:00Z"));
    }
}

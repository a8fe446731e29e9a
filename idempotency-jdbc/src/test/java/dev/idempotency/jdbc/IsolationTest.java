package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import java.sql.Connection;
import java.time.Duration;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** Statements that a serializable connection is refused for ever succeed at the level that they are made for. */
final class IsolationTest {
    private static HikariDataSource serializable() {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setMaximumPoolSize(1);
        config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
        return new HikariDataSource(config);
    }

    @Test
    void conflict_thatRepeatsForEver_isOverAtReadCommitted() throws Exception {
        String schema = Database.schema();
        try (HikariDataSource pool = serializable()) {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .schema(schema)
                    .createSchema()
                    .build();
            refuseSerializableWrites(schema, "idempotency_record");
            refuseSerializableWrites(schema, "idempotency_record_inbox");

            var reserved = store.reserve(Writes.reservation(Writes.key()));
            var offered =
                    store.inbox().offer(new InboxMessage(Writes.key(), new byte[1], Map.of()), Duration.ofHours(1));

            assertThat(reserved.applied()).as("through JDBC").isTrue();
            assertThat(offered).as("through Jdbi").isEqualTo(InboxStore.Offered.ACCEPTED);
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
            }
        }
    }

    /** What PostgreSQL does by itself only while others write. */
    private static void refuseSerializableWrites(String schema, String table) {
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE OR REPLACE FUNCTION " + schema + ".refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
                    + " BEGIN IF current_setting('transaction_isolation') = 'serializable' THEN"
                    + " RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END IF; RETURN NEW; END $$");
            handle.execute("CREATE TRIGGER refuse BEFORE INSERT ON " + schema + "." + table + " FOR EACH ROW EXECUTE"
                    + " FUNCTION " + schema + ".refuse()");
        });
    }
}

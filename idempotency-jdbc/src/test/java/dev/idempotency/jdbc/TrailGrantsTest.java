package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.store.Write;
import java.time.Duration;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An account that may do what the guide grants it: enough for every act, and not for changing what is on record. */
final class TrailGrantsTest {
    private static final String SCHEMA = Database.schema();
    private static final String ACCOUNT = SCHEMA + "_account";
    private static final String AS_ACCOUNT = Database.server().jdbcUrl() + "&options=-crole%3D" + ACCOUNT;

    static {
        JdbcIdempotencyStore.Builder unused =
                JdbcIdempotencyStore.builder(Database.pool()).schema(SCHEMA).createSchema();
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE ROLE " + ACCOUNT);
            handle.execute("GRANT USAGE ON SCHEMA " + SCHEMA + " TO " + ACCOUNT);
            handle.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON " + SCHEMA + ".idempotency_record TO " + ACCOUNT);
            handle.execute("GRANT SELECT, INSERT ON " + SCHEMA + ".idempotency_record_audit TO " + ACCOUNT);
        });
    }

    private static void inDoubt(IdempotencyStore store, Write reservation) {
        var reserved = store.reserve(reservation).record();
        var doubt = reserved.with().version(2).state(State.IN_DOUBT).build();
        assertThat(store.replace(reserved, new Write(doubt, false, false, true, null, null, Duration.ZERO))
                        .applied())
                .isTrue();
    }

    @Test
    void account_withTheGrantsOfTheGuide_canDecide() {
        try (var pool = Database.pool(AS_ACCOUNT)) {
            var store = JdbcIdempotencyStore.builder(pool).schema(SCHEMA).build();
            var key = Writes.key();
            inDoubt(store, Writes.reservation(key));
            var ruling = new Admin.Ruling("ada", "the provider has it", "ticket 1");

            var admin = Admin.on(store);
            admin.resolveExecuted(key, 2, null, ruling);

            assertThat(admin.resolveExecuted(key, 2, null, ruling).version()).isEqualTo(3);
            assertThat(admin.audit(key, null, 10))
                    .extracting(AuditEntry::phase)
                    .containsExactly(AuditEntry.Phase.APPLIED, AuditEntry.Phase.INTENDED);
            assertThat(store.purge(10)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE %s.idempotency_record_audit SET who = 'somebody else'",
                "DELETE FROM %s.idempotency_record_audit",
                "TRUNCATE %s.idempotency_record_audit",
                "DROP TABLE %s.idempotency_record_audit"
            })
    void account_withTheGrantsOfTheGuide_cannotChangeWhatIsOnRecord(String statement) {
        try (var pool = Database.pool(AS_ACCOUNT)) {
            assertThatThrownBy(() -> Jdbi.create(pool).useHandle(handle -> handle.execute(statement.formatted(SCHEMA))))
                    .hasMessageMatching("(?s).*(permission denied|must be owner).*");
        }
    }
}

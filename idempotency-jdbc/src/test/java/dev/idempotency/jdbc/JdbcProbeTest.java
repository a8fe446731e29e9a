package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.PostgresServer;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
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
}

package dev.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A pool whose connections commit nothing by themselves, are read only, and serializable: as a careful application has it. */
@Execution(ExecutionMode.CONCURRENT)
final class StrictPoolContractTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = JdbcIdempotencyStore.builder(strictPool())
            .schema(Database.schema())
            .createSchema()
            .build();

    private static HikariDataSource strictPool() {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setMaximumPoolSize(20);
        config.setAutoCommit(false);
        config.setReadOnly(true);
        config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
        return new HikariDataSource(config);
    }

    @Override
    protected IdempotencyStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

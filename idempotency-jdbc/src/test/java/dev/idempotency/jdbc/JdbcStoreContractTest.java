package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
final class JdbcStoreContractTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = Database.store();

    @Override
    protected IdempotencyStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Every step shares a statement, with itself if nobody else is there. */
@Execution(ExecutionMode.CONCURRENT)
final class BatchedStoreContractTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = JdbcIdempotencyStore.builder(Database.pool())
            .schema(Database.schema())
            .singleSteps(0)
            .createSchema()
            .build();

    @Override
    protected IdempotencyStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

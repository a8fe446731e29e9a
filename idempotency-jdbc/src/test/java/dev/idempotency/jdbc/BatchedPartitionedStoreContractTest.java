package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Steps of several days share a statement. */
@Execution(ExecutionMode.CONCURRENT)
final class BatchedPartitionedStoreContractTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = PartitionedStoreContractTest.partitioned(
            JdbcIdempotencyStore.builder(Database.pool()).singleSteps(0));

    @Override
    protected IdempotencyStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

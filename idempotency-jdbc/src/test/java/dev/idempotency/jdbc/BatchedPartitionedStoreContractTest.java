package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import java.time.LocalDate;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Steps of several days share a statement. */
@Execution(ExecutionMode.CONCURRENT)
final class BatchedPartitionedStoreContractTest extends IdempotencyStoreContract {
    private static final LocalDate FIRST = LocalDate.of(2026, 1, 1);
    private static final int DAYS = 3;
    private static final JdbcIdempotencyStore STORE = JdbcIdempotencyStore.builder(Database.pool())
            .schema(Database.schema())
            .partitionedByDay(key -> FIRST.plusDays(Math.floorMod(key.hashCode(), DAYS)))
            .singleSteps(0)
            .createSchema()
            .build();

    static {
        STORE.createPartitions(FIRST, FIRST.plusDays(DAYS - 1));
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

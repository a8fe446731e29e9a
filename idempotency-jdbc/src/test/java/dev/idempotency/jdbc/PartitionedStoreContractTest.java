package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import java.time.LocalDate;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract's keys tell no day, so each gets one from its hash. */
@Execution(ExecutionMode.CONCURRENT)
final class PartitionedStoreContractTest extends IdempotencyStoreContract {
    private static final LocalDate FIRST = LocalDate.of(2026, 1, 1);
    private static final int DAYS = 3;
    private static final JdbcIdempotencyStore STORE = partitioned(JdbcIdempotencyStore.builder(Database.pool()));

    /** A store on a table of its own, with the partitions that it needs. */
    static JdbcIdempotencyStore partitioned(JdbcIdempotencyStore.Builder builder) {
        JdbcIdempotencyStore store = builder.schema(Database.schema())
                .partitionedByDay(key -> FIRST.plusDays(Math.floorMod(key.hashCode(), DAYS)))
                .createSchema()
                .build();
        store.createPartitions(FIRST, FIRST.plusDays(DAYS - 1));
        return store;
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

package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.WaitingStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract, by the asynchronous steps: some go by themselves, and some share a statement. */
@Execution(ExecutionMode.CONCURRENT)
final class JdbcAsyncStepsTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = JdbcIdempotencyStore.builder(Database.pool())
            .schema(Database.schema())
            .singleSteps(2)
            .createSchema()
            .build();

    @Override
    protected IdempotencyStore store() {
        return new WaitingStore(STORE);
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.WaitingStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract, by the asynchronous steps. */
@Execution(ExecutionMode.CONCURRENT)
final class RedisAsyncStepsTest extends IdempotencyStoreContract {
    private static final RedisIdempotencyStore STORE = Redises.standalone().build();

    @AfterAll
    static void close() {
        STORE.close();
    }

    @Override
    protected IdempotencyStore store() {
        return new WaitingStore(STORE);
    }

    @Override
    protected void elapse(Duration duration) {
        Redises.pass(duration);
    }
}

package dev.idempotency.redis;

import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.junit.InboxContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
final class RedisClusterInboxContractTest extends InboxContract {
    private static final RedisIdempotencyStore STORE = Redises.clustered().build();

    @AfterAll
    static void close() {
        STORE.close();
    }

    @Override
    protected InboxStore inbox() {
        return STORE.inbox();
    }

    @Override
    protected void elapse(Duration duration) {
        Redises.pass(duration);
    }
}

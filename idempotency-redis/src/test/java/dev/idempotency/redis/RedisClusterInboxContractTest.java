package dev.idempotency.redis;

import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.junit.InboxContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

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

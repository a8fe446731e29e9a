package dev.idempotency.redis;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.junit.AuditedStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

final class RedisClusterTrailContractTest extends AuditedStoreContract {
    private static final RedisIdempotencyStore STORE = Redises.clustered().build();

    @AfterAll
    static void close() {
        STORE.close();
    }

    @Override
    protected AuditedStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Redises.pass(duration);
    }
}

package dev.idempotency.redis;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.engine.AdminContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

final class RedisAdminTest extends AdminContract {
    private static final RedisIdempotencyStore STORE = Redises.standalone().build();

    @AfterAll
    static void closeStore() {
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

package dev.idempotency.redis;

import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.testkit.junit.VersionGuardContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

final class RedisVersionGuardContractTest extends VersionGuardContract {
    private static final RedisIdempotencyStore STORE = Redises.standalone().build();

    @AfterAll
    static void close() {
        STORE.close();
    }

    @Override
    protected VersionGuard guard() {
        return STORE.versionGuard();
    }

    @Override
    protected void elapse(Duration duration) {
        Redises.pass(duration);
    }
}

package dev.idempotency.redis;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.engine.AdminCrashContract;
import dev.idempotency.testkit.process.CrashMatrix;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;

final class RedisAdminCrashTest extends AdminCrashContract {
    private static final String PREFIX = "admin-crash:" + UUID.randomUUID();
    private static final RedisIdempotencyStore STORE =
            Redises.standalone().prefix(PREFIX).build();

    @AfterAll
    static void close() {
        STORE.close();
    }

    @Override
    protected Class<? extends CrashMatrix.Opener> opener() {
        return RedisCrashMatrixTest.OnRedis.class;
    }

    @Override
    protected String address() {
        return Redises.Standalone.SERVER.uri() + "#" + PREFIX;
    }

    @Override
    protected AuditedStore store() {
        return STORE;
    }
}

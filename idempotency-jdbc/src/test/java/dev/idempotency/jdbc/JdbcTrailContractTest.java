package dev.idempotency.jdbc;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.junit.AuditedStoreContract;
import java.time.Duration;

final class JdbcTrailContractTest extends AuditedStoreContract {
    private static final JdbcIdempotencyStore STORE = Database.store();

    @Override
    protected AuditedStore store() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

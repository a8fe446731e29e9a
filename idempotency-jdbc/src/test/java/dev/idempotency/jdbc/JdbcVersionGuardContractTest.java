package dev.idempotency.jdbc;

import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.testkit.junit.VersionGuardContract;
import java.time.Duration;

final class JdbcVersionGuardContractTest extends VersionGuardContract {
    private static final VersionGuard STORE = Database.store().versionGuard();

    @Override
    protected VersionGuard guard() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import java.time.Instant;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

final class JdbcStoreContractTest extends IdempotencyStoreContract {
    private static final JdbcIdempotencyStore STORE = Database.store();

    @Override
    protected IdempotencyStore store() {
        return STORE;
    }

    /** The server's clock is the one that must move. */
    @Override
    protected void elapse(Duration duration) {
        Jdbi.create(Database.pool()).useHandle(handle -> {
            Instant end = now(handle).plus(duration);
            while (now(handle).isBefore(end)) {
                handle.createQuery("SELECT 1 FROM pg_sleep(0.001)")
                        .mapTo(Integer.class)
                        .one();
            }
        });
    }

    private static Instant now(Handle handle) {
        return handle.createQuery("SELECT clock_timestamp()")
                .mapTo(Instant.class)
                .one();
    }
}

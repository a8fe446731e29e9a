package dev.idempotency.jdbc;

import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.junit.InboxContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
final class JdbcInboxContractTest extends InboxContract {
    private static final InboxStore STORE = Database.store().inbox();

    @Override
    protected InboxStore inbox() {
        return STORE;
    }

    @Override
    protected void elapse(Duration duration) {
        Database.elapse(duration);
    }
}

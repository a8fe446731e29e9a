package dev.idempotency.testkit.engine;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.time.Duration;
import java.time.Instant;

final class ReferenceAdminTest extends AdminContract {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final ReferenceStore store = new ReferenceStore(clock);

    @Override
    protected AuditedStore store() {
        return store;
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

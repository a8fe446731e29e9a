package dev.idempotency.testkit.engine;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.ManualClock;
import java.time.Duration;
import java.time.Instant;

final class CaffeineAdminTest extends AdminContract {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final CaffeineIdempotencyStore store =
            CaffeineIdempotencyStore.create(10_000, clock::nanoTime, clock.instant());

    @Override
    protected AuditedStore store() {
        return store;
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

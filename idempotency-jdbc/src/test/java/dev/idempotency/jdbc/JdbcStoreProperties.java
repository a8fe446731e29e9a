package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.StoreModelProperties;
import java.time.Duration;
import java.time.Instant;

final class JdbcStoreProperties extends StoreModelProperties {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00.123456Z"));

    @Override
    protected IdempotencyStore store() {
        return new ManualTime(clock);
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

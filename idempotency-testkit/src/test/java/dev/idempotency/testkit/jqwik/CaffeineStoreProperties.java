package dev.idempotency.testkit.jqwik;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import java.time.Duration;
import java.time.Instant;

final class CaffeineStoreProperties extends StoreModelProperties {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");

    private final ManualClock clock = new ManualClock(START);

    @Override
    protected IdempotencyStore store() {
        return CaffeineIdempotencyStore.create(100, clock::nanoTime, clock.instant());
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

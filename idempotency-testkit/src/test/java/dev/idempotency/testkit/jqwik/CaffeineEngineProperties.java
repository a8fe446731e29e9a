package dev.idempotency.testkit.jqwik;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;

final class CaffeineEngineProperties extends EngineModelProperties {
    @Override
    protected IdempotencyStore store(ManualClock clock) {
        return CaffeineIdempotencyStore.create(100, clock::nanoTime, clock.instant());
    }
}

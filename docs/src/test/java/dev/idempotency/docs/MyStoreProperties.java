package dev.idempotency.docs;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.StoreModelProperties;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;

// tag::properties[]
final class MyStoreProperties extends StoreModelProperties {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));

    @Override
    protected IdempotencyStore store() {
        return new MyStore(new ConcurrentHashMap<>(), clock);
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}
// end::properties[]

package dev.idempotency.docs;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;

// tag::contract[]
final class MyStoreTest extends IdempotencyStoreContract {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final MyStore store = new MyStore(new ConcurrentHashMap<>(), clock);

    @Override
    protected IdempotencyStore store() {
        return store;
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}
// end::contract[]

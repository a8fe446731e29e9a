package dev.idempotency.testkit.junit;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.ManualClock;
import java.time.Duration;
import java.time.Instant;

final class CaffeineInboxTest extends InboxContract {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");

    private final ManualClock clock = new ManualClock(START);
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create(10_000, clock::nanoTime, START);

    @Override
    protected InboxStore inbox() {
        return store.inbox();
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

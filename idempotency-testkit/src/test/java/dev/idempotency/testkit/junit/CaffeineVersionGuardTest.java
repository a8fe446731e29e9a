package dev.idempotency.testkit.junit;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.testkit.ManualClock;
import java.time.Duration;
import java.time.Instant;

final class CaffeineVersionGuardTest extends VersionGuardContract {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");

    private final ManualClock clock = new ManualClock(START);
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create(10_000, clock::nanoTime, START);

    @Override
    protected VersionGuard guard() {
        return store.versionGuard();
    }

    @Override
    protected void elapse(Duration duration) {
        clock.advance(duration);
    }
}

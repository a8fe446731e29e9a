package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.StoreComparison;
import dev.idempotency.testkit.jqwik.StoreModelProperties;
import java.time.Duration;
import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.ActionChain;

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

    /** Fewer than in memory: each step is a round trip. */
    @Override
    @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED)
    public void steps_onStoreAndReference_haveTheSameAnswers(@ForAll("sequences") ActionChain<StoreComparison> chain) {
        super.steps_onStoreAndReference_haveTheSameAnswers(chain);
    }
}

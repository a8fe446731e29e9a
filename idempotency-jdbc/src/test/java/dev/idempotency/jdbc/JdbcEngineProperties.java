package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.EngineModelProperties;

final class JdbcEngineProperties extends EngineModelProperties {
    @Override
    protected IdempotencyStore store(ManualClock clock) {
        return new ManualTime(clock);
    }
}

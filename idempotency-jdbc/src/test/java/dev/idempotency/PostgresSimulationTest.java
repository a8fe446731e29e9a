package dev.idempotency;

import dev.idempotency.jdbc.ManualTime;
import dev.idempotency.store.IdempotencyStore;
import java.time.InstantSource;

final class PostgresSimulationTest extends RealStoreSimulation {
    @Override
    IdempotencyStore store(InstantSource clock) {
        return new ManualTime(clock);
    }
}

package dev.idempotency;

import dev.idempotency.redis.SimulatedTime;
import dev.idempotency.store.IdempotencyStore;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;

final class RedisSimulationTest extends RealStoreSimulation {
    @AfterAll
    static void close() {
        SimulatedTime.close();
    }

    @Override
    IdempotencyStore store(InstantSource clock) {
        return SimulatedTime.standalone(clock);
    }
}

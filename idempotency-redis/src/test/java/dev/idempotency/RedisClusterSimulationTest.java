package dev.idempotency;

import dev.idempotency.redis.SimulatedTime;
import dev.idempotency.store.IdempotencyStore;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;

final class RedisClusterSimulationTest extends RealStoreSimulation {
    @AfterAll
    static void close() {
        SimulatedTime.close();
    }

    @Override
    IdempotencyStore store(InstantSource clock) {
        return SimulatedTime.clustered(clock);
    }

    /** Each tick of the clock is told to every shard. */
    @Override
    long seeds() {
        return Math.max(1, super.seeds() / 3);
    }
}

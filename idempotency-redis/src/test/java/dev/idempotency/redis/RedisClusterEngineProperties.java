package dev.idempotency.redis;

import dev.idempotency.testkit.ManualClock;
import java.time.Instant;
import java.util.UUID;
import net.jqwik.api.lifecycle.AfterContainer;

final class RedisClusterEngineProperties extends RedisEngineModel {
    private static final SteppedClock STORE = new SteppedClock(
            Redises.clustered(),
            "test:" + UUID.randomUUID(),
            Redises.Clustered.CLIENT.connect().async(),
            new ManualClock(Instant.EPOCH));

    RedisClusterEngineProperties() {
        super(STORE);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

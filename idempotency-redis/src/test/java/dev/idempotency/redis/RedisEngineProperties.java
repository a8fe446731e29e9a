package dev.idempotency.redis;

import dev.idempotency.testkit.ManualClock;
import java.time.Instant;
import java.util.UUID;
import net.jqwik.api.lifecycle.AfterContainer;

final class RedisEngineProperties extends RedisEngineModel {
    private static final SteppedClock STORE = new SteppedClock(
            Redises.standalone(),
            "test:" + UUID.randomUUID(),
            Redises.Standalone.CLIENT.connect().async(),
            new ManualClock(Instant.EPOCH));

    RedisEngineProperties() {
        super(STORE);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

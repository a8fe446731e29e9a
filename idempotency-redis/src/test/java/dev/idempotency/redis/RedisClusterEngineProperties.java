package dev.idempotency.redis;

import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.EngineScenario;
import java.time.Instant;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.state.ActionChain;

final class RedisClusterEngineProperties extends RedisEngineModel {
    private static final SteppedClock STORE = new SteppedClock(
            Redises.clustered(),
            "test:" + UUID.randomUUID(),
            Redises.Clustered.CLIENT.connect().async(),
            new ManualClock(Instant.EPOCH));

    RedisClusterEngineProperties() {
        super(STORE);
    }

    /** The scripts are those of one server; what differs is where they run. */
    @Override
    @Property(tries = 20, shrinking = ShrinkingMode.BOUNDED)
    public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
        super.steps_anyPolicy_haveOneEffectAndOneAnswer(chain);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

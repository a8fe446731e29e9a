package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.EngineModelProperties;
import dev.idempotency.testkit.jqwik.EngineScenario;
import java.time.Instant;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.state.ActionChain;

final class RedisEngineProperties extends EngineModelProperties {
    private static final SteppedClock STORE = new SteppedClock(
            Redises.standalone(),
            "test:" + UUID.randomUUID(),
            Redises.Standalone.CLIENT.connect().async(),
            new ManualClock(Instant.EPOCH));

    @AfterContainer
    static void close() {
        STORE.close();
    }

    @Override
    @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED)
    public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
        super.steps_anyPolicy_haveOneEffectAndOneAnswer(chain);
    }

    @Override
    protected IdempotencyStore store(ManualClock clock) {
        STORE.follow(clock);
        return STORE;
    }
}

package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.EngineModelProperties;
import dev.idempotency.testkit.jqwik.EngineScenario;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.ActionChain;

/** The engine's properties on a store with a stepped clock, which all sequences share. */
abstract class RedisEngineModel extends EngineModelProperties {
    private final SteppedClock store;

    RedisEngineModel(SteppedClock store) {
        this.store = store;
    }

    @Override
    @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED)
    public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
        super.steps_anyPolicy_haveOneEffectAndOneAnswer(chain);
    }

    @Override
    protected IdempotencyStore store(ManualClock clock) {
        store.follow(clock);
        return store;
    }
}

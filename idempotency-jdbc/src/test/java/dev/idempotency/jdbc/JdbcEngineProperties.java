package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.jqwik.EngineModelProperties;
import dev.idempotency.testkit.jqwik.EngineScenario;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.ActionChain;

final class JdbcEngineProperties extends EngineModelProperties {
    @Override
    protected IdempotencyStore store(ManualClock clock) {
        return new ManualTime(clock);
    }

    /** Fewer than in memory: each step is a round trip. */
    @Override
    @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED)
    public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
        super.steps_anyPolicy_haveOneEffectAndOneAnswer(chain);
    }
}

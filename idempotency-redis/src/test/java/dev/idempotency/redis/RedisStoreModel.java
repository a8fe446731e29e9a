package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.jqwik.StoreComparison;
import dev.idempotency.testkit.jqwik.StoreModelProperties;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.ActionChain;

/** The store's properties on the server's own time, with pauses that can be waited for. */
abstract class RedisStoreModel extends StoreModelProperties {
    private final RedisIdempotencyStore store;

    RedisStoreModel(RedisIdempotencyStore store) {
        this.store = store;
    }

    @Override
    @Property(tries = 30, shrinking = ShrinkingMode.BOUNDED)
    public void steps_onStoreAndReference_haveTheSameAnswers(@ForAll("sequences") ActionChain<StoreComparison> chain) {
        super.steps_onStoreAndReference_haveTheSameAnswers(chain);
    }

    @Override
    protected IdempotencyStore store() {
        return store;
    }

    @Override
    protected void elapse(Duration duration) {
        Redises.pass(duration);
    }

    @Override
    protected Duration longestPause() {
        return Duration.ofMillis(10);
    }
}

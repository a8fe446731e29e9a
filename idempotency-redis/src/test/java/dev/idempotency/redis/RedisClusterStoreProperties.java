package dev.idempotency.redis;

import dev.idempotency.testkit.jqwik.StoreComparison;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.state.ActionChain;

final class RedisClusterStoreProperties extends RedisStoreModel {
    private static final RedisIdempotencyStore STORE = Redises.clustered().build();

    RedisClusterStoreProperties() {
        super(STORE);
    }

    /** The scripts are those of one server; what differs is where they run. */
    @Override
    @Property(tries = 10, shrinking = ShrinkingMode.BOUNDED)
    public void steps_onStoreAndReference_haveTheSameAnswers(@ForAll("sequences") ActionChain<StoreComparison> chain) {
        super.steps_onStoreAndReference_haveTheSameAnswers(chain);
    }

    @AfterContainer
    static void close() {
        STORE.close();
    }
}

package dev.idempotency.testkit.jqwik;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.BrokenStores;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.state.ActionChain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.testkit.engine.EngineTestKit;

@Execution(ExecutionMode.SAME_THREAD)
final class PropertiesCatchBrokenStoresTest {
    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, IdempotencyStore> candidate = ReferenceStore::new;

    /** The properties, run on {@link #candidate} with a fixed seed. Not found by the build, only by these tests. */
    static final class Candidate extends StoreModelProperties {
        private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));

        @Override
        protected IdempotencyStore store() {
            return candidate.apply(clock);
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }

        @Override
        @Property(seed = "20260101", tries = 300, shrinking = ShrinkingMode.OFF)
        public void steps_onStoreAndReference_haveTheSameAnswers(
                @ForAll("sequences") ActionChain<StoreComparison> chain) {
            super.steps_onStoreAndReference_haveTheSameAnswers(chain);
        }
    }

    /** All but those that need threads, many records, long histories, large versions, odd keys or bad arguments. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {
                "LOOKS_THEN_RESERVES",
                "LOOKS_THEN_REPLACES",
                "LOOKS_THEN_PURGES",
                "EVICTS_LIVE_RECORDS",
                "CUTS_EVIDENCE",
                "NARROWS_VERSIONS",
                "TRIMS_KEYS",
                "TAKES_THE_CALLERS_TIMES",
                "RENEWS_REPEATED_RESERVE",
                "LOSES_THE_CURSOR",
                "ACCEPTS_ANY_LIMIT",
                "CHANGES_ITS_CLASS"
            })
    void properties_brokenStore_fail(BrokenStores broken) {
        assertThat(failuresOf(broken::on)).isEqualTo(1);
    }

    @Test
    void properties_referenceStore_hold() {
        assertThat(failuresOf(ReferenceStore::new)).isZero();
    }

    private static long failuresOf(Function<ManualClock, IdempotencyStore> store) {
        candidate = store;
        var tests = EngineTestKit.engine("jqwik")
                .selectors(selectClass(Candidate.class))
                .configurationParameter("jqwik.database", "")
                .configurationParameter("jqwik.reporting.onlyfailures", "true")
                .execute()
                .testEvents();
        assertThat(tests.finished().count()).isEqualTo(1);
        return tests.failed().count();
    }
}

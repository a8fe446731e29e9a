package dev.idempotency.testkit.jqwik;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.BrokenStores;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.net.ConnectException;
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
final class EnginePropertiesCatchFaultsTest {
    private static final FailureClassifier RIGHT =
            FailureClassifier.conservative().on(ConnectException.class, FailureClass.NOT_SENT);

    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, IdempotencyStore> store = ReferenceStore::new;

    private static volatile FailureClassifier classifier = RIGHT;

    /** The property with a fixed seed. Not found by the build, only by these tests. */
    static final class Candidate extends EngineModelProperties {
        @Override
        protected IdempotencyStore store(ManualClock clock) {
            return store.apply(clock);
        }

        @Override
        FailureClassifier failures() {
            return classifier;
        }

        @Override
        @Property(seed = "20260101", tries = 300, shrinking = ShrinkingMode.OFF)
        public void steps_anyPolicy_haveOneEffectAndOneAnswer(@ForAll("sequences") ActionChain<EngineScenario> chain) {
            super.steps_anyPolicy_haveOneEffectAndOneAnswer(chain);
        }
    }

    @Test
    void property_referenceStore_holds() {
        assertThat(failuresOf(ReferenceStore::new, RIGHT)).isZero();
    }

    @Test
    void property_classifierThatFreesEveryKey_fails() {
        assertThat(failuresOf(ReferenceStore::new, failure -> FailureClass.NOT_EXECUTED))
                .isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(
            names = {
                "OVERWRITES",
                "TAKES_OVER_LAPSED",
                "FORGETS_THE_GENERATION",
                "LOSES_DECLINES",
                "EXPIRES_LIVE_RECORDS",
                "PURGES_UNRESOLVED",
                "PURGES_TOO_EARLY"
            })
    void property_brokenStore_fails(BrokenStores broken) {
        assertThat(failuresOf(broken::on, RIGHT)).isEqualTo(1);
    }

    private static long failuresOf(Function<ManualClock, IdempotencyStore> candidate, FailureClassifier failures) {
        store = candidate;
        classifier = failures;
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

package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClassifier;
import dev.idempotency.ProviderProfile;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.app.BrokenAdapters;
import dev.idempotency.testkit.app.BrokenApps.Receipt;
import dev.idempotency.testkit.app.ProviderAdapter;
import dev.idempotency.testkit.app.ProviderWire;
import java.util.Arrays;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Execution(ExecutionMode.SAME_THREAD)
final class ContractCatchesBrokenAdaptersTest {
    private static final Clauses CLAUSES = new Clauses(ProviderAdapterContract.class);

    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile BrokenAdapters adapter = BrokenAdapters.SOUND;

    /** The contract. Not found by the build, only by these tests. */
    static final class Candidate extends ProviderAdapterContract<String, Receipt> {
        @Override
        protected ProviderAdapter<String, Receipt> connect(UnreliableProvider provider) {
            return adapter.on(ProviderWire.to(provider));
        }

        @Override
        protected ProviderBehavior behavior() {
            return BrokenAdapters.behavior();
        }

        @Override
        protected String request(int number) {
            return "order-" + number;
        }

        @Override
        protected FailureClassifier failures() {
            return adapter.failures();
        }

        @Override
        protected boolean isAbout(Receipt result, Effect effect) {
            return result.id().equals(effect.effectId());
        }

        @Override
        protected ProviderProfile profile() {
            return adapter.profile();
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_broken_failsItsClause(BrokenAdapters broken) {
        adapter = broken;

        var failed = CLAUSES.failedBy(Candidate.class);

        if (broken.clause() == null) {
            assertThat(failed).isEmpty();
        } else {
            assertThat(failed).contains(broken.clause());
        }
    }

    @Test
    void everyClause_isBrokenBySomeAdapter() {
        var broken = new TreeSet<>(Clauses.BY_NUMBER);
        Arrays.stream(BrokenAdapters.values())
                .filter(one -> one.clause() != null)
                .forEach(one -> broken.add(one.clause()));

        assertThat(broken).containsExactlyElementsOf(CLAUSES.all().keySet());
    }
}

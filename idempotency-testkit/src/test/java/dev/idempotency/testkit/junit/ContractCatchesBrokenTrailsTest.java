package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.BrokenTrails;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.StoreWithTrail;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Execution(ExecutionMode.SAME_THREAD)
final class ContractCatchesBrokenTrailsTest {
    private static final Clauses CLAUSES = new Clauses(AuditedStoreContract.class);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.987654321Z");

    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, AuditedStore> candidate = ReferenceStore::new;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends AuditedStoreContract {
        private final ManualClock clock = new ManualClock(START);
        private final AuditedStore store = candidate.apply(clock);

        @Override
        protected AuditedStore store() {
            return store;
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenTrail_failsExactlyItsClauses(BrokenTrails broken) {
        assertThat(clausesFailedBy(broken::on)).isEqualTo(Clauses.sorted(broken.violates()));
    }

    @Test
    void contract_referenceStoreAndTrailBesideOne_failNone() {
        assertThat(clausesFailedBy(ReferenceStore::new)).isEmpty();
        assertThat(clausesFailedBy(clock -> new StoreWithTrail(new ReferenceStore(clock))))
                .isEmpty();
    }

    @Test
    void contract_eachClause_isBrokenBySomeTrail() {
        var broken = new TreeSet<String>();
        EnumSet.allOf(BrokenTrails.class).forEach(trail -> broken.addAll(trail.violates()));

        assertThat(broken).isEqualTo(CLAUSES.all().keySet());
    }

    @Test
    void document_clauses_areThoseOfTheTests() throws IOException {
        CLAUSES.assertDocumented("store-contract.md", "A");
    }

    private static SortedSet<String> clausesFailedBy(Function<ManualClock, AuditedStore> store) {
        candidate = store;
        return CLAUSES.failedBy(Candidate.class);
    }
}

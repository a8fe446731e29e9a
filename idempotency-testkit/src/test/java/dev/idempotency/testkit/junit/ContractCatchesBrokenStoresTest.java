package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.BrokenStores;
import dev.idempotency.testkit.LossyStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
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
final class ContractCatchesBrokenStoresTest {
    private static final Clauses CLAUSES = new Clauses(IdempotencyStoreContract.class);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    /** Threads race here: a store with another fault may fail it too, or may not. */
    private static final String RACE = "S37";

    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, IdempotencyStore> candidate = ReferenceStore::new;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends IdempotencyStoreContract {
        private final ManualClock clock = new ManualClock(START);
        private final IdempotencyStore store = candidate.apply(clock);

        @Override
        protected IdempotencyStore store() {
            return store;
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenStore_failsExactlyItsClauses(BrokenStores broken) {
        var failed = clausesFailedBy(broken::on);
        if (!broken.violates().contains(RACE)) {
            failed.remove(RACE);
        }

        assertThat(failed).isEqualTo(Clauses.sorted(broken.violates()));
    }

    @Test
    void contract_referenceStoreAndLossyStoreWithoutFailover_failNone() {
        assertThat(clausesFailedBy(ReferenceStore::new)).isEmpty();
        assertThat(clausesFailedBy(LossyStore::new)).isEmpty();
    }

    @Test
    void contract_eachClause_isBrokenBySomeStore() {
        var broken = new TreeSet<>(Clauses.BY_NUMBER);
        EnumSet.allOf(BrokenStores.class).forEach(store -> broken.addAll(store.violates()));

        assertThat(broken).isEqualTo(CLAUSES.all().keySet());
    }

    @Test
    void document_clauses_areThoseOfTheTests() throws IOException {
        CLAUSES.assertDocumented("store-contract.md", "S");
    }

    private static SortedSet<String> clausesFailedBy(Function<ManualClock, IdempotencyStore> store) {
        candidate = store;
        return CLAUSES.failedBy(Candidate.class);
    }
}

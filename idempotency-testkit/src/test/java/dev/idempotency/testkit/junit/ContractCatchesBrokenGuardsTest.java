package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.testkit.BrokenGuards;
import dev.idempotency.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Execution(ExecutionMode.SAME_THREAD)
final class ContractCatchesBrokenGuardsTest {
    private static final Clauses CLAUSES = new Clauses(VersionGuardContract.class);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00.987654321Z");

    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile Function<ManualClock, VersionGuard> candidate = BrokenGuards.values()[0]::on;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends VersionGuardContract {
        private final ManualClock clock = new ManualClock(START);
        private final VersionGuard guard = candidate.apply(clock);

        @Override
        protected VersionGuard guard() {
            return guard;
        }

        @Override
        protected void elapse(Duration duration) {
            clock.advance(duration);
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_broken_failsExactlyItsClauses(BrokenGuards broken) {
        candidate = broken::on;

        assertThat(CLAUSES.failedBy(Candidate.class)).isEqualTo(Clauses.sorted(broken.violates()));
    }

    @Test
    void contract_eachClause_isBrokenBySome() {
        var broken = new TreeSet<String>();
        EnumSet.allOf(BrokenGuards.class).forEach(each -> broken.addAll(each.violates()));

        assertThat(broken).isEqualTo(CLAUSES.all().keySet());
    }

    @Test
    void document_clauses_areThoseOfTheTests() throws IOException {
        CLAUSES.assertDocumented("inbox-contract.md", "G");
    }
}

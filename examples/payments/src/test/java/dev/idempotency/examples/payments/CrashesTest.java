package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class CrashesTest {
    private static final String FAULTS =
            "reply-lost=0.1,error-after=0.1,reset-after=0.1,slow=0.1,delayed=0.1,declined=0.05,max=1";

    /** Real kills of a real process; the seed decides when. */
    private static Run killed(String... more) {
        var args = new ArrayList<>(
                List.of("--limit", "40", "--kills", "2", "--seed", "7", "--faults", FAULTS, "--transit-ms", "500"));
        args.addAll(List.of(more));
        return Run.of(args.toArray(String[]::new));
    }

    private static void requireOneChargeForEachOrder(Run run) {
        assertThat(run.lastLine()).as(run.out() + run.err()).endsWith("duplicates=0 lost=0 in-doubt=0");
        assertThat(run.figure("effects")).as(run.out()).isGreaterThan(20);
        assertThat(run.status()).isZero();
    }

    /** The provider knows no keys here: nothing but the records that outlive their process keeps it from charging twice. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CAFFEINE")
    void run_killedWithAStoreThatOutlivesIt_chargesEachOrderOnce(StoreChoice store) {
        Run run = killed("--store", store.option(), "--recovery", "lookup");

        requireOneChargeForEachOrder(run);
        assertThat(run.row("killed the paying process with kill -9")).isEqualTo(2);
        assertThat(run.out()).contains("kills=2");
    }

    @Test
    void run_killedWithoutTheLibrary_doesNotPassTheSameTest() {
        Run run = killed("--store", "postgres", "--unprotected");

        assertThat(run.row("killed the paying process with kill -9"))
                .as(run.out() + run.err())
                .isEqualTo(2);
        assertThat(run.figure("duplicates")).as(run.out()).isPositive();
        assertThatThrownBy(() -> requireOneChargeForEachOrder(run)).isInstanceOf(AssertionError.class);
    }
}

package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PaymentsTest {
    private static final String FAULTS =
            "reply-lost=0.1,error-after=0.1,error-before=0.1,reset-before=0.1,reset-after=0.1,"
                    + "slow=0.02,delayed=0.1,refused=0.05,declined=0.05,max=2";
    private static final String ROWS = """
            order_id,customer,amount,currency
            A,"Smith, John",10.00,EUR
            A,"Smith, John",10.00,EUR
            B,"Smith, John",10.00,EUR
            C,Zoë,1,EUR

            "A" , "Smith,  John" ,"10.0",EUR
            C,Zoë,2,EUR
            """;

    @TempDir
    private Path directory;

    private static Run simulated(String... more) {
        var args = new ArrayList<>(List.of("--limit", "60", "--faults", FAULTS, "--seed", "5", "--transit-ms", "500"));
        args.addAll(List.of(more));
        return Run.of(args.toArray(String[]::new));
    }

    private String file(String text) throws Exception {
        return Files.writeString(directory.resolve("orders.csv"), text).toString();
    }

    @ParameterizedTest
    @EnumSource
    void run_underFaults_chargesEachOrderOnce(RecoveryChoice recovery) {
        Run run = simulated("--recovery", recovery.option());

        assertThat(run.lastLine()).as(run.out()).matches("effects=\\d+ duplicates=0 lost=0 in-doubt=\\d+");
        assertThat(run.row("came into doubt")).as(run.out()).isPositive();
        assertThat(run.row("of another amount than the order's first row")).isZero();
        assertThat(run.row("of orders that callers were told are declined")).isZero();
        if (recovery == RecoveryChoice.HOLD) {
            assertThat(run.figure("in-doubt")).isPositive();
            assertThat(run.out()).contains("Still in doubt");
        } else {
            assertThat(run.figure("in-doubt")).as(run.out()).isZero();
        }
        assertThat(run.status()).isZero();
    }

    @Test
    void run_unprotectedUnderTheSameFaults_makesDuplicatesNobodyWasToldOf() {
        Run run = simulated("--unprotected", "--repeat", "1");

        assertThat(run.figure("duplicates")).as(run.out()).isPositive();
        assertThat(run.row("that no caller was told of")).isPositive();
        assertThat(run.status()).isZero();
    }

    @Test
    void run_repeatsAndNearRepeats_chargesOrdersAndRefusesMismatches() throws Exception {
        Run run = Run.of("--orders", file(ROWS), "--faults", "none", "--transit-ms", "100");

        assertThat(run.lastLine()).isEqualTo("effects=3 duplicates=0 lost=0 in-doubt=0");
        assertThat(run.row("of another amount than the order's first row")).isZero();
        assertThat(run.out()).contains("line 8: C, 2.00 EUR from Zoë; line 5 says 1.00 EUR from Zoë");
        assertThat(run.status()).isZero();
    }

    @Test
    void run_repeatsWithoutProtection_areChargedAgain() throws Exception {
        Run run = Run.of(
                "--orders", file(ROWS), "--faults", "none", "--transit-ms", "100", "--unprotected", "--repeat", "1");

        assertThat(run.lastLine()).isEqualTo("effects=6 duplicates=3 lost=0 in-doubt=0");
    }

    @Test
    void run_withForeignProvider_holdsWhatItDoesNotAnswer() throws Exception {
        try (var provider = new ForeignProvider(true)) {
            Run run = Run.of(
                    "--provider-url", provider.url(), "--recovery", "hold", "--limit", "60", "--transit-ms", "100");

            assertThat(run.lastLine()).as(run.out()).matches("effects=\\d+ duplicates=0 lost=0 in-doubt=\\d+");
            assertThat(run.figure("in-doubt"))
                    .isEqualTo(run.figure("effects") / 5)
                    .isPositive();
            assertThat(run.status()).isZero();
        }
    }

    @Test
    void run_withProviderWithoutLedger_saysSoAndCountsAnswers() throws Exception {
        try (var provider = new ForeignProvider(false)) {
            Run run = Run.of("--provider-url", provider.url(), "--orders", file(ROWS), "--transit-ms", "100");

            assertThat(run.lastLine()).isEqualTo("effects=3 duplicates=0 lost=0 in-doubt=0");
            assertThat(run.out()).contains("The provider does not list its charges");
            assertThat(run.status()).isZero();
        }
    }

    @Test
    void run_withForeignProviderAndNoProtection_showsWhatItsLedgerHas() throws Exception {
        try (var provider = new ForeignProvider(true)) {
            Run run = Run.of("--provider-url", provider.url(), "--limit", "60", "--transit-ms", "100", "--unprotected");

            assertThat(run.figure("duplicates")).as(run.out()).isPositive();
        }
    }

    @Test
    void run_withoutProvider_chargesNothing() throws Exception {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }

        Run run = Run.of("--provider-url", "http://127.0.0.1:" + port);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("The provider cannot be used");
    }

    @Test
    void run_badOptionsOrOrders_isUsageError() throws Exception {
        assertThat(Run.of("--recovery", "magic").status()).isEqualTo(2);
        Run bad = Run.of("--orders", file("order_id,customer,amount,currency\nA,x,much,EUR\n"));
        assertThat(bad.status()).isEqualTo(2);
        assertThat(bad.err()).contains("line 2: 'much' is no amount");
        assertThat(Run.of("--help").out()).isEqualTo(Options.HELP);
    }
}

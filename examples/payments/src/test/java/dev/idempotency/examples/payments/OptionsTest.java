package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OptionsTest {
    @Test
    void parse_nothing_givesTheDefaults() throws Exception {
        var options = Options.parse();

        assertThat(options.recovery()).isEqualTo(RecoveryChoice.NATIVE_LOOKUP);
        assertThat(options.faults()).isEqualTo("default");
        assertThat(options.workers()).isEqualTo(16);
        assertThat(options.orders()).isNull();
        assertThat(options.providerUrl()).isNull();
        assertThat(options.isUnprotected()).isFalse();
    }

    @Test
    void parse_everything_isTaken() throws Exception {
        var options = Options.parse(
                ("--orders a.csv --limit 5 --workers 3 --repeat 4 --recovery seal --store caffeine --faults slow=0.5"
                                + " --seed -7 --timeout-ms 70 --transit-ms 80 --lag-ms 90")
                        .split(" "));

        assertThat(options)
                .isEqualTo(new Options(
                        Path.of("a.csv"),
                        5,
                        3,
                        4,
                        RecoveryChoice.SEAL,
                        false,
                        null,
                        "slow=0.5",
                        -7,
                        Duration.ofMillis(70),
                        Duration.ofMillis(80),
                        Duration.ofMillis(90)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost:8080", "http://localhost:8080/", "http://localhost:8080/charges"})
    void parse_providerUrl_isTheAddressBeforeTheChargesAndTrustedWithNothing(String url) throws Exception {
        var options = Options.parse("--provider-url", url);

        assertThat(options.providerUrl()).isEqualTo(URI.create("http://localhost:8080"));
        assertThat(options.recovery()).isEqualTo(RecoveryChoice.HOLD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "orders.csv",
                "--orders",
                "--unknown",
                "--seed 1 --seed 2",
                "--seed x",
                "--workers 0",
                "--limit -1",
                "--recovery none",
                "--store redis",
                "--faults fire=0.5",
                "--unprotected --recovery hold",
                "--provider-url ftp://localhost",
                "--provider-url localhost:80",
                "--provider-url http://localhost --faults none"
            })
    void parse_whatMakesNoSense_isRefused(String line) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(Options.UsageException.class);
    }

    @Test
    void help_namesEveryOptionOfTheParser() {
        assertThat(Options.HELP)
                .contains(
                        "--orders",
                        "--limit",
                        "--workers",
                        "--repeat",
                        "--recovery",
                        "--store",
                        "--unprotected",
                        "--faults",
                        "--seed",
                        "--provider-url",
                        "--timeout-ms",
                        "--transit-ms",
                        "--lag-ms");
    }
}

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
        assertThat(options.protection()).isEqualTo(Protection.LIBRARY);
        assertThat(options.store()).isEqualTo(StoreChoice.CAFFEINE);
        assertThat(options.kills()).isZero();
    }

    @Test
    void forPaying_ofAnyOptions_isACommandLineThatSaysTheSame() throws Exception {
        var options = Options.parse(("--orders a.csv --limit 5 --workers 3 --repeat 4 --recovery seal --store postgres"
                        + " --timeout-ms 70 --transit-ms 80 --lag-ms 90")
                .split(" "));
        var provider = URI.create("http://127.0.0.1:1234");

        var paying = Options.parse(
                options.forPaying(provider, "jdbc:postgresql://db/payments").toArray(String[]::new));

        assertThat(paying)
                .usingRecursiveComparison()
                .ignoringFields("providerUrl", "storeUrl")
                .isEqualTo(options);
        assertThat(paying.providerUrl()).isEqualTo(provider);
        assertThat(paying.storeUrl()).isEqualTo("jdbc:postgresql://db/payments");
        assertThat(Options.parse(options.forPaying(provider, null).toArray(String[]::new))
                        .protection())
                .isEqualTo(Protection.NONE);
    }

    @Test
    void forPaying_withABlindTakeover_saysSo() throws Exception {
        var options = Options.parse("--store", "postgres", "--blind-takeover", "--each-order-once");

        var paying = Options.parse(options.forPaying(URI.create("http://127.0.0.1:1234"), "jdbc:postgresql://db/x")
                .toArray(String[]::new));

        assertThat(paying.protection()).isEqualTo(Protection.BLIND_TAKEOVER);
        assertThat(paying.isEachOrderOnce()).isTrue();
    }

    @Test
    void parse_everything_isTaken() throws Exception {
        var options = Options.parse(("--orders a.csv --limit 5 --workers 3 --repeat 4 --recovery seal --store postgres"
                        + " --jdbc-url jdbc:postgresql://db/payments --kills 6 --faults slow=0.5"
                        + " --seed -7 --timeout-ms 70 --transit-ms 80 --lag-ms 90")
                .split(" "));

        assertThat(options)
                .isEqualTo(new Options(
                        Path.of("a.csv"),
                        5,
                        3,
                        4,
                        RecoveryChoice.SEAL,
                        StoreChoice.POSTGRES,
                        "jdbc:postgresql://db/payments",
                        6,
                        Protection.LIBRARY,
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
                "--store mysql",
                "--store postgres --jdbc-url jdbc:mysql://localhost/payments",
                "--store postgres --jdbc-url jdbc:postgresql://db/payments --unprotected",
                "--store postgres --kills -1",
                "--jdbc-url jdbc:postgresql://db/payments",
                "--store redis --jdbc-url jdbc:postgresql://db/payments",
                "--store postgres --redis-url redis://localhost",
                "--store redis --redis-url localhost:6379",
                "--kills 3",
                "--faults fire=0.5",
                "--unprotected --recovery hold",
                "--unprotected --blind-takeover --store postgres",
                "--blind-takeover",
                "--blind-takeover --store postgres --recovery hold",
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
                        "--jdbc-url",
                        "--redis-url",
                        "--kills",
                        "--unprotected",
                        "--blind-takeover",
                        "--compare",
                        "--each-order-once",
                        "--faults",
                        "--seed",
                        "--provider-url",
                        "--timeout-ms",
                        "--transit-ms",
                        "--lag-ms");
    }
}

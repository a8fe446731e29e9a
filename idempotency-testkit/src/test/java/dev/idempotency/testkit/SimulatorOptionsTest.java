package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SimulatorOptionsTest {

    @Test
    void parse_nothing_givesTheDefaults() {
        var options = SimulatorOptions.parse();

        assertThat(options.host()).isEqualTo("127.0.0.1");
        assertThat(options.port()).isZero();
        assertThat(options.ledger()).isNull();
        assertThat(options.behavior())
                .isEqualTo(ProviderBehavior.none()
                        .withNativeKey()
                        .withLookup(Duration.ZERO)
                        .withSeal()
                        .withInProgress409());
        assertThat(options.faults().next("a")).isEqualTo(Fault.NONE);
        assertThat(options.slow()).isEqualTo(Duration.ofSeconds(2));
        assertThat(options.delay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(options.exitWithParent()).isFalse();
    }

    @Test
    void parse_everything_isUnderstood() {
        var options = SimulatorOptions.parse(
                ("--port 8080 --host 0.0.0.0 --ledger some/file --seed -7 --faults refused=1,max=1 --slow-ms 5 --delay-ms 6"
                                + " --capabilities native,lookup,stored-errors --window PT24H --lag PT5S --exit-with-parent")
                        .split(" "));

        assertThat(options.port()).isEqualTo(8080);
        assertThat(options.host()).isEqualTo("0.0.0.0");
        assertThat(options.ledger()).isEqualTo(Path.of("some/file"));
        assertThat(options.faults().next("a")).isEqualTo(Fault.REFUSED_429);
        assertThat(options.slow()).isEqualTo(Duration.ofMillis(5));
        assertThat(options.delay()).isEqualTo(Duration.ofMillis(6));
        assertThat(options.behavior())
                .isEqualTo(ProviderBehavior.none()
                        .withNativeKey(Duration.ofHours(24))
                        .withLookup(Duration.ofSeconds(5))
                        .withStoredErrors()
                        .withInProgress409());
        assertThat(options.exitWithParent()).isTrue();
    }

    @Test
    void parse_numbersAtTheirLimits_areAllowed() {
        assertThat(SimulatorOptions.parse("--port", "65535").port()).isEqualTo(65_535);
        assertThat(SimulatorOptions.parse("--slow-ms", "0").slow()).isZero();
    }

    @Test
    void parse_capabilitiesNone_switchesAllOff() {
        assertThat(SimulatorOptions.parse("--capabilities", "none").behavior())
                .isEqualTo(ProviderBehavior.none().withInProgress409());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--what|no option is called '--what'",
                "--port|--port needs a value",
                "--port x|--port needs a whole number from 0 to 65535, not 'x'",
                "--port 65536|--port needs a whole number",
                "--port 1 --port 2|--port comes twice",
                "--exit-with-parent --exit-with-parent|--exit-with-parent comes twice",
                "--slow-ms -1|--slow-ms needs a whole number from 0",
                "--seed 1.5|--seed needs a whole number",
                "--faults what=1|no fault is called 'what'",
                "--capabilities seals|no capability is called 'seals'",
                "--window 24h|--window needs a duration such as PT24H, not '24h'",
                "--window PT0S|the window must be positive",
                "--capabilities seal --window PT24H|--window needs the capability native",
                "--capabilities seal --lag PT1S|--lag needs the capability lookup",
            })
    void parse_wrongCommandLine_saysWhatIsWrong(String line, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SimulatorOptions.parse(line.split(" ")))
                .withMessageContaining(message);
    }
}

package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The three protections, under the same faults and kills. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class ComparisonTest {
    @TempDir
    private Path directory;

    @Test
    void compare_underFaultsAndKills_onlyTheLibraryMakesNoDuplicate() throws Exception {
        Path page = directory.resolve("faults.md");

        Run run = Run.of(
                "--compare",
                page.toString(),
                "--limit",
                "60",
                "--kills",
                "1",
                "--seed",
                "7",
                "--faults",
                "reply-lost=0.2,reset-after=0.1,reset-before=0.1,slow=0.1,max=1",
                "--transit-ms",
                "500",
                "--workers",
                "32");

        assertThat(run.status()).as(run.out() + run.err()).isZero();
        assertThat(duplicates(page, "this library")).as(run.out()).isZero();
        assertThat(duplicates(page, "blind takeover")).as(run.out()).isPositive();
        assertThat(duplicates(page, "unprotected")).as(run.out()).isPositive();
        assertThat(Files.readString(page)).contains("--limit 60 --kills 1 --seed 7 --faults reply-lost=0.2");
    }

    private static long duplicates(Path page, String protection) throws Exception {
        List<String> cells = Files.readAllLines(page).stream()
                .filter(line -> line.startsWith("| " + protection + " |"))
                .flatMap(line -> Arrays.stream(line.split("\\|")))
                .map(String::strip)
                .toList();
        assertThat(Long.parseLong(cells.get(3))).as("faults of " + protection).isPositive();
        assertThat(cells.get(4)).as("kills of " + protection).matches("[01]");
        return Long.parseLong(cells.get(6));
    }

    /** No straw man: without faults it does what such libraries do. */
    @Test
    void blindTakeover_withoutFaults_stopsRepeatsAndConcurrentRuns() {
        Run run = Run.of(
                "--store",
                "postgres",
                "--blind-takeover",
                "--faults",
                "none",
                "--kills",
                "0",
                "--limit",
                "150",
                "--repeat",
                "3",
                // A call that a busy machine makes late must not be given up: that is a fault.
                "--timeout-ms",
                "20000",
                "--transit-ms",
                "100");

        assertThat(run.figure("duplicates")).as(run.out() + run.err()).isZero();
        assertThat(run.figure("effects")).isGreaterThan(100);
        assertThat(run.row("tried again by callers")).isPositive();
    }
}

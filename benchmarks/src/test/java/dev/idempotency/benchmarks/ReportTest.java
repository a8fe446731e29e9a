package dev.idempotency.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.benchmarks.Subject.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportTest {
    @TempDir
    private Path folder;

    private static Outcome outcome(String name, Kind kind, long... perSecond) {
        var outcome = new Outcome(new Subject(name, kind, order -> "", order -> "", () -> {}));
        for (int round = 0; round < perSecond.length; round++) {
            var latencies = new Histogram(2);
            latencies.recordValue(1_000);
            outcome.add(round, new Cell(perSecond[round], 1_000_000_000, 1_000_000, -1, 0.1, 64, latencies));
        }
        return outcome;
    }

    private static Results results(long... library) {
        var results = new Results();
        Outcome broken = outcome("broken", Kind.PEER, 10);
        broken.failed("refused: 2 effects of 1 operations, where 1 are right");
        results.add(
                new Group(Targets.CAFFEINE, Subject.Path.FIRST, 16, 16),
                List.of(
                        outcome("raw", Kind.LIMIT, 100, 200, 400),
                        outcome(Library.NAME, Kind.LIBRARY, library),
                        outcome("peer", Kind.PEER, 10, 20, 40),
                        broken));
        return results;
    }

    private Targets.Target first(Results results) {
        return Targets.of(results).get(0);
    }

    @Test
    void ratios_areTakenWithinEachRound() {
        assertThat(first(results(60, 120, 240)).figure()).contains(new Spread(0.6, 0.6, 0.6, 3));
    }

    @Test
    void target_thatIsReached_isMet_andOtherwiseNot() {
        assertThat(first(results(50, 100, 200)).verdict()).isEqualTo("met");
        assertThat(first(results(49, 98, 196)).verdict()).contains("not met");
    }

    @Test
    void target_ofWhatFailedOrWasNotRun_isNotMeasured() {
        Results results = results(50, 100, 200);

        assertThat(Targets.of(results))
                .filteredOn(target -> target.target().contains("broken"))
                .singleElement()
                .satisfies(target -> assertThat(target.verdict()).isEqualTo("not measured"));
        assertThat(Targets.of(results))
                .filteredOn(target -> target.path().startsWith("Redis"))
                .isNotEmpty()
                .allSatisfy(target -> assertThat(target.isMet()).isFalse());
    }

    @Test
    void page_namesEveryFigure_andWhatFailed() throws IOException {
        Results results = results(50, 100, 200);
        results.add(new Results.Figure(Memory.AREA, "a record", "bytes", Optional.of(Spread.of(512)), "about"));
        results.problem("growth: failed");
        results.profile("Caffeine first 16", "  CPU\n");

        new Report(results, Map.of("Machine", "one")).write(folder);

        assertThat(folder.resolve(Report.PAGE))
                .content()
                .doesNotContain("{{")
                .contains("| **this library** | 0.50 | 0.50..0.50 | 100 |")
                .contains("| peer | 0.10 |")
                .contains("| broken | refused: 2 effects of 1 operations, where 1 are right |")
                .contains("- Caffeine first 16, broken: refused")
                .contains("- growth: failed")
                .contains("| a record | 512 |  | bytes | about |")
                .contains("| Machine | one |");
        assertThat(Files.readAllLines(folder.resolve(Report.DATA))).hasSize(1 + 3 + 3 + 3 + 1);
        assertThat(folder.resolve(Report.PROFILES)).content().contains("== Caffeine first 16");
        assertThat(folder.resolve(Report.PLOT)).content().contains("<svg").contains("this library");
    }
}

package dev.idempotency.examples.slack.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.examples.slack.simulator.Report;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Small shows, in which the app dies between any two of its steps: half of them on one store and half on the other, or, with the
 * profile {@code crash-matrix}, all of them on both. What is late is not asserted: these processes have half a core each.
 */
final class ShowTest {
    private static final long SEED = 20261122;
    private static final boolean IS_COMPLETE = "all".equals(System.getProperty("crash.matrix"));

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private Report run(Show.Plan plan) throws Exception {
        return new Show(plan, new PrintStream(said, true, StandardCharsets.UTF_8)).run();
    }

    private static Show.Plan plan(StoreKind store, boolean isUnprotected, int kills, List<String> halts) {
        return new Show.Plan(store, null, isUnprotected, 90, 30, SEED, 60, kills, IS_COMPLETE ? 1 : 0, null, halts);
    }

    private static List<String> halts(StoreKind store) {
        return Arrays.stream(Step.values())
                .filter(step -> IS_COMPLETE || step.ordinal() % StoreKind.values().length == store.ordinal())
                .map(step -> step + ":2")
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void show_appThatDiesBetweenItsSteps_repliesOnceToEachMessage(StoreKind store) throws Exception {
        List<String> halts = halts(store);

        Report report = run(plan(store, false, 0, halts));

        assertThat(report.wrong()).as("seed %d: %s", SEED, said).isEmpty();
        assertThat(report.effects()).as("%s", said).isEqualTo(report.events()).isGreaterThan(20);
        assertThat(said.toString(StandardCharsets.UTF_8)).contains(", " + halts.size() + " deaths at a step");
    }

    @Test
    void show_unprotectedApp_isFoundToReplyTwiceAndTooLate() throws Exception {
        Report report = run(plan(StoreKind.POSTGRES, true, 0, List.of()));

        assertThat(report.duplicates()).as("%s", said).isPositive();
        assertThat(report.lateAcks()).as("%s", said).isPositive();
        assertThat(report.isClean()).isFalse();
        assertThat(said.toString(StandardCharsets.UTF_8).lines().reduce((first, second) -> second))
                .contains(report.line());
    }
}

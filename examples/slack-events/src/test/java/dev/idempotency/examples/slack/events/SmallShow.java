package dev.idempotency.examples.slack.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.DeliveryReport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** A show of seconds. What is late is not asserted where it should not be: these processes have half a core each. */
final class SmallShow {
    static final long SEED = 20261122;
    private static final boolean IS_COMPLETE = "all".equals(System.getProperty("crash.matrix"));

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    DeliveryReport run(StoreKind store, boolean isUnprotected, List<String> halts) throws Exception {
        var plan = new Show.Plan(store, null, isUnprotected, 90, 40, SEED, 60, 0, IS_COMPLETE ? 1 : 0, null, halts);
        return new Show(plan, new PrintStream(said, true, StandardCharsets.UTF_8)).run();
    }

    String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    /** Lets the app die at some steps; with the profile {@code crash-matrix} at all of them, with the store killed besides. */
    void dieAt(StoreKind store, Step... steps) throws Exception {
        List<String> halts = Arrays.stream(IS_COMPLETE ? Step.values() : steps)
                .map(step -> step + ":2")
                .toList();

        DeliveryReport report = run(store, false, halts);

        assertThat(report.wrong()).as("seed %d: %s", SEED, said()).isEmpty();
        assertThat(report.effects()).as("%s", said()).isEqualTo(report.events()).isGreaterThan(20);
        assertThat(said()).contains(", " + halts.size() + " deaths at a step");
    }
}

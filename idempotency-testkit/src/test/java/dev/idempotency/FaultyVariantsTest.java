package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Simulation.Outcome;
import dev.idempotency.Simulation.World;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The simulation finds what it is there to find: every faulty variant breaks an invariant within a few thousand seeds. */
final class FaultyVariantsTest {
    private static final long SEEDS = 20_000;

    static Stream<Arguments> variants() {
        return Faulty.variants().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void simulation_ofAFaultyVariant_findsTheFault(String fault, Faulty.Variant variant) {
        World world = variant.world();
        var operation = Simulation.operation(world);
        String found = null;
        long seed = 0;
        for (; seed < SEEDS && found == null; seed++) {
            Outcome outcome = new Simulation(world, operation, seed, false, false).run();
            String violation = outcome.violation();
            found = violation != null && violation.startsWith(variant.breaks()) ? violation : null;
        }

        System.out.printf("%-45s found at seed %,d: %s%n", fault, seed - 1, found);
        assertThat(found)
                .as("%s, in %s: %s within %,d seeds", fault, world.name(), variant.breaks(), SEEDS)
                .isNotNull();
    }
}

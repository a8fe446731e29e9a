package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Simulation.Outcome;
import dev.idempotency.Simulation.World;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms.Policy;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulation of {@link SimulationTest} on a real store whose clock is the simulated one, with few seeds. To extend in the
 * module of the store. {@code -Dsimulation.store.seeds=...} tries more.
 */
abstract class RealStoreSimulation {
    private static final long SEEDS = Long.getLong("simulation.store.seeds", 3);

    /** The store, without records, and on that clock. */
    abstract IdempotencyStore store(InstantSource clock);

    /** How many seeds are tried. */
    long seeds() {
        return SEEDS;
    }

    /** Effects in the store's own transactions have tests of their own. */
    static List<World> worlds() {
        return Worlds.healthy().stream()
                .filter(world -> world.recovery().terms().policy() != Policy.SAME_TRANSACTION)
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("worlds")
    void everySeed_whileFaultsGoOn_breaksNoInvariant(World world) {
        run(world, false);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("worlds")
    void everySeed_onceFaultsStop_resolvesTheKeyToo(World world) {
        run(world, true);
    }

    private void run(World world, boolean livenessMode) {
        var operation = Simulation.operation(world);
        int effects = 0;
        for (long seed = 0; seed < seeds(); seed++) {
            Outcome outcome = new Simulation(world, operation, seed, livenessMode, true, this::store).run();
            assertThat(outcome.violation())
                    .as(() -> world.name() + ": " + String.join("\n", outcome.trace()))
                    .isNull();
            effects += outcome.effects();
        }
        assertThat(effects).isPositive();
    }
}

package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.idempotency.Simulation.Outcome;
import dev.idempotency.Simulation.World;
import dev.idempotency.store.RecoveryTerms.Policy;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Seeded simulation of every policy against the invariants. {@code -Psimulation} runs 100,000 seeds of each. */
final class SimulationTest {
    private static final long SEEDS = Long.getLong("simulation.seeds", 2_000);

    private static final ExecutorService WORKERS = Executors.newCachedThreadPool(task -> {
        var thread = new Thread(task, "simulation");
        thread.setDaemon(true);
        return thread;
    });

    static List<World> worlds() {
        return Worlds.healthy();
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

    private static void run(World world, boolean livenessMode) {
        var operation = Simulation.operation(world);
        var events = new ConcurrentHashMap<IdempotencyEvent.Type, Integer>();
        var effects = new LongAdder();
        var answers = new LongAdder();
        var violated = new LongAccumulator(Math::min, SEEDS);
        var next = new AtomicLong();
        Runnable worker = () -> {
            for (long seed = next.getAndIncrement(); seed < violated.get(); seed = next.getAndIncrement()) {
                Outcome outcome = new Simulation(world, operation, seed, livenessMode, false).run();
                outcome.events().forEach((type, count) -> events.merge(type, count, Integer::sum));
                effects.add(outcome.effects());
                answers.add(outcome.answers());
                if (outcome.violation() != null) {
                    violated.accumulate(seed);
                }
            }
        };
        CompletableFuture.allOf(Stream.generate(() -> CompletableFuture.runAsync(worker, WORKERS))
                        .limit(Runtime.getRuntime().availableProcessors())
                        .toArray(CompletableFuture[]::new))
                .join();
        if (violated.get() < SEEDS) {
            fail(explain(world, violated.get(), livenessMode));
        }
        System.out.printf(
                "%-28s %-8s seeds %,d effects %,d answers %,d%n  %s%n",
                world.name(),
                livenessMode ? "liveness" : "safety",
                SEEDS,
                effects.sum(),
                answers.sum(),
                new TreeMap<>(events));
        assertSometimes(world, events, effects.sum());
    }

    /** A green run in which nothing happened would prove nothing. */
    private static void assertSometimes(World world, Map<IdempotencyEvent.Type, Integer> events, long effects) {
        assertThat(effects).isPositive();
        assertThat(events)
                .containsKeys(
                        IdempotencyEvent.Type.RESERVED,
                        IdempotencyEvent.Type.CALLING,
                        IdempotencyEvent.Type.COMPLETED,
                        IdempotencyEvent.Type.RELEASED,
                        IdempotencyEvent.Type.IN_DOUBT,
                        IdempotencyEvent.Type.REPLAYED,
                        IdempotencyEvent.Type.WAITING,
                        IdempotencyEvent.Type.MISMATCHED,
                        IdempotencyEvent.Type.RENEWED,
                        IdempotencyEvent.Type.LEASE_LOST,
                        IdempotencyEvent.Type.STORE_FAILED);
        Policy policy = world.recovery().terms().policy();
        assertThat(events.containsKey(IdempotencyEvent.Type.LAPSED)).isEqualTo(policy != Policy.SAME_TRANSACTION);
        switch (policy) {
            case SAME_TRANSACTION ->
                assertThat(events)
                        .containsKeys(
                                IdempotencyEvent.Type.TAKEN_OVER,
                                IdempotencyEvent.Type.REEXECUTED,
                                IdempotencyEvent.Type.SUPERSEDED)
                        .doesNotContainKey(IdempotencyEvent.Type.RECOVERY_STARTED);
            case NATIVE, NATIVE_THEN_LOOKUP -> assertThat(events).containsKey(IdempotencyEvent.Type.RESENT);
            case LOOKUP, SEAL ->
                assertThat(events)
                        .containsKeys(
                                IdempotencyEvent.Type.RECOVERY_STARTED,
                                IdempotencyEvent.Type.RECOVERY_FAILED,
                                IdempotencyEvent.Type.FOUND);
            default ->
                assertThat(events)
                        .containsKey(IdempotencyEvent.Type.LATE_RESULT)
                        .doesNotContainKey(IdempotencyEvent.Type.RECOVERY_STARTED);
        }
    }

    static String explain(World world, long seed, boolean livenessMode) {
        Outcome outcome = new Simulation(world, Simulation.operation(world), seed, livenessMode, true).run();
        return world.name() + ", seed " + seed + (livenessMode ? ", liveness" : ", safety") + ": " + outcome.violation()
                + "\n" + String.join("\n", outcome.trace());
    }
}

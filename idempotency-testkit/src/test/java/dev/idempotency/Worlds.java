package dev.idempotency;

import dev.idempotency.Simulation.Faults;
import dev.idempotency.Simulation.Request;
import dev.idempotency.Simulation.World;
import dev.idempotency.testkit.ProviderBehavior;
import java.time.Duration;
import java.util.List;

/** The worlds in which every policy must hold: one per policy, each at the edge of its preconditions. */
final class Worlds {
    static final long PAUSE = 2_000;
    static final long TRANSIT = 6_000;
    static final long LAG = 3_000;
    /** How far the store's clock may jump. */
    static final long JUMP = 1_500;
    /** For policies that need no bound on pauses and transit. */
    static final long UNBOUNDED = 80_000;

    static final long UNBOUNDED_JUMP = 20_000;

    /** Longer than any simulation. */
    static final Duration LONG = Duration.ofDays(7);

    static final Recovery.Lookup<Request, String> LOOKUP = (request, attempt) -> Finding.unknown("simulated");
    static final Recovery.Seal<Request, String> SEAL = (request, attempt) -> Finding.unknown("simulated");

    /** P + D + Lag + S, and the one tick more that the rule asks for. */
    static final Quiescence QUIESCENCE = new Quiescence(
            Duration.ofMillis(PAUSE),
            Duration.ofMillis(TRANSIT),
            Duration.ofMillis(LAG),
            Duration.ofMillis(JUMP),
            Duration.ofMillis(PAUSE + TRANSIT + LAG + JUMP + 1));

    static final Duration WINDOW = Duration.ofSeconds(45);

    private Worlds() {}

    static ProviderProfile profile(Duration window) {
        return ProviderProfile.of("simulated", "this test", ProviderProfile.KeyFormat.uuid(), window)
                .withBounds(Duration.ofMillis(PAUSE), Duration.ofMillis(TRANSIT))
                .withClockError(Duration.ofMillis(JUMP));
    }

    static World hold() {
        return new World(
                "HOLD",
                Recovery.hold(),
                ProviderBehavior.none(),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World lookupThenHold() {
        return new World(
                "LOOKUP, missing: hold",
                Recovery.lookup(LOOKUP),
                ProviderBehavior.none().withLookup(Duration.ofMillis(LAG)),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World lookupThenReexecute() {
        return new World(
                "LOOKUP, missing: re-execute",
                Recovery.lookupThenReexecute(LOOKUP, QUIESCENCE),
                ProviderBehavior.none().withLookup(Duration.ofMillis(LAG)),
                PAUSE,
                TRANSIT,
                JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World lookupThenClose() {
        return new World(
                "LOOKUP, missing: close",
                Recovery.lookupThenClose(LOOKUP, QUIESCENCE),
                ProviderBehavior.none().withLookup(Duration.ofMillis(LAG)),
                PAUSE,
                TRANSIT,
                JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World nativeEndless() {
        return new World(
                "NATIVE, endless window",
                Recovery.nativeKey(profile(ProviderProfile.ENDLESS)),
                ProviderBehavior.none().withNativeKey(),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World nativeInWindow() {
        return new World(
                "NATIVE, finite window",
                Recovery.nativeKey(profile(WINDOW)),
                ProviderBehavior.none().withNativeKey(WINDOW),
                PAUSE,
                TRANSIT,
                JUMP,
                LONG,
                Faults.none(),
                false);
    }

    /** Keys are forgotten as soon as the provider has forgotten them, and callers still come. */
    static World nativeAndForgotten() {
        return nativeInWindow().keeping("kept for as long", WINDOW.plusMillis(JUMP));
    }

    static World nativeThenLookup() {
        return new World(
                "NATIVE then LOOKUP",
                Recovery.nativeKeyThenLookup(profile(WINDOW), LOOKUP, QUIESCENCE),
                ProviderBehavior.none().withNativeKey(WINDOW).withLookup(Duration.ofMillis(LAG)),
                PAUSE,
                TRANSIT,
                JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World seal() {
        return new World(
                "SEAL, missing: re-execute",
                Recovery.seal(SEAL),
                ProviderBehavior.none().withSeal(),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World sealThenClose() {
        return new World(
                "SEAL, missing: close",
                Recovery.sealThenClose(SEAL),
                ProviderBehavior.none().withSeal(),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static World sameTransaction() {
        return new World(
                "SAME_TRANSACTION",
                Recovery.sameTransaction(),
                ProviderBehavior.none(),
                UNBOUNDED,
                UNBOUNDED,
                UNBOUNDED_JUMP,
                LONG,
                Faults.none(),
                false);
    }

    static List<World> healthy() {
        return List.of(
                hold(),
                lookupThenHold(),
                lookupThenReexecute(),
                lookupThenClose(),
                nativeEndless(),
                nativeInWindow(),
                nativeAndForgotten(),
                nativeThenLookup(),
                seal(),
                sealThenClose(),
                sameTransaction());
    }

    static World with(World world, Faults faults) {
        return world.with(faults);
    }
}

package dev.idempotency.testkit;

import java.util.List;
import java.util.Objects;

/**
 * Decides what goes wrong with which step of one process. The decision depends on the plan and on how many steps came
 * before, and on nothing else. Immutable; one plan may serve many processes, each of which counts for itself.
 *
 * @since 0.1.0
 */
public final class StoreFaultPlan {

    private interface Choice {
        StoreFault of(StoreStep step, int nth, int nthOfStep);
    }

    private final String description;
    private final Choice choice;

    private StoreFaultPlan(String description, Choice choice) {
        this.description = description;
        this.choice = choice;
    }

    /**
     * Returns a plan by which nothing goes wrong.
     *
     * @return the plan
     */
    public static StoreFaultPlan none() {
        return new StoreFaultPlan("none", (step, nth, nthOfStep) -> StoreFault.NONE);
    }

    /**
     * Returns a plan by which the first step meets the first fault given, the second the second, and so on; all later ones
     * meet none.
     *
     * @param faults the faults in order; {@link StoreFault#NONE} for a step that must go well
     * @return the plan
     * @throws NullPointerException if a fault is null
     */
    public static StoreFaultPlan scripted(StoreFault... faults) {
        var script = List.of(faults);
        return new StoreFaultPlan(
                "scripted " + script,
                (step, nth, nthOfStep) -> nth <= script.size() ? script.get(nth - 1) : StoreFault.NONE);
    }

    /**
     * Returns a plan by which one step goes wrong: with {@link StoreFault#CRASH_BEFORE} or {@link StoreFault#CRASH_AFTER}, a
     * process dies at a chosen place.
     *
     * @param nth which step, counted from 1 over all kinds of steps
     * @param fault what happens
     * @return the plan
     * @throws NullPointerException if the fault is null
     * @throws IllegalArgumentException if {@code nth} is below 1
     */
    public static StoreFaultPlan at(int nth, StoreFault fault) {
        requireCount(nth);
        Objects.requireNonNull(fault, "fault");
        return new StoreFaultPlan(
                fault + " at step " + nth, (step, number, numberOfStep) -> number == nth ? fault : StoreFault.NONE);
    }

    /**
     * Returns a plan by which one step of a kind goes wrong.
     *
     * @param step which kind of step
     * @param nth which one of that kind, counted from 1
     * @param fault what happens
     * @return the plan
     * @throws NullPointerException if the step or the fault is null
     * @throws IllegalArgumentException if {@code nth} is below 1
     */
    public static StoreFaultPlan at(StoreStep step, int nth, StoreFault fault) {
        requireCount(nth);
        Objects.requireNonNull(step, "step");
        Objects.requireNonNull(fault, "fault");
        return new StoreFaultPlan(
                fault + " at " + step + " " + nth,
                (kind, number, numberOfKind) -> kind == step && numberOfKind == nth ? fault : StoreFault.NONE);
    }

    /**
     * Returns a plan by which each step goes wrong with some probability.
     *
     * @param seed the same seed gives the same faults
     * @param probability how likely a step meets a fault, from 0 to 1
     * @param faults which faults there are, all equally likely; when none are given, all that let the process live:
     *     {@link StoreFault#NOT_WRITTEN}, {@link StoreFault#PERHAPS_WRITTEN} and {@link StoreFault#REPLY_LOST}
     * @return the plan
     * @throws NullPointerException if a fault is null
     * @throws IllegalArgumentException if the probability is not between 0 and 1
     */
    public static StoreFaultPlan seeded(long seed, double probability, StoreFault... faults) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("probability is " + probability + "; it must be between 0 and 1");
        }
        var choices = faults.length == 0
                ? List.of(StoreFault.NOT_WRITTEN, StoreFault.PERHAPS_WRITTEN, StoreFault.REPLY_LOST)
                : List.of(faults);
        return new StoreFaultPlan(
                "seed " + seed + ", probability " + probability + ", " + choices,
                (step, nth, nthOfStep) -> draw(seed, nth, probability, choices));
    }

    private static StoreFault draw(long seed, int nth, double probability, List<StoreFault> choices) {
        var bits = mix(mix(seed) + nth);
        if ((bits >>> 11) * 0x1.0p-53 >= probability) {
            return StoreFault.NONE;
        }
        return choices.get((int) Long.remainderUnsigned(mix(bits), choices.size()));
    }

    /** The finaliser of SplitMix64. */
    private static long mix(long value) {
        var z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    private static void requireCount(int nth) {
        if (nth < 1) {
            throw new IllegalArgumentException("nth is " + nth + "; steps are counted from 1");
        }
    }

    /**
     * Decides about a step.
     *
     * @param step which kind of step
     * @param nth which step of the process it is, counted from 1
     * @param nthOfStep which step of its kind it is, counted from 1
     * @return the fault, {@link StoreFault#NONE} for none
     * @throws NullPointerException if the step is null
     */
    public StoreFault choose(StoreStep step, int nth, int nthOfStep) {
        return choice.of(Objects.requireNonNull(step, "step"), nth, nthOfStep);
    }

    /** Says what the plan is, with its seed. */
    @Override
    public String toString() {
        return "StoreFaultPlan[" + description + "]";
    }
}

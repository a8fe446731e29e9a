package dev.idempotency.testkit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Decides what goes wrong with which request. The decision depends on the seed, the reference and how many requests of that
 * reference came before, and on nothing else: what happens to one order does not change with the order in which threads run,
 * nor with the Java version.
 *
 * <p>At most so many requests of one reference fail, so that everything can succeed in the end. The counters live as long
 * as the plan. Thread-safe.
 *
 * @since 0.1.0
 */
public final class FaultPlan {

    private static final String DEFAULT_SPEC = "reply-lost=0.05,error-after=0.05,error-before=0.05,reset-before=0.05,"
            + "reset-after=0.05,slow=0.02,delayed=0.05,refused=0.03,declined=0.02";
    private static final int DEFAULT_MAX = 3;

    /** What happens to the nth request of a reference, counted from 1, when its faults are not used up. */
    private interface Choice {
        Fault of(String reference, int nth);
    }

    private static final class Count {
        int tries;
        int faults;
        int lookups;
        int lookupErrors;
    }

    private final long seed;
    private final Choice choice;
    private final double lookupError;
    private final int maxPerReference;
    private final Map<String, Count> counts = new HashMap<>();
    private final Map<Fault, Long> chosen = new EnumMap<>(Fault.class);

    private FaultPlan(long seed, Choice choice, double lookupError, int maxPerReference) {
        this.seed = seed;
        this.choice = choice;
        this.lookupError = lookupError;
        this.maxPerReference = maxPerReference;
    }

    /**
     * Returns a plan by which nothing goes wrong.
     *
     * @return a new plan
     */
    public static FaultPlan none() {
        return scripted();
    }

    /**
     * Returns a plan by which the first request of each reference meets the first fault given, the second the second, and so
     * on; all later ones meet none.
     *
     * @param faults the faults in order; {@link Fault#NONE} for a request that must go well
     * @return a new plan
     * @throws NullPointerException if a fault is null
     */
    public static FaultPlan scripted(Fault... faults) {
        var script = List.of(faults);
        return new FaultPlan(
                0, (reference, nth) -> nth <= script.size() ? script.get(nth - 1) : Fault.NONE, 0, Integer.MAX_VALUE);
    }

    /**
     * Reads a plan: {@code none}, {@code default}, or a list such as {@code reply-lost=0.05,error-after=0.05,max=2}. The names
     * are those of {@link Fault#label()}, each with its probability for one request; {@code lookup-error} with the probability
     * for one lookup; {@code max} with how many requests, and how many lookups, of one reference may fail (3 unless given).
     *
     * @param spec the text
     * @param seed the same seed gives the same faults
     * @return a new plan
     * @throws NullPointerException if the text is null
     * @throws IllegalArgumentException if the text cannot be understood, a name comes twice, a probability is not between 0
     *     and 1, or all probabilities of faults together are more than 1
     */
    public static FaultPlan parse(String spec, long seed) {
        return switch (spec.strip()) {
            case "none" -> none();
            case "default" -> parseList(DEFAULT_SPEC, seed);
            default -> parseList(spec, seed);
        };
    }

    private static FaultPlan parseList(String spec, long seed) {
        var faults = new EnumMap<Fault, Double>(Fault.class);
        var lookupError = 0.0;
        var max = DEFAULT_MAX;
        var seen = new HashSet<String>();
        for (var part : spec.split(",", -1)) {
            var equals = part.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException("'" + part.strip() + "' in '" + spec + "' is not name=number");
            }
            var name = part.substring(0, equals).strip();
            var value = part.substring(equals + 1).strip();
            if (!seen.add(name)) {
                throw new IllegalArgumentException("'" + name + "' comes twice in '" + spec + "'");
            }
            switch (name) {
                case "max" -> max = count(value);
                case "lookup-error" -> lookupError = probability(name, value);
                default -> faults.put(fault(name), probability(name, value));
            }
        }
        var sum = faults.values().stream().mapToDouble(Double::doubleValue).sum();
        if (sum > 1 + 1e-9) {
            throw new IllegalArgumentException(
                    "the probabilities in '" + spec + "' add up to " + sum + ", more than 1");
        }
        return new FaultPlan(seed, weighted(faults, seed), lookupError, max);
    }

    private static Fault fault(String name) {
        return Fault.labelled(name).filter(fault -> fault != Fault.NONE).orElseThrow(() -> {
            var known = new ArrayList<String>();
            for (var fault : Fault.values()) {
                if (fault != Fault.NONE) {
                    known.add(fault.label());
                }
            }
            return new IllegalArgumentException("no fault is called '" + name + "'; known are " + known
                    + ", lookup-error and max, or alone: none, default");
        });
    }

    private static double probability(String name, String value) {
        double probability;
        try {
            probability = Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " needs a number between 0 and 1, not '" + value + "'", e);
        }
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException(name + " needs a number between 0 and 1, not '" + value + "'");
        }
        return probability;
    }

    private static int count(String value) {
        if (!value.matches("\\d{1,9}")) {
            throw new IllegalArgumentException("max needs a whole number from 0, not '" + value + "'");
        }
        return Integer.parseInt(value);
    }

    private static Choice weighted(Map<Fault, Double> faults, long seed) {
        return (reference, nth) -> {
            var left = draw(seed, reference, nth);
            for (var fault : faults.entrySet()) {
                left -= fault.getValue();
                if (left < 0) {
                    return fault.getKey();
                }
            }
            return Fault.NONE;
        };
    }

    /**
     * Decides about the next request of a reference, and counts it.
     *
     * @param reference the caller's name for the thing
     * @return the fault, {@link Fault#NONE} for none
     * @throws NullPointerException if the reference is null
     */
    public synchronized Fault next(String reference) {
        Objects.requireNonNull(reference, "reference");
        var count = counts.computeIfAbsent(reference, r -> new Count());
        count.tries++;
        var fault = count.faults < maxPerReference ? choice.of(reference, count.tries) : Fault.NONE;
        if (fault != Fault.NONE) {
            count.faults++;
        }
        chosen.merge(fault, 1L, Long::sum);
        return fault;
    }

    /**
     * Decides about the next lookup of a reference, and counts it.
     *
     * @param reference the caller's name for the thing
     * @return true if the lookup must fail
     * @throws NullPointerException if the reference is null
     */
    public synchronized boolean nextLookupFails(String reference) {
        Objects.requireNonNull(reference, "reference");
        var count = counts.computeIfAbsent(reference, r -> new Count());
        count.lookups++;
        var fails = count.lookupErrors < maxPerReference && draw(~seed, reference, count.lookups) < lookupError;
        if (fails) {
            count.lookupErrors++;
        }
        return fails;
    }

    /**
     * Returns how often each fault was chosen so far. A test that proves something shows that these are not zero.
     *
     * @return the number of requests by fault, without those that never came; a snapshot that cannot be changed
     */
    public synchronized Map<Fault, Long> chosen() {
        return Collections.unmodifiableMap(new EnumMap<>(chosen));
    }

    /** A number from 0 to below 1, by FNV-1a and the finaliser of SplitMix64. */
    private static double draw(long seed, String reference, int nth) {
        var hash = 0xcbf29ce484222325L;
        for (var b : reference.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return (mix(mix(mix(seed) ^ hash) + nth) >>> 11) * 0x1.0p-53;
    }

    private static long mix(long value) {
        var z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}

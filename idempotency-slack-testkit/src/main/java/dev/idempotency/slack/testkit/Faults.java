package dev.idempotency.slack.testkit;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Decides what goes wrong with which call. The decision depends on the seed, on what the call is about, and on how many such calls
 * came before: not on the order in which threads run. At most two posts and two lookups about one thing go wrong, so that
 * everything can succeed in the end. Thread-safe.
 */
final class Faults {
    static final String DEFAULT =
            "reply-cut=0.02,reply-slow=0.003,error-before=0.01,error-after=0.01,fatal-after=0.005,internal-after=0.005,"
                    + "rate-limited=0.003,lookup-error=0.02,lookup-rate-limited=0.005";
    private static final int MOST = 2;

    private static final class Count {
        int calls;
        int faults;
    }

    private final long seed;
    private final Map<String, Count> counts = new HashMap<>();
    private final Map<String, Integer> chosen = new TreeMap<>();
    private Map<PostFault, Double> rates;

    /**
     * A list of faults with their rates.
     *
     * @param spec such as {@code reply-cut=0.02,error-after=0.01}; {@code none}, or {@code default}
     * @throws IllegalArgumentException if it cannot be understood
     */
    Faults(String spec, long seed) {
        this.seed = seed;
        this.rates = parse(spec);
    }

    /** Sets other rates from now on, as the constructor takes them. */
    synchronized void change(String spec) {
        rates = parse(spec);
    }

    private static Map<PostFault, Double> parse(String spec) {
        var rates = new EnumMap<PostFault, Double>(PostFault.class);
        if (spec.equals("none")) {
            return rates;
        }
        for (String part : (spec.equals("default") ? DEFAULT : spec).split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException("'" + part + "' is not name=rate");
            }
            PostFault fault = PostFault.valueOf(
                    part.substring(0, equals).strip().toUpperCase(Locale.ROOT).replace('-', '_'));
            double rate = Double.parseDouble(part.substring(equals + 1).strip());
            if (!(rate >= 0 && rate <= 1) || fault == PostFault.NONE) {
                throw new IllegalArgumentException("'" + part + "' is no fault with a rate from 0 to 1");
            }
            rates.put(fault, rate);
        }
        return rates;
    }

    /** Decides about the next post of this. */
    PostFault nextPost(String about) {
        return next("post " + about, false);
    }

    /** Decides about the next lookup of this. */
    PostFault nextLookup(String about) {
        return next("lookup " + about, true);
    }

    private synchronized PostFault next(String about, boolean isLookup) {
        Count count = counts.computeIfAbsent(about, key -> new Count());
        count.calls++;
        double left = count.faults < MOST ? draw(about, count.calls) : 1;
        for (Map.Entry<PostFault, Double> rate : rates.entrySet()) {
            if (rate.getKey().isOfLookups() == isLookup) {
                left -= rate.getValue();
                if (left < 0) {
                    count.faults++;
                    chosen.merge(rate.getKey().label(), 1, Integer::sum);
                    return rate.getKey();
                }
            }
        }
        return PostFault.NONE;
    }

    /** From 0 to below 1, by FNV-1a and the finaliser of SplitMix64. */
    private double draw(String about, int nth) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < about.length(); i++) {
            hash = (hash ^ about.charAt(i)) * 0x100000001b3L;
        }
        return (mix(mix(mix(seed) ^ hash) + nth) >>> 11) * 0x1.0p-53;
    }

    private static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** How often each was chosen. */
    synchronized Map<String, Integer> chosen() {
        return new TreeMap<>(chosen);
    }
}

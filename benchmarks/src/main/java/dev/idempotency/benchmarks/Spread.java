package dev.idempotency.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/** Where the middle of some figures lies, and how far they are apart: a median with its quartiles. */
record Spread(double p25, double median, double p75, int count) {
    /**
     * Of these figures, in any order.
     *
     * @throws IllegalArgumentException if there are none, or one is not a number
     */
    static Spread of(double... figures) {
        if (figures.length == 0) {
            throw new IllegalArgumentException("no figures");
        }
        double[] sorted = figures.clone();
        for (double figure : sorted) {
            if (Double.isNaN(figure)) {
                throw new IllegalArgumentException("not a number");
            }
        }
        Arrays.sort(sorted);
        return new Spread(quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75), sorted.length);
    }

    /** Between two figures it lies in proportion; the first is at 0, the last at 1. */
    static double quantile(double[] sorted, double at) {
        double place = at * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** The median with as many digits as its size calls for. */
    String middle() {
        return digits(median);
    }

    /** The quartiles, as {@code 0.91..1.04}. */
    String quartiles() {
        return digits(p25) + ".." + digits(p75);
    }

    /** Three digits that count, and no more. */
    static String digits(double figure) {
        double size = Math.abs(figure);
        String format = size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : size >= 0.0995 || size == 0 ? "%.2f" : "%.3f";
        return String.format(Locale.ROOT, format, figure);
    }
}

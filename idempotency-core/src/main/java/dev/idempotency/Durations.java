package dev.idempotency;

import java.time.Duration;
import java.util.StringJoiner;

/** Durations as people write them: {@code 10 s}, {@code 1 h 30 min}, {@code 24 h}, {@code 7 d}. Nothing is rounded. */
final class Durations {
    private Durations() {}

    static String text(Duration duration) {
        if (duration.isNegative()) {
            // The longest of all has no positive counterpart.
            return "-"
                    + text(
                            duration.toSeconds() == Long.MIN_VALUE
                                    ? duration.plusSeconds(1).negated()
                                    : duration.negated());
        }
        // One day is a round number of hours to most people, two are not.
        boolean inDays = duration.toHours() >= 48;
        var parts = new StringJoiner(" ").setEmptyValue("0 s");
        add(parts, inDays ? duration.toDays() : 0, "d");
        add(parts, inDays ? duration.toHoursPart() : duration.toHours(), "h");
        add(parts, duration.toMinutesPart(), "min");
        add(parts, duration.toSecondsPart(), "s");
        add(parts, duration.toMillisPart(), "ms");
        add(parts, duration.toNanosPart() % 1_000_000, "ns");
        return parts.toString();
    }

    private static void add(StringJoiner parts, long count, String unit) {
        if (count != 0) {
            parts.add(count + " " + unit);
        }
    }
}

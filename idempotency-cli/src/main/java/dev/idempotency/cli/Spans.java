package dev.idempotency.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them. */
final class Spans {
    private static final Pattern SHORT = Pattern.compile("(\\d{1,9})(s|m|h|d)");

    private Spans() {}

    /** Such as {@code 90s}, {@code 15m}, {@code 24h}, {@code 7d} or {@code PT1H30M}. */
    static Duration parse(String text) {
        Matcher shortForm = SHORT.matcher(text);
        if (shortForm.matches()) {
            long number = Long.parseLong(shortForm.group(1));
            return switch (shortForm.group(2)) {
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("it must be a duration such as 90s, 15m, 24h, 7d or PT1H30M");
        }
    }

    /** The two largest units. */
    static String text(Duration span) {
        if (span.isNegative() || span.toSeconds() < 60) {
            return Math.max(0, span.toSeconds()) + "s";
        }
        if (span.toHours() < 1) {
            return span.toMinutes() + "m " + span.toSecondsPart() + "s";
        }
        if (span.toDays() < 1) {
            return span.toHours() + "h " + span.toMinutesPart() + "m";
        }
        return span.toDays() + "d " + span.toHoursPart() + "h";
    }
}

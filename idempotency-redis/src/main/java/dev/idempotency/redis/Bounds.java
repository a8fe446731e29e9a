package dev.idempotency.redis;

import java.time.Duration;

/** Checks of arguments, and spans as the scripts take them: in microseconds. */
final class Bounds {
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private Bounds() {}

    static void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }

    static byte[] positive(String name, Duration span) {
        if (span.isNegative() || span.isZero()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must be more than zero");
        }
        return micros(span);
    }

    static byte[] notNegative(String name, Duration span) {
        if (span.isNegative()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must not be negative");
        }
        return micros(span);
    }

    /** A century at most: with the time it stays a number that Lua and the score of a sorted set keep exactly. */
    private static byte[] micros(Duration span) {
        return Layout.bytes(Long.toString(RecordFormat.micros(span.compareTo(LONGEST) > 0 ? LONGEST : span)));
    }
}

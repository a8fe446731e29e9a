package dev.idempotency.caffeine;

import java.time.Duration;
import java.time.Instant;

/** Checks of arguments, and ends of spans that may be very long. */
final class Bounds {
    private static final Duration LONGEST = Duration.ofDays(365_000);

    private Bounds() {}

    static Instant end(Instant from, Duration span) {
        return from.plus(span.compareTo(LONGEST) > 0 ? LONGEST : span);
    }

    static void requirePositive(String name, Duration span) {
        if (span.isNegative() || span.isZero()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must be more than zero");
        }
    }

    static void requireNotNegative(String name, Duration span) {
        if (span.isNegative()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must not be negative");
        }
    }

    static void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }
}

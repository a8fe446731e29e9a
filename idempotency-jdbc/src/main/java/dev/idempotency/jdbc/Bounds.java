package dev.idempotency.jdbc;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Checks of arguments, and spans as the server takes them. */
final class Bounds {
    private static final Duration LONGEST = Duration.ofDays(365_000);

    private Bounds() {}

    static void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }

    /** In microseconds, rounded up: a lease on the server must not end before the one that its owner counts. */
    static long positive(String name, Duration span) {
        if (span.isNegative() || span.isZero()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must be more than zero");
        }
        return micros(span);
    }

    static long notNegative(String name, Duration span) {
        if (span.isNegative()) {
            throw new IllegalArgumentException(name + " is " + span + "; it must not be negative");
        }
        return micros(span);
    }

    private static long micros(Duration span) {
        Duration bounded = span.compareTo(LONGEST) > 0 ? LONGEST : span;
        return TimeUnit.SECONDS.toMicros(bounded.getSeconds()) + (bounded.getNano() + 999L) / 1_000;
    }
}

package dev.idempotency.slack;

import java.time.Duration;

/** Checks of settings: answers the value, if it is as it must be. */
final class Bounds {
    private Bounds() {}

    static Duration positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be more than zero");
        }
        return value;
    }

    static int atLeastOne(String name, int value) {
        return (int) atLeastOne(name, (long) value);
    }

    static long atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be at least 1");
        }
        return value;
    }
}

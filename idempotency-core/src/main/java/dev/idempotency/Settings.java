package dev.idempotency;

import java.time.Duration;
import java.util.Objects;

/** Checks of settings, with messages that say what would be right. */
final class Settings {
    static final Duration LONGEST = Duration.ofDays(366);

    private Settings() {}

    static Duration atLeastZero(String name, Duration value) {
        Objects.requireNonNull(value, name);
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " is " + Durations.text(value) + "; it must not be negative");
        }
        return atMost(name, value, LONGEST);
    }

    static Duration between(String name, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0) {
            throw new IllegalArgumentException(
                    name + " is " + Durations.text(value) + "; it must be at least " + Durations.text(least));
        }
        return atMost(name, value, most);
    }

    private static Duration atMost(String name, Duration value, Duration most) {
        if (value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    name + " is " + Durations.text(value) + "; it must be at most " + Durations.text(most));
        }
        return value;
    }

    /** Text that ends up in stores, logs and headers. */
    static String text(String name, String text, int max) {
        Objects.requireNonNull(text, name);
        if (text.isBlank()) {
            throw new IllegalArgumentException(name + " is blank; it must name something");
        }
        if (text.length() > max) {
            throw new IllegalArgumentException(
                    name + " has " + text.length() + " characters; at most " + max + " are allowed");
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (Character.isISOControl(c) || (Character.isSurrogate(c) && !pair)) {
                throw new IllegalArgumentException(
                        name + " has a control character or a lone surrogate at position " + i);
            }
            if (pair) {
                i++;
            }
        }
        return text;
    }
}

package dev.idempotency.slack.testkit;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** The times by which Slack names messages: seconds and microseconds, each given once. Thread-safe. */
final class Timestamps {
    private static final long MICROS = 1_000_000;

    private long last;

    synchronized String next() {
        last = Math.max(last + 1, ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
        return text(last);
    }

    static String text(long micros) {
        return String.format(Locale.ROOT, "%d.%06d", micros / MICROS, micros % MICROS);
    }

    /** The whole seconds of one. */
    static long seconds(String ts) {
        return Long.parseLong(ts.substring(0, ts.indexOf('.')));
    }
}

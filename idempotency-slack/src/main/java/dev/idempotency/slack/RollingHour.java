package dev.idempotency.slack;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How many deliveries there were in the last hour, to the minute, and how many of them failed. Thread-safe. */
final class RollingHour {
    private static final int MINUTES = 60;

    /** What there was. */
    record Counts(long deliveries, long failures) {
        /** Not a number while there was no delivery. */
        double ratio() {
            return (double) failures / deliveries;
        }
    }

    private final LongSupplier nanoTime;
    /** Which minute a place counts. */
    private final long[] minutes = new long[MINUTES];

    private final long[] all = new long[MINUTES];
    private final long[] failed = new long[MINUTES];

    RollingHour(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    private long now() {
        return Math.floorDiv(nanoTime.getAsLong(), TimeUnit.MINUTES.toNanos(1));
    }

    synchronized void add(boolean isFailure) {
        long minute = now();
        int place = Math.floorMod(minute, MINUTES);
        if (minutes[place] != minute) {
            minutes[place] = minute;
            all[place] = 0;
            failed[place] = 0;
        }
        all[place]++;
        failed[place] += isFailure ? 1 : 0;
    }

    /** This minute and the 59 before it. */
    synchronized Counts counts() {
        long oldest = now() - MINUTES + 1;
        long deliveries = 0;
        long failures = 0;
        for (int place = 0; place < MINUTES; place++) {
            if (minutes[place] >= oldest) {
                deliveries += all[place];
                failures += failed[place];
            }
        }
        return new Counts(deliveries, failures);
    }
}

package dev.idempotency.benchmarks;

import org.HdrHistogram.Histogram;

/**
 * One subject at work for a moment.
 *
 * @param operations how many were done
 * @param nanos how long it took
 * @param clientNanos the CPU time of this process meanwhile
 * @param serverNanos the CPU time of the server's processes meanwhile; negative if it cannot be known
 * @param othersShare which part of the machine everybody else used meanwhile, from 0 to 1; negative if it cannot be known
 * @param allocatedBytes what the callers' threads allocated
 * @param latencies in nanoseconds; of a sample of the operations where they are short
 */
record Cell(
        long operations,
        long nanos,
        long clientNanos,
        long serverNanos,
        double othersShare,
        long allocatedBytes,
        Histogram latencies) {

    double perSecond() {
        return operations * 1e9 / nanos;
    }

    double clientMicros() {
        return clientNanos / 1e3 / operations;
    }

    double bytes() {
        return (double) allocatedBytes / operations;
    }

    /** NaN if it cannot be known. */
    double serverMicros() {
        return serverNanos < 0 ? Double.NaN : serverNanos / 1e3 / operations;
    }

    double micros(double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1e3;
    }
}

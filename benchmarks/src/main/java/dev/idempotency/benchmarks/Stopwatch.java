package dev.idempotency.benchmarks;

import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;

/** Wall time and CPU time from a moment on. */
final class Stopwatch {
    private final LongSupplier server;
    private final long wall;
    private final long client;
    private final long serverBefore;
    private final long machine;

    /**
     * Starts.
     *
     * @param server the CPU time of the server
     */
    Stopwatch(LongSupplier server) {
        this.server = server;
        this.machine = Processor.ofMachine();
        this.serverBefore = server.getAsLong();
        this.client = Processor.ofThisProcess();
        this.wall = System.nanoTime();
    }

    Cell cell(long operations, long allocatedBytes, Histogram latencies) {
        long nanos = System.nanoTime() - wall;
        long clientNanos = Processor.ofThisProcess() - client;
        long serverAfter = server.getAsLong();
        long serverNanos = serverAfter < 0 || serverBefore < 0 ? -1 : serverAfter - serverBefore;
        long machineNanos = Processor.ofMachine() - machine;
        double others = machine < 0
                ? -1
                : Math.max(0, machineNanos - clientNanos - Math.max(0, serverNanos))
                        / ((double) nanos * Processor.count());
        return new Cell(operations, nanos, clientNanos, serverNanos, Math.min(1, others), allocatedBytes, latencies);
    }
}

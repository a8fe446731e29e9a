package dev.idempotency.examples.payments;

import java.io.PrintStream;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Says once a second how far a run is, and once more when it has ended. */
final class Progress implements AutoCloseable {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final long start = System.nanoTime();
    private final PrintStream out;
    private final Supplier<String> text;

    Progress(PrintStream out, Supplier<String> text) {
        this.out = out;
        this.text = text;
        var unused = timer.scheduleAtFixedRate(this::print, 1, 1, TimeUnit.SECONDS);
    }

    private void print() {
        out.printf("%3d s  %s%n", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start), text.get());
    }

    @Override
    public void close() {
        timer.shutdownNow();
        print();
    }
}

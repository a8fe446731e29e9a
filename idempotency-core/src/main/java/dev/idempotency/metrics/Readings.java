package dev.idempotency.metrics;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a store now and then, on a daemon thread of its own. Thread-safe. */
final class Readings implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Readings.class);

    private final Runnable reading;
    private final Duration every;
    private @Nullable ScheduledExecutorService thread;
    private boolean closed;

    /**
     * Begins with nothing.
     *
     * @param reading what is done; whatever it throws is logged, and it is done again
     * @param every how long after one reading the next one begins
     * @throws IllegalArgumentException if {@code every} is not 1 second to 1 hour
     */
    Readings(Runnable reading, Duration every) {
        if (every.compareTo(Duration.ofSeconds(1)) < 0 || every.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("every is " + every + "; it must be 1 second to 1 hour");
        }
        // A task that throws is never run again.
        this.reading = () -> {
            try {
                reading.run();
            } catch (Throwable e) {
                LOG.warn("A reading for the metrics failed; it is done again in {}", every, e);
            }
        };
        this.every = every;
    }

    synchronized void start() {
        if (thread != null || closed) {
            return;
        }
        var timer = Executors.newSingleThreadScheduledExecutor(task -> {
            var made = new Thread(task, "idempotency-metrics");
            made.setDaemon(true);
            return made;
        });
        var unused = timer.scheduleWithFixedDelay(reading, 0, every.toMillis(), TimeUnit.MILLISECONDS);
        thread = timer;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (thread != null) {
            thread.shutdownNow();
            thread = null;
        }
    }
}

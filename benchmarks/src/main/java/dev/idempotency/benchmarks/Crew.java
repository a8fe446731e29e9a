package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;

/** Threads that do one subject's work, all at once, for a moment, and check that it was the job. */
final class Crew implements AutoCloseable {
    /** An operation that takes longer hangs. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final int threads;
    private final int sampling;
    private final Downstream downstream;
    private final LongSupplier server;
    private ExecutorService executor;

    /**
     * A crew.
     *
     * @param sampling one of how many operations is timed: more than 1 where reading the clock would be most of the work
     * @param downstream counts the effects
     * @param server the CPU time of the server
     */
    Crew(int threads, int sampling, Downstream downstream, LongSupplier server) {
        this.threads = threads;
        this.sampling = sampling;
        this.downstream = downstream;
        this.server = server;
        this.executor = callers(threads);
    }

    private static ExecutorService callers(int threads) {
        return Executors.newFixedThreadPool(threads, task -> {
            var thread = new Thread(task, "caller");
            thread.setDaemon(true);
            return thread;
        });
    }

    private record Share(long operations, long allocatedBytes, Histogram latencies) {}

    /**
     * Lets everybody work.
     *
     * @param known the orders that are replayed; each was executed before by this subject
     * @throws RefusedException if the effects are not those of the job: one for each new key, none for a known one
     * @throws Exception if an operation failed
     */
    Cell work(Subject subject, Path path, List<Order> known, Duration duration) throws Exception {
        var ready = new CountDownLatch(threads);
        var go = new CountDownLatch(1);
        var stop = new AtomicBoolean();
        List<Future<Share>> shares = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            shares.add(executor.submit(() -> {
                ready.countDown();
                go.await();
                return share(subject, path, known, duration.toNanos(), stop);
            }));
        }
        ready.await();
        long callsBefore = downstream.calls();
        var stopwatch = new Stopwatch(server);
        go.countDown();
        var latencies = new Histogram(2);
        long operations = 0;
        long allocatedBytes = 0;
        Throwable failure = null;
        for (Future<Share> share : shares) {
            try {
                Share done = share.get(duration.plus(PATIENCE).toNanos(), TimeUnit.NANOSECONDS);
                operations += done.operations();
                allocatedBytes += done.allocatedBytes();
                latencies.add(done.latencies());
            } catch (TimeoutException e) {
                // Whoever hangs keeps his threads; the others get new ones.
                stop.set(true);
                executor.shutdownNow();
                executor = callers(threads);
                throw e;
            } catch (ExecutionException e) {
                failure = failure == null ? e.getCause() : failure;
            }
        }
        Cell cell = stopwatch.cell(operations, allocatedBytes, latencies);
        if (failure != null) {
            throw failure instanceof Exception exception ? exception : new ExecutionException(failure);
        }
        requireTheJob(path, operations, downstream.calls() - callsBefore);
        return cell;
    }

    private Share share(Subject subject, Path path, List<Order> known, long nanos, AtomicBoolean stop)
            throws Exception {
        Subject.Work work = subject.work(path);
        boolean keepsResults = subject.replay() != null;
        int atOnce = path == Path.FIRST ? subject.atOnce() : 1;
        var latencies = new Histogram(2);
        long allocatedBefore = Processor.allocatedByThisThread();
        long until = System.nanoTime() + nanos;
        long operations = 0;
        int next = ThreadLocalRandom.current().nextInt(Math.max(1, known.size()));
        try {
            while (!stop.get()) {
                long from = 0;
                for (int i = 0; i < sampling; i++) {
                    Order order = path == Path.FIRST ? Order.fresh() : known.get(next++ % known.size());
                    if (i == sampling - 1) {
                        from = System.nanoTime();
                    }
                    String result = work.run(order);
                    if (keepsResults && !Downstream.RESULT.equals(result)) {
                        throw new RefusedException("another result came back than the downstream gave");
                    }
                }
                long now = System.nanoTime();
                latencies.recordValue(now - from);
                operations += (long) sampling * atOnce;
                if (now >= until) {
                    break;
                }
            }
        } catch (Throwable t) {
            stop.set(true);
            throw t;
        }
        return new Share(operations, Processor.allocatedByThisThread() - allocatedBefore, latencies);
    }

    private static void requireTheJob(Path path, long operations, long calls) throws RefusedException {
        long wanted = path == Path.FIRST ? operations : 0;
        if (calls != wanted) {
            throw new RefusedException(
                    calls + " effects of " + operations + " operations, where " + wanted + " are right");
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}

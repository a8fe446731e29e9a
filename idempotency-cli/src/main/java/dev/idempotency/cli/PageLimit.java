package dev.idempotency.cli;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Lets what asks the store, or somebody else's code, take so long and no longer, in threads of its own: a store that never
 * answers keeps those, and neither the page's reader nor the threads that serve all others. Thread-safe.
 */
final class PageLimit implements AutoCloseable {
    private static final int THREADS = 64;

    private final Duration span;
    private final ThreadPoolExecutor threads;

    PageLimit(Duration span) {
        this.span = span;
        var number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(0, THREADS, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            var thread = new Thread(task, "idempotency-console-page-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * What a task says, or a refusal.
     *
     * @param late what is said when time is over
     */
    <T> T within(Supplier<T> task, String late) {
        Future<T> running;
        try {
            running = threads.submit(task::get);
        } catch (RejectedExecutionException e) {
            throw new Refusal(503, "The store does not answer, and all that may wait for it do. Nothing was done.");
        }
        try {
            return running.get(span.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new Refusal(504, late);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("A page failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refusal(503, "The console is being closed.");
        } finally {
            running.cancel(true);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}

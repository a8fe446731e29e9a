package dev.idempotency.jdbc;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes stages, in threads that may be kept for as long as somebody's code likes: whatever depends on a stage may run
 * there. Whoever goes into such code sees to it that another thread takes the rest, so that few threads do where nobody
 * stays, and nobody waits for what is behind him in the queue. Thread-safe.
 */
final class Completions {
    private static final Logger LOG = LoggerFactory.getLogger(Completions.class);
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final ExecutorService threads;
    private final Queue<Runnable> queue = new ArrayDeque<>(); // guarded by itself
    private int completing; // threads, guarded by the queue
    private int away; // those of them that are in somebody's code, guarded by the queue

    Completions(ThreadFactory threads) {
        this.threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE.toNanos(), TimeUnit.NANOSECONDS, new SynchronousQueue<>(), threads);
    }

    /** Leaves something to be completed when {@link #go} is called. */
    void add(Runnable completion) {
        synchronized (queue) {
            queue.add(completion);
        }
    }

    /**
     * Lets a thread complete what was added.
     *
     * @return false if there is something to complete, and no thread can be had for it
     */
    boolean go() {
        synchronized (queue) {
            if (queue.isEmpty() || completing > away) {
                return true;
            }
            completing++;
        }
        try {
            threads.execute(this::complete);
            return true;
        } catch (Throwable e) {
            LOG.debug("No thread can be had to complete stages on", e);
            synchronized (queue) {
                completing--;
            }
            return false;
        }
    }

    /** As {@link #go}; in this thread if no other one can be had. */
    void goHereIfNeedBe() {
        if (!go()) {
            synchronized (queue) {
                completing++;
            }
            complete();
        }
    }

    private void complete() {
        for (Runnable next = next(); next != null; next = next()) {
            try {
                boolean unused = go();
                next.run();
            } catch (Throwable e) {
                LOG.warn("A stage could not be completed", e);
            } finally {
                synchronized (queue) {
                    away--;
                }
            }
        }
    }

    private @Nullable Runnable next() {
        synchronized (queue) {
            Runnable next = queue.poll();
            if (next == null) {
                completing--;
            } else {
                away++;
            }
            return next;
        }
    }
}

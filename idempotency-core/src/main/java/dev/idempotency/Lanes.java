package dev.idempotency;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many short tasks on few threads: each waits until one of so many lanes is free. Thread-safe. */
final class Lanes implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final Executor threads;
    private final Semaphore free;
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    Lanes(Executor threads, int count) {
        this.threads = threads;
        this.free = new Semaphore(count);
    }

    /**
     * Runs a task as soon as a lane is free.
     *
     * @throws RuntimeException if no thread can be had, as {@link Error} may be thrown; the task is then not run, unless a thread
     *     of another task has taken it at that moment
     */
    @Override
    public void execute(Runnable task) {
        waiting.add(task);
        try {
            open();
        } catch (Throwable e) {
            if (waiting.remove(task)) {
                throw e;
            }
        }
    }

    private void open() {
        while (!waiting.isEmpty() && free.tryAcquire()) {
            boolean taken = false;
            try {
                threads.execute(this::drain);
                taken = true;
            } finally {
                if (!taken) {
                    free.release();
                }
            }
        }
    }

    private void drain() {
        do {
            try {
                Runnable task;
                while ((task = waiting.poll()) != null) {
                    run(task);
                }
            } finally {
                free.release();
            }
            // What came after the last look, and before the lane was free again, needs no other thread.
        } while (!waiting.isEmpty() && free.tryAcquire());
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            LOG.warn("A task failed; the others are run all the same", e);
        }
    }
}

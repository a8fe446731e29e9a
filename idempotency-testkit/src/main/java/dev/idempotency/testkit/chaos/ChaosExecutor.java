package dev.idempotency.testkit.chaos;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** An executor that may fail before it takes a task, and counts the tasks that have not ended. */
final class ChaosExecutor extends AbstractExecutorService {
    private final ThreadPoolExecutor pool;
    private final Consumer<String> visits;
    private final AtomicInteger busy = new AtomicInteger();

    ChaosExecutor(Chaos.Threads threads, Consumer<String> visits) {
        this.visits = visits;
        pool = switch (threads) {
            case AS_NEEDED ->
                new ThreadPoolExecutor(
                        0, Integer.MAX_VALUE, 5, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons("chaos-worker"));
            case ONE ->
                new ThreadPoolExecutor(
                        1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons("chaos-only-worker"));
            case CALLER_RUNS ->
                new ThreadPoolExecutor(
                        1,
                        2,
                        5,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        daemons("chaos-worker-of-two"),
                        new ThreadPoolExecutor.CallerRunsPolicy());
        };
    }

    static ThreadFactory daemons(String name) {
        return task -> {
            var thread = new Thread(null, task, name, 256 * 1024);
            thread.setDaemon(true);
            return thread;
        };
    }

    int busy() {
        return busy.get();
    }

    @Override
    public void execute(Runnable task) {
        visits.accept("executor.execute");
        busy.incrementAndGet();
        var ends = new AtomicBoolean();
        try {
            pool.execute(() -> {
                try {
                    task.run();
                } finally {
                    ended(ends);
                }
            });
        } catch (RuntimeException | Error e) {
            // The task did not take place, or threw in the caller's thread and has ended already.
            ended(ends);
            throw e;
        }
    }

    private void ended(AtomicBoolean before) {
        if (before.compareAndSet(false, true)) {
            busy.decrementAndGet();
        }
    }

    @Override
    public void shutdown() {
        pool.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
        List<Runnable> never = pool.shutdownNow();
        busy.addAndGet(-never.size());
        return never;
    }

    @Override
    public boolean isShutdown() {
        return pool.isShutdown();
    }

    @Override
    public boolean isTerminated() {
        return pool.isTerminated();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return pool.awaitTermination(timeout, unit);
    }
}

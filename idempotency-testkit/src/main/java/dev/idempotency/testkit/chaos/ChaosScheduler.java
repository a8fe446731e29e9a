package dev.idempotency.testkit.chaos;

import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A timer that may fail before it takes a task. */
final class ChaosScheduler extends ScheduledThreadPoolExecutor {
    private final Consumer<String> visits;

    ChaosScheduler(Consumer<String> visits) {
        super(1, ChaosExecutor.daemons("chaos-timer"));
        this.visits = visits;
        setRemoveOnCancelPolicy(true);
    }

    int busy() {
        return isShutdown() ? 0 : getQueue().size() + getActiveCount();
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        visits.accept("scheduler.schedule");
        return super.schedule(task, delay, unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        visits.accept("scheduler.schedule");
        return super.schedule(task, delay, unit);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long delay, long period, TimeUnit unit) {
        visits.accept("scheduler.schedule");
        return super.scheduleAtFixedRate(task, delay, period, unit);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long delay, long pause, TimeUnit unit) {
        visits.accept("scheduler.schedule");
        return super.scheduleWithFixedDelay(task, delay, pause, unit);
    }
}

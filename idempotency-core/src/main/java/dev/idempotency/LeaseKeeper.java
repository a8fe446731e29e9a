package dev.idempotency;

import dev.idempotency.Step.Ask;
import dev.idempotency.Step.Done;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Renews leases at a third of their length, until they end. */
final class LeaseKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final Driver driver;
    private final ExecutorService executor;
    private final ScheduledExecutorService scheduler;

    LeaseKeeper(Driver driver, ExecutorService executor, ScheduledExecutorService scheduler) {
        this.driver = driver;
        this.executor = executor;
        this.scheduler = scheduler;
    }

    void keep(Lease lease, Duration length) {
        long third = Math.max(1, length.toNanos() / 3);
        try {
            var timer =
                    scheduler.schedule(() -> executor.execute(() -> renew(lease, length)), third, TimeUnit.NANOSECONDS);
            lease.onEnd(() -> timer.cancel(false));
        } catch (RejectedExecutionException e) {
            LOG.warn("A lease is not renewed: the scheduler takes no tasks", e);
        }
    }

    private void renew(Lease lease, Duration length) {
        try {
            Step<Boolean> step = lease.renew();
            while (step instanceof Ask<Boolean> ask) {
                step = ask.then().apply(driver.ask(ask.request()));
            }
            if (step instanceof Done<Boolean> done && done.answer()) {
                keep(lease, length);
            }
        } catch (RuntimeException e) {
            LOG.warn("A lease is no longer renewed", e);
        }
    }
}

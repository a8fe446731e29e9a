package dev.idempotency;

import dev.idempotency.Step.Ask;
import dev.idempotency.Step.Done;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews leases of one length before a third of it is over, until they end. Goes round all of them from time to time, because a
 * timer for each would cost every short call more than its record in memory.
 */
final class LeaseKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** In its third round a lease is between two and three rounds old. */
    private static final int ROUNDS = 3;

    private final Driver driver;
    private final ExecutorService executor;
    private final ScheduledExecutorService scheduler;
    private final long roundNanos;
    private final ConcurrentMap<Lease, Integer> rounds = new ConcurrentHashMap<>();
    private final AtomicBoolean going = new AtomicBoolean();

    LeaseKeeper(Driver driver, ExecutorService executor, ScheduledExecutorService scheduler, Duration length) {
        this.driver = driver;
        this.executor = executor;
        this.scheduler = scheduler;
        this.roundNanos = Math.max(1, length.toNanos() / 3 / ROUNDS);
    }

    void keep(Lease lease) {
        rounds.put(lease, 0);
        lease.onEnd(() -> rounds.remove(lease));
        if (going.compareAndSet(false, true)) {
            goOn();
        }
    }

    private void goOn() {
        try {
            var unused = scheduler.schedule(this::round, roundNanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            going.set(false);
            LOG.warn("Leases are not renewed: the scheduler takes no tasks", e);
        }
    }

    private void round() {
        rounds.forEach((lease, before) -> {
            if (before + 1 < ROUNDS) {
                rounds.replace(lease, before, before + 1);
            } else if (rounds.remove(lease, before)) {
                begin(lease);
            }
        });
        going.set(false);
        if (!rounds.isEmpty() && going.compareAndSet(false, true)) {
            goOn();
        }
    }

    private void begin(Lease lease) {
        try {
            executor.execute(() -> renew(lease));
        } catch (RejectedExecutionException e) {
            LOG.warn("A lease is not renewed: the executor takes no tasks", e);
        }
    }

    private void renew(Lease lease) {
        try {
            Step<Boolean> step = lease.renew();
            while (step instanceof Ask<Boolean> ask) {
                step = ask.then().apply(driver.ask(ask.request()));
            }
            if (step instanceof Done<Boolean> done && done.answer()) {
                keep(lease);
            }
        } catch (RuntimeException e) {
            LOG.warn("A lease is no longer renewed", e);
        }
    }
}

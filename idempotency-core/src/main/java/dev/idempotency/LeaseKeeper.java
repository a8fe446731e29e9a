package dev.idempotency;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews leases of one length before a third of it is over, until they end. Goes round all of them from time to time, because a
 * timer for each would cost every short call more than its record in memory. However many leases are due in a round, few threads
 * renew them.
 */
final class LeaseKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** In its third round a lease is between two and three rounds old. */
    private static final int ROUNDS = 3;

    /** As many renewals wait for the store at the same time, where the store needs a thread for each. */
    private static final int THREADS = 16;

    private final Driver driver;
    private final Workers workers;
    private final Lanes lanes;
    private final long roundNanos;
    private final ConcurrentMap<Lease, Integer> rounds = new ConcurrentHashMap<>();
    private volatile boolean going;
    private volatile long dueAt;
    private int chain;

    LeaseKeeper(Driver driver, Workers workers, Duration length) {
        this.driver = driver;
        this.workers = workers;
        this.lanes = new Lanes(workers.goingOnSoon(), THREADS);
        this.roundNanos = Math.max(1, length.toNanos() / 3 / ROUNDS);
    }

    void keep(Lease lease) {
        keep(lease, 0);
        goOn();
    }

    private void keep(Lease lease, int round) {
        rounds.put(lease, round);
        lease.onEnd(() -> rounds.remove(lease));
    }

    private void goOn() {
        if (!isGoing()) {
            begin();
        }
    }

    /** A timer that was shut down forgets the next round, and tells nobody. */
    private boolean isGoing() {
        return going && System.nanoTime() - dueAt < ROUNDS * roundNanos;
    }

    private synchronized void begin() {
        if (!isGoing()) {
            chain++;
            schedule();
        }
    }

    private void schedule() {
        int mine = chain;
        going = true;
        dueAt = System.nanoTime() + roundNanos;
        try {
            workers.surelyAfter(roundNanos, () -> round(mine));
        } catch (Throwable e) {
            going = false;
            LOG.warn("Leases are not renewed before the next call begins: no timer can be had", e);
        }
    }

    private void round(int mine) {
        try {
            rounds.forEach((lease, before) -> {
                if (before + 1 < ROUNDS) {
                    rounds.replace(lease, before, before + 1);
                } else if (rounds.remove(lease, before)) {
                    renewSoon(lease);
                }
            });
        } finally {
            next(mine);
        }
    }

    private synchronized void next(int mine) {
        if (mine != chain) {
            return;
        }
        going = false;
        if (!rounds.isEmpty()) {
            schedule();
        }
    }

    private void renewSoon(Lease lease) {
        try {
            lanes.execute(() -> renew(lease));
        } catch (Throwable e) {
            failed(lease, e);
        }
    }

    private void renew(Lease lease) {
        try {
            goOn(lease, lease.renew());
        } catch (Throwable e) {
            failed(lease, e);
        }
    }

    /** One step after the other, each without a thread that waits for it where the store can do that. */
    private void goOn(Lease lease, Step<Boolean> first) {
        Step<Boolean> step = first;
        while (step instanceof Step.Ask<Boolean> ask) {
            CompletableFuture<Step.Reply> reply = driver.asking(ask.request());
            if (!reply.isDone()) {
                var unused = reply.thenAcceptAsync(
                                said -> goOn(lease, ask.then().apply(said)), lanes)
                        .whenComplete((nothing, failure) -> {
                            if (failure != null) {
                                failed(lease, failure);
                            }
                        });
                return;
            }
            step = ask.then().apply(reply.join());
        }
        if (step instanceof Step.Done<Boolean> done && done.answer()) {
            keep(lease);
        }
    }

    private void failed(Lease lease, Throwable failure) {
        LOG.warn("A lease could not be renewed, and is tried again in the next round", failure);
        keep(lease, ROUNDS - 1);
        goOn();
    }
}

package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One process's way to a store, on which things go wrong by plan. Several of them over one store are several processes. A
 * process can die at any step: from then on each of its calls throws {@link SimulatedCrash}, and the store below lives on.
 *
 * <p>Thread-safe. Steps are counted in the order in which they are called; with several threads that order is theirs.
 *
 * @since 0.1.0
 */
public final class FaultInjectingStore implements IdempotencyStore {
    private final IdempotencyStore store;
    private final Map<StoreStep, Integer> steps = new EnumMap<>(StoreStep.class);
    private final Map<StoreFault, Long> chosen = new EnumMap<>(StoreFault.class);
    private StoreFaultPlan plan;
    private int calls;
    private boolean dead;

    /**
     * Creates a process's way to a store.
     *
     * @param store what really stores; may be shared
     * @param plan what goes wrong
     * @throws NullPointerException if an argument is null
     */
    public FaultInjectingStore(IdempotencyStore store, StoreFaultPlan plan) {
        this.store = Objects.requireNonNull(store, "store");
        this.plan = Objects.requireNonNull(plan, "plan");
    }

    /**
     * Changes the plan from the next step on. The counters go on.
     *
     * @param next what goes wrong from now on; {@link StoreFaultPlan#none()} when the faults are over
     * @throws NullPointerException if the plan is null
     */
    public synchronized void plan(StoreFaultPlan next) {
        plan = Objects.requireNonNull(next, "next");
    }

    /** Kills the process: each later call throws {@link SimulatedCrash}. A step in progress is done, and its reply is lost. */
    public synchronized void kill() {
        dead = true;
    }

    /**
     * Tells whether the process has died.
     *
     * @return true from the crash on
     */
    public synchronized boolean isDead() {
        return dead;
    }

    /**
     * Returns how many steps were called.
     *
     * @return the number of calls of a living process, whatever became of them
     */
    public synchronized int calls() {
        return calls;
    }

    /**
     * Returns how many steps of a kind were called.
     *
     * @param step the kind
     * @return the number of calls of a living process, whatever became of them
     * @throws NullPointerException if the step is null
     */
    public synchronized int calls(StoreStep step) {
        return steps.getOrDefault(Objects.requireNonNull(step, "step"), 0);
    }

    /**
     * Returns how often each fault was chosen so far. A test that proves something shows that these are not zero.
     *
     * @return the number of steps by fault, without those that never came; a snapshot that cannot be changed
     */
    public synchronized Map<StoreFault, Long> chosen() {
        return Collections.unmodifiableMap(new EnumMap<>(chosen));
    }

    @Override
    public StoreClass storeClass() {
        return store.storeClass();
    }

    /**
     * Takes the step, unless the plan has something else in mind.
     *
     * @throws SimulatedCrash if the process is dead or dies
     */
    @Override
    public Snapshot reserve(Write write) {
        return take(StoreStep.RESERVE, true, () -> store.reserve(write));
    }

    /**
     * Takes the step, unless the plan has something else in mind.
     *
     * @throws SimulatedCrash if the process is dead or dies
     */
    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return take(StoreStep.REPLACE, true, () -> store.replace(expected, write));
    }

    /**
     * Takes the step, unless the plan has something else in mind.
     *
     * @throws SimulatedCrash if the process is dead or dies
     */
    @Override
    public Snapshot find(IdempotencyKey key) {
        return take(StoreStep.FIND, false, () -> store.find(key));
    }

    /**
     * Takes the step, unless the plan has something else in mind.
     *
     * @throws SimulatedCrash if the process is dead or dies
     */
    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return take(StoreStep.LIST, false, () -> store.listUnresolved(after, limit));
    }

    /**
     * Takes the step, unless the plan has something else in mind.
     *
     * @throws SimulatedCrash if the process is dead or dies
     */
    @Override
    public int purge(int limit) {
        return take(StoreStep.PURGE, true, () -> store.purge(limit));
    }

    private <T> T take(StoreStep step, boolean writes, Supplier<T> work) {
        var fault = next(step);
        switch (fault) {
            case NOT_WRITTEN -> throw new StoreException(step + " failed before it was written", false, null);
            case PERHAPS_WRITTEN -> throw new StoreException(step + " failed, perhaps written", writes, null);
            case CRASH_BEFORE -> throw crash("before " + step);
            default -> {}
        }
        var answer = work.get();
        if (fault == StoreFault.CRASH_AFTER || isDead()) {
            throw crash("after " + step);
        }
        if (fault == StoreFault.REPLY_LOST) {
            throw new StoreException("the reply to " + step + " was lost", writes, null);
        }
        return answer;
    }

    private synchronized StoreFault next(StoreStep step) {
        if (dead) {
            throw new SimulatedCrash("the process is dead; it cannot " + step);
        }
        calls++;
        int nthOfStep = steps.merge(step, 1, Integer::sum);
        var fault = plan.choose(step, calls, nthOfStep);
        chosen.merge(fault, 1L, Long::sum);
        return fault;
    }

    private synchronized SimulatedCrash crash(String where) {
        dead = true;
        return new SimulatedCrash("the process died " + where + ", its step " + calls);
    }
}

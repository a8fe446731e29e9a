package dev.idempotency.testkit.engine;

import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.StoreWithTrail;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** One store, any number of instances of the library on it, and threads to call them from. */
final class Shop implements AutoCloseable {
    static final String OPERATION = "charge";
    static final Order ORDER = new Order("o-1", 100);
    static final IdempotencyKey KEY = new IdempotencyKey(OPERATION, "o-1");
    static final ProviderProfile NATIVE =
            ProviderProfile.of("simulated", "these tests", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS);
    static final Quiescence MINUTE = Quiescence.of(Duration.ofSeconds(20), Duration.ofSeconds(7));

    final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    final ProbeStore store;
    final StoreWithTrail audited;
    final Events events = new Events();
    final Idempotency idempotency;
    final AtomicInteger calls = new AtomicInteger();

    private final List<Idempotency> instances = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final ExecutorService callers = Executors.newCachedThreadPool(task -> {
        var thread = new Thread(task, "caller");
        thread.setDaemon(true);
        synchronized (threads) {
            threads.add(thread);
        }
        return thread;
    });

    private Shop(boolean realTime) {
        store = new ProbeStore(
                realTime
                        ? CaffeineIdempotencyStore.create()
                        : CaffeineIdempotencyStore.create(100_000, clock::nanoTime, clock.instant()));
        audited = new StoreWithTrail(store);
        idempotency = another();
    }

    /** On the machine's clock. */
    static Shop open() {
        return new Shop(true);
    }

    /** The store on a clock that moves by hand; the library on the machine's. */
    static Shop onManualClock() {
        return new Shop(false);
    }

    /** Another "process" on the same store. */
    Idempotency another() {
        var instance = Idempotency.builder(store).listener(events).build();
        instances.add(instance);
        return instance;
    }

    /** Another "process", whose monotonic clock moves by hand too: no lease lapses by itself. */
    Idempotency timeless() {
        var instance = Idempotency.builder(store)
                .listener(events)
                .nanoTime(clock::nanoTime)
                .build();
        instances.add(instance);
        return instance;
    }

    Operation.Builder<Order, Receipt> charge() {
        return charge(idempotency);
    }

    Operation.Builder<Order, Receipt> charge(Idempotency on) {
        return on.operation(OPERATION, Order.class, Receipt.class).key(Order::id);
    }

    /** What persons do about the keys of this store. */
    Admin admin() {
        return Admin.builder(audited)
                .retention(Duration.ofDays(1))
                .listener(events)
                .build();
    }

    static Admin.Ruling by(String who) {
        return new Admin.Ruling(who, "wrong amount", "none");
    }

    /** One person asks, another approves. */
    void override(Operation<Order, Receipt> charge, Order changed) {
        var wish = requestOverride(charge, changed, "ann");
        admin().approveOverride(wish.key(), wish.id(), by("bob"));
    }

    AuditEntry requestOverride(Operation<Order, Receipt> charge, Order changed, String who) {
        var key = charge.keyOf(changed);
        return admin().requestOverride(key, record(key).version(), charge.fingerprintOf(changed), by(who));
    }

    void reopen() {
        admin().reopen(KEY, record().version(), by("ann"));
    }

    /** A call that works, and is counted. */
    Operation.Call<Order, Receipt> working() {
        return (order, attempt) -> {
            attempt.nativeKey();
            return new Receipt("effect-" + calls.incrementAndGet(), order.amount());
        };
    }

    <T> Future<T> submit(Callable<T> task) {
        return callers.submit(task);
    }

    /** Waits until so many callers wait for something. */
    void awaitWaiting(int count) {
        Eventually.holds(count + " waiting callers", () -> waiting() >= count);
    }

    private int waiting() {
        synchronized (threads) {
            return (int) threads.stream()
                    .filter(thread -> thread.getState() == Thread.State.TIMED_WAITING
                            || thread.getState() == Thread.State.WAITING)
                    .count();
        }
    }

    IdempotencyRecord record() {
        return record(KEY);
    }

    IdempotencyRecord record(IdempotencyKey key) {
        var record = store.find(key).record();
        if (record == null) {
            throw new AssertionError("no record for " + key);
        }
        return record;
    }

    @Override
    public void close() {
        callers.shutdownNow();
        instances.forEach(Idempotency::close);
    }
}

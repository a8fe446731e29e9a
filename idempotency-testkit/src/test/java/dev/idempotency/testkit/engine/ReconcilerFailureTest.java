package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever fails, or never answers, while a reconciler is at work: it is one key's failure, and the other keys are recovered. */
final class ReconcilerFailureTest {
    private static final Duration SHORT = Duration.ofMillis(100);

    /** A store whose steps fail as a test says. */
    private static final class Faulty extends ForwardingStore {
        final AtomicInteger listsToFail = new AtomicInteger();
        volatile @Nullable IdempotencyKey unreadable;

        Faulty() {
            super(CaffeineIdempotencyStore.create());
        }

        @Override
        public Snapshot find(IdempotencyKey key) {
            if (key.equals(unreadable)) {
                throw new DateTimeParseException("no day in this key", "order", 0);
            }
            return super.find(key);
        }

        @Override
        public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
            if (listsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return super.listUnresolved(after, limit);
        }
    }

    /** One thread, or none for a moment. */
    private static final class OneThread extends ThreadPoolExecutor {
        final AtomicBoolean none = new AtomicBoolean();

        OneThread() {
            super(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        }

        @Override
        public void execute(Runnable task) {
            if (none.get()) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            super.execute(task);
        }
    }

    private final Faulty store = new Faulty();
    private final CountDownLatch never = new CountDownLatch(1);
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        never.countDown();
        for (AutoCloseable closeable : open) {
            closeable.close();
        }
    }

    private Idempotency on(ExecutorService executor) {
        var instance = Idempotency.builder(store).executor(executor).build();
        open.add(instance);
        open.add(executor::shutdownNow);
        return instance;
    }

    private static Operation.Builder<Order, Receipt> charges(Idempotency on, Recovery<Order, Receipt> recovery) {
        return on.operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .callTimeout(SHORT)
                .recoveryTimeout(SHORT)
                .recovery(recovery)
                .keepRequests();
    }

    private static Recovery<Order, Receipt> lookup() {
        return Recovery.lookup((order, attempt) -> Finding.found(new Receipt(order.id(), order.amount())));
    }

    private static Order order(int i) {
        return new Order("order-" + i, 100);
    }

    private void bringIntoDoubt(Recovery<Order, Receipt> recovery, int keys) {
        var failing = charges(on(Executors.newCachedThreadPool()), recovery).calling((order, attempt) -> {
            attempt.nativeKey();
            throw new IllegalStateException("no answer");
        });
        for (int i = 0; i < keys; i++) {
            Order order = order(i);
            assertThatThrownBy(() -> failing.execute(order)).isInstanceOf(InDoubtException.class);
        }
    }

    private void bringIntoDoubt(int keys) {
        bringIntoDoubt(
                Recovery.lookup((order, attempt) -> {
                    throw new IllegalStateException("no answer");
                }),
                keys);
    }

    private int unresolved() {
        return store.listUnresolved(null, 100).size();
    }

    private static Reconciler.Builder reconciler(Idempotency on, Operation<?, ?> operation) {
        return Reconciler.on(on)
                .operations(operation)
                .every(Duration.ofMillis(10))
                .retryWithin(Duration.ofMillis(10));
    }

    private Operation<Order, Receipt> lookingUp(Idempotency on) {
        return charges(on, lookup()).calling((order, attempt) -> new Receipt(order.id(), order.amount()));
    }

    @Test
    void noThreadForAMoment_failsKeysAndALaterSweepRecoversThem() {
        bringIntoDoubt(3);
        var executor = new OneThread();
        var here = on(executor);
        var reconciler = reconciler(here, lookingUp(here)).parallelism(1).build();
        executor.none.set(true);

        assertThat(reconciler.sweep().failed()).isEqualTo(3);

        executor.none.set(false);
        Eventually.holds("recovered", () -> reconciler.sweep().unresolved() == 0);
    }

    @Test
    void storeThrowsErrors_backgroundGoesOn() {
        bringIntoDoubt(3);
        store.listsToFail.set(3);
        var here = on(Executors.newCachedThreadPool());
        try (var reconciler = reconciler(here, lookingUp(here)).build()) {
            reconciler.start();

            Eventually.holds("recovered", () -> store.listsToFail.get() == 0 && unresolved() == 0);
        }
    }

    @Test
    void callThatNeverAnswers_keepsNoOtherKeyWaiting() {
        bringIntoDoubt(Recovery.nativeKey(Shop.NATIVE), 4);
        var here = on(Executors.newCachedThreadPool());
        var calls = new AtomicInteger();
        var charge = charges(here, Recovery.nativeKey(Shop.NATIVE)).calling((order, attempt) -> {
            attempt.nativeKey();
            if (calls.incrementAndGet() == 1) {
                never.await();
            }
            return new Receipt(order.id(), order.amount());
        });

        var sweep = reconciler(here, charge).parallelism(1).build().sweep();

        assertThat(sweep.resolved()).isEqualTo(3);
        assertThat(sweep.inDoubt()).isEqualTo(1);
    }

    @Test
    void executorWithOneThread_recoversInTheBackground() {
        bringIntoDoubt(3);
        var here = on(new OneThread());
        try (var reconciler = reconciler(here, lookingUp(here)).build()) {
            reconciler.start();

            Eventually.holds("recovered", () -> unresolved() == 0);
        }
    }

    @Test
    void sweepOnTheOnlyThreadOfTheExecutor_endsAndItsKeysAreRecoveredAfterwards() throws Throwable {
        bringIntoDoubt(2);
        var executor = new OneThread();
        var here = on(executor);
        var reconciler = reconciler(here, lookingUp(here)).build();

        var sweep = Eventually.get(executor.submit(reconciler::sweep));

        assertThat(sweep.inDoubt()).isEqualTo(2);
        Eventually.holds("recovered", () -> unresolved() == 0);
    }

    @Test
    void oldestKeyThatTheStoreCannotRead_isOneFailedKey() {
        bringIntoDoubt(3);
        store.unreadable = store.listUnresolved(null, 1).get(0).key();
        var here = on(Executors.newCachedThreadPool());

        var sweep = reconciler(here, lookingUp(here)).build().sweep();

        assertThat(sweep.unresolved()).isEqualTo(3);
        assertThat(sweep.failed()).isEqualTo(1);
        assertThat(sweep.resolved()).isEqualTo(2);
    }
}

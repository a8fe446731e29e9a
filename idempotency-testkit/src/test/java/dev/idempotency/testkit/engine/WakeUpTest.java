package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InFlightException;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.WakingStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Delayed;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waiting runs whose own timer never comes: only the store can end their pauses. */
final class WakeUpTest {
    private final Shop shop = Shop.open();
    private final Waking store = new Waking();
    private final Idempotency owning = Idempotency.on(store);
    private final Idempotency timeless =
            Idempotency.builder(store).scheduler(new StoppedTimer()).build();
    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);

    @AfterEach
    void close() {
        answer.countDown();
        owning.close();
        timeless.close();
        shop.close();
    }

    private Operation.Call<Order, Receipt> held() {
        return (order, attempt) -> {
            shop.calls.incrementAndGet();
            started.countDown();
            Eventually.opens(answer);
            return new Receipt("e", order.amount());
        };
    }

    private Future<Receipt> owner() {
        var charge = shop.charge(owning).calling(held());
        var owner = shop.submit(() -> charge.execute(ORDER));
        Eventually.opens(started);
        return owner;
    }

    private Future<Receipt> waiter(Idempotency on, boolean async) {
        var charge = shop.charge(on).waitAtMost(Eventually.DEADLINE).calling(held());
        return async ? charge.executeAsync(ORDER) : shop.submit(() -> charge.execute(ORDER));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_told_looksAtOnceAndStopsWatching(boolean async) throws Throwable {
        var owner = owner();
        var waiter = waiter(timeless, async);
        Eventually.holds("the waiter watches", () -> store.watches() == 1);
        answer.countDown();

        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(owner));
        assertThat(shop.calls).hasValue(1);
        Eventually.holds("nobody watches", () -> store.watches() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_toldWrongly_looksAndGoesOnWaiting(boolean async) throws Throwable {
        var owner = owner();
        var waiter = waiter(timeless, async);
        Eventually.holds("the waiter watches", () -> store.watches() == 1);
        for (var i = 1; i <= 3; i++) {
            var looks = i;
            store.tell();
            Eventually.holds("the waiter looks", () -> store.finds.get() >= looks);
            assertThat(waiter.isDone()).isFalse();
        }
        answer.countDown();

        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(owner));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_toldWhileItLooks_looksOnceMore(boolean async) throws Throwable {
        var owner = owner();
        var waiter = waiter(timeless, async);
        Eventually.holds("the waiter watches", () -> store.watches() == 1);
        store.afterNextFind.set(() -> {
            answer.countDown();
            Eventually.holds("the owner has ended", owner::isDone);
        });
        store.tell();

        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(owner));
    }

    @Test
    void waiter_thatCannotWatch_looksFromTimeToTime() throws Throwable {
        store.broken = true;
        var owner = owner();
        var waiter = waiter(owning, true);
        var other = Idempotency.on(store);
        var third = waiter(other, false);
        Eventually.holds("the third looks", () -> store.finds.get() > 1);
        answer.countDown();

        assertThat(Eventually.get(third)).isEqualTo(Eventually.get(owner));
        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(owner));
        other.close();
    }

    @Test
    void waiter_outOfTime_stopsWatching() {
        var unused = owner();
        var other = Idempotency.on(store);
        var charge = shop.charge(other).waitAtMost(Duration.ofSeconds(1)).calling(held());

        Failures.inFlight(() -> charge.execute(ORDER));

        assertThat(store.everWatched).hasValue(1);
        assertThat(store.watches()).isZero();
        assertThat(charge.executeAsync(ORDER))
                .failsWithin(Eventually.DEADLINE)
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(InFlightException.class);
        Eventually.holds("nobody watches", () -> store.watches() == 0);
        other.close();
    }

    /** A store that tells, in the thread that writes. */
    private static final class Waking extends ForwardingStore implements WakingStore {
        private final List<Runnable> watches = new CopyOnWriteArrayList<>();
        private final AtomicInteger everWatched = new AtomicInteger();
        private final AtomicInteger finds = new AtomicInteger();
        private final AtomicReference<@Nullable Runnable> afterNextFind = new AtomicReference<>();
        private volatile boolean broken;

        Waking() {
            super(CaffeineIdempotencyStore.create());
        }

        int watches() {
            return watches.size();
        }

        void tell() {
            watches.forEach(Runnable::run);
        }

        @Override
        public Watch watch(IdempotencyKey key, Runnable wake) {
            if (broken) {
                throw new IllegalStateException("broken");
            }
            everWatched.incrementAndGet();
            watches.add(wake);
            return () -> watches.remove(wake);
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            var answer = super.replace(expected, write);
            if (answer.applied() && write.next().state() != State.IN_FLIGHT) {
                tell();
            }
            return answer;
        }

        @Override
        public Snapshot find(IdempotencyKey key) {
            var found = super.find(key);
            finds.incrementAndGet();
            var then = afterNextFind.getAndSet(null);
            if (then != null) {
                then.run();
            }
            return found;
        }
    }

    /** A timer that is never due. */
    private static final class StoppedTimer extends ScheduledThreadPoolExecutor {
        StoppedTimer() {
            super(1);
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            return schedule(
                    () -> {
                        task.run();
                        return null;
                    },
                    delay,
                    unit);
        }

        @Override
        public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
            return decorateTask(task, new Never<>(task));
        }

        private static final class Never<V> extends FutureTask<V> implements RunnableScheduledFuture<V> {
            Never(Callable<V> task) {
                super(task);
            }

            @Override
            public boolean isPeriodic() {
                return false;
            }

            @Override
            public long getDelay(TimeUnit unit) {
                return Long.MAX_VALUE;
            }

            @Override
            public int compareTo(Delayed other) {
                return 0;
            }
        }
    }
}

package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.IdempotencyException;
import dev.idempotency.InFlightException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WaitingTest {
    private final Shop shop = Shop.open();
    private final Idempotency there = shop.another();
    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);

    @AfterEach
    void close() {
        answer.countDown();
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

    private Future<Receipt> owner(Operation<Order, Receipt> charge) {
        var owner = shop.submit(() -> charge.execute(ORDER));
        Eventually.opens(started);
        return owner;
    }

    @Test
    void waiter_inAnotherProcess_getsTheResult() throws Throwable {
        var owner = owner(shop.charge().calling(held()));
        var other = shop.charge(there).waitAtMost(Eventually.DEADLINE).calling(held());
        var waiter = shop.submit(() -> other.execute(ORDER));
        shop.events.await(Type.WAITING);
        answer.countDown();

        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(owner));
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.events.count(Type.WAITING)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_runsOutOfTime_neverTouchesTheReservation(boolean sameProcess) throws Throwable {
        var wait = Duration.ofMillis(20);
        var here = shop.charge().waitAtMost(wait).calling(held());
        var other = sameProcess ? here : shop.charge(there).waitAtMost(wait).calling(held());
        var owner = owner(here);
        var before = shop.record();

        var failure = Failures.inFlight(() -> other.execute(ORDER));

        assertThat(failure).hasMessageContaining("after 20 ms");
        assertThat(shop.record()).isEqualTo(before);
        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
        assertThat(other.execute(ORDER)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_thatMustNotWait_isRefusedAtOnce(boolean sameProcess) {
        var here = shop.charge().waitAtMost(Duration.ZERO).calling(held());
        var other = sameProcess
                ? here
                : shop.charge(there).waitAtMost(Duration.ZERO).calling(held());
        var unused = owner(here);

        Failures.inFlight(() -> other.execute(ORDER));

        assertThat(shop.events.types()).contains(Type.IN_FLIGHT_REFUSED).doesNotContain(Type.WAITING);
        assertThat(shop.store.steps(Kind.FIND)).isZero();
    }

    @Test
    void waiter_refused_saysWhenTheLeaseOfADeadProcessWouldEnd() throws Throwable {
        var owner = owner(shop.charge().calling(held()));
        var other = shop.charge(there).waitAtMost(Duration.ZERO).calling(held());

        var refused = Failures.inFlight(() -> other.execute(ORDER));
        assertThat(refused)
                .hasMessageContaining(
                        "its lease ends at " + shop.record().times().leaseUntil() + " by the store's clock");
        answer.countDown();
        Eventually.get(owner);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waiter_interrupted_leavesWithTheFlagSet(boolean sameProcess) throws Throwable {
        var here = shop.charge().waitAtMost(Eventually.DEADLINE).calling(held());
        var other = sameProcess
                ? here
                : shop.charge(there).waitAtMost(Eventually.DEADLINE).calling(held());
        var owner = owner(here);
        var thread = new AtomicReference<@Nullable Thread>();
        var waiter = shop.submit(() -> {
            thread.set(Thread.currentThread());
            Failures.inFlight(() -> other.execute(ORDER));
            return Thread.interrupted();
        });
        Eventually.holds("the waiter waits", () -> {
            Thread waiting = thread.get();
            return waiting != null && waiting.getState() == Thread.State.TIMED_WAITING
                    || waiting != null && waiting.getState() == Thread.State.WAITING;
        });
        interrupt(thread);

        assertThat(Eventually.get(waiter)).isTrue();
        assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);
        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
    }

    private static void interrupt(AtomicReference<@Nullable Thread> thread) {
        Thread waiting = thread.get();
        if (waiting != null) {
            waiting.interrupt();
        }
    }

    @Test
    void owner_interruptedDuringTheCall_isInDoubtAndRecordedAndKeepsTheFlag() throws Throwable {
        var charge = shop.charge().calling((order, attempt) -> {
            Thread.currentThread().interrupt();
            throw new InterruptedException("cancelled");
        });

        var caller = shop.submit(() -> {
            var failure = Failures.inDoubt(() -> charge.execute(ORDER));
            assertThat(failure).hasCauseInstanceOf(InterruptedException.class);
            return Thread.interrupted();
        });

        assertThat(Eventually.get(caller)).isTrue();
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void owner_interruptFlagSwallowedByTheCall_keepsIt() throws Throwable {
        var charge = shop.charge().calling((order, attempt) -> {
            throw new InterruptedException("thrown with the flag cleared, as the JDK does");
        });

        var caller = shop.submit(() -> {
            Failures.inDoubt(() -> charge.execute(ORDER));
            return Thread.interrupted();
        });

        assertThat(Eventually.get(caller)).isTrue();
    }

    @Test
    void owner_interruptedButTheCallEnds_isRecordedAndKeepsTheFlag() throws Throwable {
        var charge = shop.charge().calling((order, attempt) -> {
            Thread.currentThread().interrupt();
            return new Receipt("e", order.amount());
        });

        var caller = shop.submit(() -> {
            assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
            return Thread.interrupted();
        });

        assertThat(Eventually.get(caller)).isTrue();
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void owner_interruptedBetweenRecoveries_hearsOfTheDoubtNotOfAnotherRun() throws Throwable {
        var retry = Retry.of(
                "slow",
                RetryConfig.custom()
                        .maxAttempts(5)
                        .waitDuration(Duration.ofHours(1))
                        .build());
        var charge = shop.charge()
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .retry(retry)
                .calling((order, attempt) -> {
                    attempt.nativeKey();
                    if (shop.calls.incrementAndGet() == 2) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IOException("reset");
                });

        var caller = shop.submit(() -> {
            Failures.inDoubt(() -> charge.execute(ORDER));
            return Thread.interrupted();
        });

        assertThat(Eventually.get(caller)).isTrue();
        assertThat(shop.calls).hasValue(2);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void call_executesAnotherOperation_bothAreRecorded() {
        var inner = shop.idempotency
                .operation("reserve-stock", Order.class, Receipt.class)
                .key(Order::id)
                .calling(shop.working());
        var outer = shop.charge().calling((order, attempt) -> inner.execute(order));

        assertThat(outer.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(outer.execute(ORDER)).isEqualTo(inner.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void call_executesItsOwnKey_waitsNoLongerThanItMay() {
        var self = new AtomicReference<@Nullable Operation<Order, Receipt>>();
        var inside = new AtomicReference<@Nullable IdempotencyException>();
        var charge = shop.charge().waitAtMost(Duration.ofMillis(20)).calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            Operation<Order, Receipt> again = self.get();
            if (again != null) {
                inside.set(Failures.failed(InFlightException.class, () -> again.execute(order)));
            }
            return new Receipt("e", order.amount());
        });
        self.set(charge);

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
        assertThat(inside.get()).isNotNull();
        assertThat(shop.calls).hasValue(1);
    }
}

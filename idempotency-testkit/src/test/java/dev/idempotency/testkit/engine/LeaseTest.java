package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.idempotency.Attempt;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Renewals come in real time, every few milliseconds; what they renew is measured on a clock that stands still unless the
 * test moves it. So a slow machine never loses a lease here.
 */
final class LeaseTest {
    private static final Duration LEASE = Duration.ofMillis(10);
    private static final Duration NEVER_RENEWED = Duration.ofHours(1);

    private final Shop shop = Shop.onManualClock();
    private final Idempotency here = shop.timeless();
    private final Idempotency there = shop.timeless();
    private final CountDownLatch answer = new CountDownLatch(1);
    private final AtomicReference<@Nullable Attempt> attempt = new AtomicReference<>();

    @AfterEach
    void close() {
        answer.countDown();
        shop.close();
    }

    private Operation.Call<Order, Receipt> held(String effect) {
        return (order, running) -> {
            attempt.set(running);
            Eventually.opens(answer);
            return new Receipt(effect, order.amount());
        };
    }

    private Attempt running() {
        Eventually.holds("the call runs", () -> attempt.get() != null);
        return Objects.requireNonNull(attempt.get());
    }

    private void loseTheLease() {
        shop.store.down(true);
        shop.clock.advance(LEASE.multipliedBy(2));
        shop.events.await(Type.LEASE_LOST);
        shop.store.down(false);
    }

    @Test
    void renewal_callLongerThanItsLease_staysInFlight() throws Throwable {
        var charge = shop.charge(here).lease(LEASE).calling(held("e"));
        var refusing = shop.charge(there).lease(LEASE).waitAtMost(Duration.ZERO).calling(shop.working());
        var owner = shop.submit(() -> charge.execute(ORDER));

        for (int i = 1; i <= 5; i++) {
            // The first of the two may have begun before the clock was moved.
            long renewed = shop.events.count(Type.RENEWED);
            shop.clock.advance(LEASE.dividedBy(2));
            shop.events.await(Type.RENEWED, (int) renewed + 2);
            Failures.inFlight(() -> refusing.execute(ORDER));
        }
        assertThat(running().isLost()).isFalse();
        running().checkMaySend();
        answer.countDown();

        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.events.types()).doesNotContain(Type.LAPSED, Type.LEASE_LOST, Type.IN_DOUBT);
        assertThat(shop.record().attempt()).isEqualTo(1);
        assertThat(shop.calls).hasValue(0);
    }

    @Test
    void renewal_storeDownForALease_losesTheAttemptAndSignalsOnce() throws Throwable {
        var charge = shop.charge(here).lease(LEASE).calling(held("e"));
        var owner = shop.submit(() -> charge.execute(ORDER));
        var signals = new AtomicInteger();
        running().onLost(() -> {
            throw new IllegalStateException("the signal failed");
        });
        running().onLost(signals::incrementAndGet);
        assertThat(running().isLost()).isFalse();

        loseTheLease();

        assertThat(running().isLost()).isTrue();
        Eventually.holds("the signal", () -> signals.get() == 1);
        assertThat(catchThrowable(() -> running().checkMaySend())).isInstanceOf(NotExecutedException.class);
        running().onLost(() -> signals.addAndGet(10));
        Eventually.holds("the signal of one who comes later", () -> signals.get() == 11);

        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
        Eventually.holds("the signal of one who comes later", () -> signals.get() == 11);
        assertThat(shop.events.count(Type.LEASE_LOST)).isEqualTo(1);
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void renewal_shortOutage_keepsTheLease() throws Throwable {
        var charge = shop.charge(here).lease(LEASE).calling(held("e"));
        var owner = shop.submit(() -> charge.execute(ORDER));
        running();
        int renewals = shop.store.steps(Kind.RENEW);
        shop.store.down(true);
        Eventually.holds("a failed renewal", () -> shop.store.steps(Kind.RENEW) > renewals + 1);
        shop.store.down(false);
        shop.events.await(Type.RENEWED, (int) shop.events.count(Type.RENEWED) + 1);

        assertThat(running().isLost()).isFalse();
        assertThat(shop.events.all())
                .filteredOn(event -> event.type() == Type.STORE_FAILED)
                .extracting(IdempotencyEvent::detail)
                .contains("renew");
        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void lostAttempt_nobodySupersededIt_lateAnswerCompletesTheRecord() throws Throwable {
        var charge = shop.charge(here).lease(LEASE).calling(held("late"));
        var other = shop.charge(there).lease(LEASE).calling(shop.working());
        var owner = shop.submit(() -> charge.execute(ORDER));
        running();
        loseTheLease();
        Failures.inDoubt(() -> other.execute(ORDER));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);

        answer.countDown();

        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("late", 100));
        assertThat(other.execute(ORDER)).isEqualTo(new Receipt("late", 100));
        assertThat(shop.calls).hasValue(0);
        assertThat(shop.events.types()).contains(Type.LAPSED, Type.LATE_RESULT);
        assertThat(shop.record().evidence())
                .extracting(Evidence::kind)
                .containsExactly(Evidence.Kind.LAPSED, Evidence.Kind.LATE_RESULT);
    }

    @Test
    void supersededAttempt_otherAnswer_becomesEvidenceAndTheCallerGetsTheRecord() throws Throwable {
        supersede("other", Type.DUPLICATE);

        var last = shop.record().evidence().get(shop.record().evidence().size() - 1);
        assertThat(last.kind()).isEqualTo(Evidence.Kind.DUPLICATE);
        assertThat(last.attempt()).isEqualTo(1);
        assertThat(Objects.requireNonNull(last.result()).bytes()).asString().contains("other");
    }

    @Test
    void supersededAttempt_sameAnswer_raisesNoAlarm() throws Throwable {
        supersede("effect-1", Type.SUPERSEDED);

        assertThat(shop.events.types()).doesNotContain(Type.DUPLICATE);
    }

    private void supersede(String lateEffect, Type expected) throws Throwable {
        var native1 = Recovery.<Order, Receipt>nativeKey(Shop.NATIVE);
        var charge = shop.charge(here).recovery(native1).lease(LEASE).calling(held(lateEffect));
        var other = shop.charge(there).recovery(native1).lease(NEVER_RENEWED).calling(shop.working());
        var owner = shop.submit(() -> charge.execute(ORDER));
        running();
        loseTheLease();
        assertThat(other.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.record().attempt()).isEqualTo(2);

        answer.countDown();

        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(other.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.events.types()).contains(Type.SUPERSEDED, expected);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void supersededAttempt_whileTheOtherStillRuns_isEvidenceAndWaitsForIt() throws Throwable {
        var native1 = Recovery.<Order, Receipt>nativeKey(Shop.NATIVE);
        var second = new CountDownLatch(1);
        var charge = shop.charge(here)
                .recovery(native1)
                .lease(LEASE)
                .waitAtMost(Eventually.DEADLINE)
                .calling(held("first"));
        var other = shop.charge(there).recovery(native1).lease(NEVER_RENEWED).calling((order, running) -> {
            shop.calls.incrementAndGet();
            Eventually.opens(second);
            return new Receipt("second", order.amount());
        });
        var owner = shop.submit(() -> charge.execute(ORDER));
        running();
        loseTheLease();
        var taker = shop.submit(() -> other.execute(ORDER));
        Eventually.holds("the other runs", () -> shop.calls.get() == 1);

        answer.countDown();
        shop.events.await(Type.SUPERSEDED);
        second.countDown();

        assertThat(Eventually.get(taker)).isEqualTo(new Receipt("second", 100));
        shop.clock.advance(Duration.ofSeconds(1));
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("second", 100));
        assertThat(shop.record().evidence()).extracting(Evidence::kind).contains(Evidence.Kind.SUPERSEDED);
    }

    @Test
    void callTimeout_over_endsTheRenewalsAndSignals() throws Throwable {
        var charge = shop.charge(here).lease(LEASE).callTimeout(LEASE).calling(held("e"));
        var owner = shop.submit(() -> charge.execute(ORDER));
        running();
        shop.events.await(Type.RENEWED);
        shop.clock.advance(LEASE);

        shop.events.await(Type.LEASE_LOST);

        assertThat(running().isLost()).isTrue();
        assertThat(shop.events.all())
                .filteredOn(event -> event.type() == Type.LEASE_LOST)
                .extracting(IdempotencyEvent::detail)
                .containsExactly("the call has run into its timeout");
        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void check_leaseOverInsideTheCall_nothingIsSentAndTheKeyIsFree() {
        var charge = shop.charge(here).lease(NEVER_RENEWED).calling((order, running) -> {
            int call = shop.calls.incrementAndGet();
            if (call == 1) {
                shop.clock.advance(NEVER_RENEWED);
            }
            running.checkMaySend();
            return new Receipt("effect-" + call, order.amount());
        });

        var failure = Failures.notExecuted(() -> charge.execute(ORDER));

        assertThat(failure.isClosed()).isFalse();
        assertThat(shop.record().state()).isEqualTo(State.OPEN);
        assertThat(shop.events.types()).contains(Type.RELEASED);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-2", 100));
    }

    @Test
    void check_leaseOverBeforeTheCall_nothingIsCalledAndTheKeyIsFree() {
        var charge = shop.charge(here).lease(NEVER_RENEWED).calling(shop.working());
        shop.store.beforeNext(Kind.RESERVE, () -> shop.clock.advance(NEVER_RENEWED));

        Failures.notExecuted(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(0);
        assertThat(shop.record().state()).isEqualTo(State.OPEN);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void notExecuted_onAttemptOne_freesTheKeyAlsoForAnotherPayload() {
        var charge = shop.charge(here)
                .failures(FailureClassifier.conservative().on(IOException.class, FailureClass.NOT_EXECUTED))
                .calling((order, running) -> {
                    throw new IOException("401");
                });

        assertThat(Failures.notExecuted(() -> charge.execute(ORDER))).hasCauseInstanceOf(IOException.class);

        assertThat(shop.record().fingerprint()).isNull();
        var working = shop.charge(here).calling(shop.working());
        assertThat(working.execute(new Order("o-1", 7))).isEqualTo(new Receipt("effect-1", 7));
    }

    @Test
    void notExecuted_onAttemptTwo_keepsTheDoubtOfAttemptOne() {
        var charge = shop.charge(here)
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .failures(FailureClassifier.conservative().on(IllegalStateException.class, FailureClass.NOT_EXECUTED))
                .calling((order, running) -> {
                    running.nativeKey();
                    shop.calls.incrementAndGet();
                    throw running.number() == 1
                            ? new IOException("reset")
                            : new IllegalStateException("attempt " + running.number() + " refused");
                });

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure.attempt()).isEqualTo(2);
        assertThat(shop.calls).hasValue(2);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
        assertThat(shop.record().fingerprint()).isNotNull();
    }

    @Test
    void renewal_meetsTheCompletionOfItsOwnAttempt_isNoLoss() throws Throwable {
        var completed = new CountDownLatch(1);
        var renewing = new CountDownLatch(1);
        var renewed = new AtomicReference<@Nullable Thread>();
        var instance = Idempotency.builder(shop.store)
                .nanoTime(shop.clock::nanoTime)
                .listener(shop.events)
                .listener(event -> {
                    if (event.type() == Type.COMPLETED) {
                        completed.countDown();
                        Eventually.holds("the renewal has ended", () -> isIdle(renewed.get()));
                    }
                })
                .build();
        shop.store.beforeNext(Kind.RENEW, () -> {
            renewed.set(Thread.currentThread());
            renewing.countDown();
            Eventually.opens(completed);
        });
        var charge = shop.charge(instance).lease(LEASE).calling((order, running) -> {
            Eventually.opens(renewing);
            return new Receipt("e", order.amount());
        });

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.events.types()).doesNotContain(Type.LEASE_LOST);
        instance.close();
    }

    private static boolean isIdle(@Nullable Thread worker) {
        return worker == null
                || !worker.isAlive()
                || Arrays.stream(worker.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("getTask"));
    }

    @Test
    void renewal_schedulerOfTheUsersRefuses_callIsMadeAllTheSame() {
        var dead = new ScheduledThreadPoolExecutor(1);
        dead.shutdownNow();
        try (var instance = Idempotency.builder(shop.store).scheduler(dead).build()) {
            var charge = shop.charge(instance).calling(shop.working());

            assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
            assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        }
    }
}

package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedCrash;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import dev.idempotency.testkit.engine.ProbeStore.Trouble;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Races and crashes in which other libraries run twice, forget, or give an answer that does not hold. */
final class PeerScenarioTest {
    private static final Duration LEASE = Duration.ofMinutes(1);

    private final Shop shop = Shop.onManualClock();
    private final Idempotency here = shop.timeless();
    private final Idempotency there = shop.timeless();
    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);

    @AfterEach
    void close() {
        answer.countDown();
        shop.close();
    }

    private Operation.Call<Order, Receipt> held(Exception failure) {
        return (order, attempt) -> {
            started.countDown();
            Eventually.opens(answer);
            throw failure;
        };
    }

    private Operation.Call<Order, Receipt> lost() {
        return (order, attempt) -> {
            attempt.nativeKey();
            shop.calls.incrementAndGet();
            throw new SocketTimeoutException("read timed out");
        };
    }

    @Test
    void stalledOwner_afterItsTakeover_canNeitherReleaseNorDoubtTheKey() throws Throwable {
        var classes = FailureClassifier.conservative().on(IllegalStateException.class, FailureClass.NOT_SENT);
        for (Exception late : List.of(new IllegalStateException("never sent"), new IOException("reset"))) {
            var order = new Order("o-" + late.getMessage(), 1);
            var stop = new CountDownLatch(1);
            var begun = new CountDownLatch(1);
            var stalled = shop.charge(here)
                    .recovery(Recovery.nativeKey(Shop.NATIVE))
                    .failures(classes)
                    .lease(LEASE)
                    .calling((same, attempt) -> {
                        begun.countDown();
                        Eventually.opens(stop);
                        throw late;
                    });
            var other = shop.charge(there)
                    .recovery(Recovery.nativeKey(Shop.NATIVE))
                    .lease(LEASE)
                    .calling(shop.working());
            var owner = shop.submit(() -> stalled.execute(order));
            Eventually.opens(begun);
            shop.clock.advance(LEASE);
            Receipt receipt = other.execute(order);
            stop.countDown();

            assertThat(Eventually.get(owner)).isEqualTo(receipt);
            var record = shop.record(other.keyOf(order));
            assertThat(record.state()).isEqualTo(State.COMPLETED);
            assertThat(record.attempt()).isEqualTo(2);
        }
        assertThat(shop.calls).hasValue(2);
    }

    @Test
    void waiterGivesUp_reservationIsUntouched() throws Throwable {
        var owner = shop.submit(
                () -> shop.charge(here).calling(held(new IOException("reset"))).execute(ORDER));
        Eventually.opens(started);
        var before = shop.record();

        Failures.inFlight(() -> shop.charge(there)
                .waitAtMost(Duration.ZERO)
                .calling(shop.working())
                .execute(ORDER));

        assertThat(shop.record()).isEqualTo(before);
        answer.countDown();
        Failures.inDoubt(() -> Eventually.get(owner));
    }

    @Test
    void effectHappenedButItsRecordFailed_keyIsNeverFreed() {
        var charge = shop.charge().calling(shop.working());
        shop.store.trouble(Kind.COMPLETE, Trouble.LOST, Integer.MAX_VALUE);

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);
        shop.store.trouble(Kind.COMPLETE, Trouble.LOST, 0);
        shop.events.await(Type.LATE_RESULT);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void recordFailedAfterTheAnswer_callerDoesNotSeeSuccess() {
        var charge = shop.charge().calling((order, attempt) -> {
            shop.store.down(true);
            return new Receipt("e", order.amount());
        });

        Failures.inDoubt(() -> charge.execute(ORDER));
        shop.store.down(false);
        shop.events.await(Type.LATE_RESULT);
    }

    @Test
    void readTimeout_isLookedUpBeforeAnythingIsSentAgain() {
        var lookups = new AtomicInteger();
        var charge = shop.charge()
                .recovery(Recovery.lookupThenReexecute(
                        (order, attempt) -> {
                            assertThat(shop.calls).hasValue(1);
                            return lookups.incrementAndGet() == 1
                                    ? Finding.missing()
                                    : Finding.found(new Receipt("found", order.amount()));
                        },
                        Shop.MINUTE))
                .waitAtMost(Duration.ofSeconds(1))
                .calling(lost());

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure.resolvableAt()).isPresent();
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("found", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void otherPayload_inEveryState_isAMismatchAndReachesNobody() throws Throwable {
        var other = new Order("o-1", 999);
        var charge = shop.charge(there)
                .lease(LEASE)
                .retention(Duration.ofDays(1))
                .tombstone(Duration.ofDays(1))
                .recovery(Recovery.lookupThenClose((order, attempt) -> Finding.missing(), Shop.MINUTE))
                .calling(shop.working());
        var holding = shop.charge(here)
                .lease(LEASE)
                .retention(Duration.ofDays(1))
                .tombstone(Duration.ofDays(1))
                .recovery(Recovery.lookupThenClose((order, attempt) -> Finding.missing(), Shop.MINUTE))
                .waitAtMost(Duration.ofSeconds(1))
                .calling(held(new IOException("reset")));

        var owner = shop.submit(() -> holding.execute(ORDER));
        Eventually.opens(started);
        Failures.mismatch(() -> charge.execute(other));
        Failures.mismatch(() -> holding.execute(other));
        assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);

        answer.countDown();
        Failures.inDoubt(() -> Eventually.get(owner));
        Failures.mismatch(() -> charge.execute(other));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);

        shop.clock.advance(Shop.MINUTE.period());
        assertThat(Failures.notExecuted(() -> charge.execute(ORDER)).isClosed()).isTrue();
        Failures.mismatch(() -> charge.execute(other));
        assertThat(Failures.notExecuted(() -> charge.execute(ORDER)).isClosed()).isTrue();

        var completed = new Order("o-2", 1);
        charge.execute(completed);
        Failures.mismatch(() -> charge.execute(new Order("o-2", 2)));
        shop.clock.advance(Duration.ofDays(1).plus(LEASE));
        Failures.mismatch(() -> charge.execute(new Order("o-2", 2)));
        Failures.unavailable(() -> charge.execute(completed));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void lostRaceThenTheRowVanishes_winnerClaimsAnewBeforeItCalls() throws Throwable {
        var releasing = shop.charge(here)
                .lease(Duration.ofMillis(500))
                .retention(Duration.ofSeconds(1))
                .failures(FailureClassifier.conservative().on(IOException.class, FailureClass.NOT_SENT))
                .calling(held(new IOException("refused")));
        var waiting = shop.charge(there).waitAtMost(Eventually.DEADLINE).calling((order, attempt) -> {
            assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);
            return shop.working().call(order, attempt);
        });
        var owner = shop.submit(() -> releasing.execute(ORDER));
        Eventually.opens(started);
        shop.store.beforeNext(Kind.FIND, () -> {
            answer.countDown();
            shop.events.await(Type.RELEASED);
            shop.clock.advance(Duration.ofSeconds(2));
            shop.store.purge(100);
        });

        assertThat(waiting.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        Failures.notExecuted(() -> Eventually.get(owner));
        assertThat(shop.store.steps(Kind.RESERVE)).isEqualTo(3);
    }

    @Test
    void nestedAndConcurrentOperationsOnOneStore_keepApart() throws Throwable {
        List<Operation<Order, Receipt>> operations = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String name = "operation-" + i;
            Operation<Order, Receipt> inner = i == 0 ? null : operations.get(i - 1);
            operations.add(here.operation(name, Order.class, Receipt.class)
                    .key(Order::id)
                    .waitAtMost(Eventually.DEADLINE)
                    .calling((order, attempt) -> {
                        shop.calls.incrementAndGet();
                        long below = inner == null ? 0 : inner.execute(order).amount();
                        return new Receipt(name, below + 1);
                    }));
        }
        List<Future<Receipt>> futures = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            var operation = operations.get(3 - i % 4);
            futures.add(shop.submit(() -> operation.execute(ORDER)));
        }

        for (int i = 0; i < 16; i++) {
            assertThat(Eventually.get(futures.get(i))).isEqualTo(new Receipt("operation-" + (3 - i % 4), 4 - i % 4));
        }
        assertThat(shop.calls).hasValue(4);
    }

    @Test
    void orphanTakenOverByThreeAtOnce_isSentAgainByOne() throws Throwable {
        Failures.inDoubt(() -> shop.charge(here).calling(lost()).execute(new Order("o-0", 1)));
        var recovery = Recovery.<Order, Receipt>nativeKey(Shop.NATIVE);
        shop.store.trouble(Kind.DOUBT, Trouble.REFUSED, 5);
        Failures.inDoubt(() -> shop.charge(here)
                .recovery(recovery)
                .lease(LEASE)
                .calling(lost())
                .execute(ORDER));
        shop.clock.advance(LEASE);
        shop.calls.set(0);

        List<Future<Receipt>> takers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            var taker = shop.charge(shop.timeless())
                    .recovery(recovery)
                    .lease(LEASE)
                    .calling((order, attempt) -> {
                        started.countDown();
                        Eventually.opens(answer);
                        return shop.working().call(order, attempt);
                    });
            takers.add(shop.submit(() -> taker.execute(ORDER)));
        }
        Eventually.opens(started);
        shop.events.await(Type.WAITING, 2);
        answer.countDown();

        var receipts = new HashSet<Receipt>();
        for (Future<Receipt> taker : takers) {
            receipts.add(Eventually.get(taker));
        }
        assertThat(receipts).containsExactly(new Receipt("effect-1", 100));
        assertThat(shop.record().attempt()).isEqualTo(2);
        assertThat(shop.events.count(Type.RESENT)).isEqualTo(1);
    }

    /** What the result looked like before the last deployment. */
    record OldReceipt(String number, List<String> lines) {}

    @Test
    void redeployedWithAnotherResultType_failsLoudlyAndDoesNotRunAgain() {
        var before = here.operation(Shop.OPERATION, Order.class, OldReceipt.class)
                .key(Order::id)
                .calling((order, attempt) -> new OldReceipt("n", List.of("line")));
        before.execute(ORDER);

        Failures.unavailable(() -> shop.charge(there).calling(shop.working()).execute(ORDER));
        assertThat(shop.calls).hasValue(0);
    }

    @Test
    void storeUnavailableAtReserve_nothingIsCalled() {
        shop.store.down(true);

        Failures.store(() -> shop.charge(here).calling(shop.working()).execute(ORDER));
        assertThat(shop.calls).hasValue(0);
    }

    @Test
    void retryAfterTheProvidersWindow_isNotSentAgain() {
        var day = ProviderProfile.of("a day", "these tests", ProviderProfile.KeyFormat.uuid(), Duration.ofHours(24));
        var charge = shop.charge(here).recovery(Recovery.nativeKey(day)).calling(lost());
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(2);

        shop.clock.advance(Duration.ofHours(24).minus(day.pause()).minus(day.transit()));

        assertThat(Failures.inDoubt(() -> charge.execute(ORDER))).hasMessageContaining("window");
        assertThat(shop.calls).hasValue(2);
    }

    @Test
    void windowEndsBetweenTakeoverAndSend_isNotSentAgain() {
        var day = ProviderProfile.of("a day", "these tests", ProviderProfile.KeyFormat.uuid(), Duration.ofHours(24));
        var charge = shop.charge(here)
                .recovery(Recovery.nativeKey(day))
                .lease(Duration.ofHours(23))
                .calling(lost());
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(2);
        shop.clock.advance(Duration.ofHours(23));
        // Still inside the window when the attempt is decided, no more when the call would begin.
        shop.store.beforeNext(Kind.ATTEMPT, () -> shop.clock.advance(Duration.ofHours(1)));

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(2);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void retryAfterTheRetention_isExpiredAndNotNew() {
        var charge = shop.charge(here)
                .lease(LEASE)
                .retention(Duration.ofDays(1))
                .tombstone(Duration.ofDays(1))
                .calling(shop.working());
        charge.execute(ORDER);
        shop.clock.advance(Duration.ofDays(1).plus(LEASE));

        Failures.unavailable(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void ownerInterruptedAfterTheRequestLeft_isInDoubtAndNotFreed() throws Throwable {
        var charge = shop.charge(here).calling((order, attempt) -> {
            Thread.currentThread().interrupt();
            throw new InterruptedException();
        });
        var owner = shop.submit(() -> Failures.inDoubt(() -> charge.execute(ORDER)));

        assertThat(Eventually.get(owner).attempt()).isEqualTo(1);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void processDiesAtAnyStep_anotherOneResolvesItWithOneEffect() {
        int died = 0;
        for (StoreFault crash : List.of(StoreFault.CRASH_BEFORE, StoreFault.CRASH_AFTER)) {
            for (int step = 1; step <= 6; step++) {
                for (Script script : Script.values()) {
                    died += dies(crash, step, script) ? 1 : 0;
                }
            }
        }
        assertThat(died).isGreaterThanOrEqualTo(20);
    }

    private enum Script {
        WORKS,
        EFFECT_THEN_LOST,
        LOST_THEN_LOST,
        REFUSED_FIRST,
        DIES_IN_THE_CALL
    }

    private boolean dies(StoreFault crash, int step, Script script) {
        String id = crash + "-" + step + "-" + script;
        var order = new Order(id, 1);
        var ledger = EffectLedger.inMemory();
        var provider = new SimulatedProvider(ProviderBehavior.none().withNativeKey(), ledger, shop.clock);
        var dying = new FaultInjectingStore(shop.store, StoreFaultPlan.at(step, crash));
        var calls = new AtomicInteger();
        boolean died = false;
        try (var mortal =
                Idempotency.builder(dying).nanoTime(shop.clock::nanoTime).build()) {
            var first = charge(mortal, (same, attempt) -> {
                int call = calls.incrementAndGet();
                String nativeKey = attempt.nativeKey();
                if (script == Script.REFUSED_FIRST && call == 1) {
                    throw new IllegalStateException("not sent");
                }
                if (script == Script.LOST_THEN_LOST && call <= 2) {
                    throw new IOException("reset");
                }
                Receipt receipt = send(provider, same, nativeKey, "first-" + call);
                if (script == Script.DIES_IN_THE_CALL) {
                    dying.kill();
                }
                if (script == Script.EFFECT_THEN_LOST && call == 1) {
                    throw new IOException("reset");
                }
                return receipt;
            });
            try {
                first.execute(order);
            } catch (SimulatedCrash e) {
                died = true;
            } catch (RuntimeException e) {
                // It lived on; what it was told does not matter here.
            }
        }
        shop.clock.advance(LEASE);
        var second = charge(there, (same, attempt) -> send(provider, same, attempt.nativeKey(), "second"));

        Receipt receipt = second.execute(order);

        assertThat(ledger.effects())
                .as(id)
                .singleElement()
                .satisfies(effect -> assertThat(effect.effectId()).isEqualTo(receipt.effect()));
        assertThat(second.execute(order)).as(id).isEqualTo(receipt);
        return died;
    }

    private Operation<Order, Receipt> charge(Idempotency on, Operation.Call<Order, Receipt> call) {
        return shop.charge(on)
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .failures(FailureClassifier.conservative().on(IllegalStateException.class, FailureClass.NOT_SENT))
                .lease(LEASE)
                .calling(call);
    }

    private static Receipt send(SimulatedProvider provider, Order order, String nativeKey, String request)
            throws IOException {
        Reply reply = provider.submit(new Submission(request, nativeKey, order.id(), "" + order.amount()));
        if (reply instanceof Reply.Created created) {
            return new Receipt(created.effect().effectId(), order.amount());
        }
        if (reply instanceof Reply.Replayed replayed) {
            return new Receipt(replayed.effect().effectId(), order.amount());
        }
        throw new IOException("not a definite answer: " + reply);
    }
}

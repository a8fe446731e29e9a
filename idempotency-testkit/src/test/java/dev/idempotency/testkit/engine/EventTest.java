package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import dev.idempotency.testkit.engine.ProbeStore.Trouble;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What listeners hear, the alarms above all. */
final class EventTest {
    private static final Duration LEASE = Duration.ofMillis(10);
    private static final FailureClassifier CLASSES =
            FailureClassifier.conservative().on(IllegalStateException.class, FailureClass.NOT_SENT);

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

    private Operation.Call<Order, Receipt> held(String effect) {
        return (order, attempt) -> {
            shop.calls.incrementAndGet();
            started.countDown();
            Eventually.opens(answer);
            return new Receipt(effect, order.amount());
        };
    }

    /** A run whose call is under way, and whose lease is over without its knowing how. */
    private Future<Receipt> lapsed(Recovery<Order, Receipt> recovery, String effect) {
        var charge = shop.charge(here)
                .recovery(recovery)
                .lease(LEASE)
                .waitAtMost(Duration.ofSeconds(1))
                .calling(held(effect));
        var owner = shop.submit(() -> charge.execute(ORDER));
        Eventually.opens(started);
        shop.store.down(true);
        shop.clock.advance(LEASE);
        shop.events.await(Type.LEASE_LOST);
        shop.store.down(false);
        return owner;
    }

    private Operation<Order, Receipt> other(Recovery<Order, Receipt> recovery) {
        return shop.charge(there)
                .recovery(recovery)
                .waitAtMost(Duration.ofSeconds(1))
                .calling(shop.working());
    }

    private void conflict() throws Throwable {
        Recovery<Order, Receipt> recovery =
                Recovery.lookup((order, attempt) -> Finding.found(new Receipt("found", order.amount())));
        var owner = lapsed(recovery, "answered");
        assertThat(other(recovery).execute(ORDER)).isEqualTo(new Receipt("found", 100));
        answer.countDown();
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("found", 100));
    }

    @Test
    void conflict_anotherAnswerThanTheProviderGave_isAnAlarmAndTheRecordStands() throws Throwable {
        conflict();

        assertThat(shop.events.types()).contains(Type.FOUND, Type.CONFLICT);
        assertThat(other(Recovery.hold()).execute(ORDER)).isEqualTo(new Receipt("found", 100));
    }

    private Future<Receipt> closedTooEarly() {
        Recovery<Order, Receipt> recovery =
                Recovery.lookupThenClose((order, attempt) -> Finding.missing(), Shop.MINUTE);
        var owner = lapsed(recovery, "after all");
        Failures.inDoubt(() -> other(recovery).execute(ORDER));
        shop.clock.advance(Shop.MINUTE.period());
        assertThat(Failures.notExecuted(() -> other(recovery).execute(ORDER)).isClosed())
                .isTrue();
        return owner;
    }

    @Test
    void contradiction_answerForAKeyClosedAsNotExecuted_isAnAlarmAndTheRecordStands() throws Throwable {
        var owner = closedTooEarly();
        answer.countDown();

        assertThat(Failures.notExecuted(() -> Eventually.get(owner)).isClosed()).isTrue();
        assertThat(shop.events.types()).contains(Type.CLOSED, Type.CONTRADICTION);
        assertThat(shop.record().state()).isEqualTo(State.CLOSED);
    }

    @Test
    void contradiction_keyReopenedForTheSamePayload_isNotRunAgainByTheRunThatHasTheAnswer() throws Throwable {
        var owner = closedTooEarly();
        var charge = other(Recovery.hold());
        shop.reopen();
        answer.countDown();

        Failures.inDoubt(() -> Eventually.get(owner));

        assertThat(shop.calls).hasValue(1);
        assertThat(shop.events.types()).contains(Type.CONTRADICTION);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-2", 100));
    }

    @Test
    void orphan_recordLostByTheStoreDuringTheCall_isAnAlarmAndInDoubt() {
        shop.store.trouble(Kind.COMPLETE, Trouble.FORGOTTEN, 1);
        var charge = shop.charge(here).calling(shop.working());

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.events.types()).contains(Type.ORPHAN).doesNotContain(Type.COMPLETED);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void alarms_areExactlyTheFour() {
        assertThat(Type.values())
                .filteredOn(Type::isAlarm)
                .containsExactly(Type.ORPHAN, Type.CONFLICT, Type.CONTRADICTION, Type.DUPLICATE);
    }

    private Operation<Order, Receipt> scripted(Recovery<Order, Receipt> recovery) {
        var retry = Retry.of(
                "once",
                RetryConfig.custom().maxAttempts(2).intervalFunction(n -> 1L).build());
        return shop.charge(there)
                .recovery(recovery)
                .failures(CLASSES)
                .retry(retry)
                .lease(Duration.ofHours(1))
                .retention(Duration.ofDays(1))
                .tombstone(Duration.ofDays(1))
                .calling((order, attempt) -> scripted(order, attempt));
    }

    private static Receipt scripted(Order order, Attempt attempt) throws IOException {
        attempt.nativeKey();
        return switch (order.id()) {
            case "declined" -> throw new DeclinedException("no funds");
            case "refused" -> throw new IllegalStateException("not sent");
            case "lost", "missing" -> {
                if (attempt.number() == 1) {
                    throw new IOException("reset");
                }
                yield new Receipt("e2", order.amount());
            }
            default -> new Receipt("e", order.amount());
        };
    }

    private void scripts() throws Throwable {
        var charge = scripted(Recovery.nativeKey(Shop.NATIVE));
        var order = new Order("plain", 1);
        var changed = new Order("plain", 2);
        charge.execute(order);
        charge.execute(order);
        Failures.mismatch(() -> charge.execute(changed));
        shop.override(charge, changed);
        charge.execute(changed);
        Failures.declined(() -> charge.execute(new Order("declined", 1)));
        Failures.notExecuted(() -> charge.execute(new Order("refused", 1)));
        charge.execute(new Order("lost", 1));
        scripted(Recovery.seal((same, attempt) -> Finding.missing())).execute(new Order("missing", 1));
        shop.clock.advance(Duration.ofDays(1).plusHours(1));
        Failures.unavailable(() -> charge.execute(changed));
    }

    private void superseded() throws Throwable {
        Recovery<Order, Receipt> recovery = Recovery.nativeKey(Shop.NATIVE);
        var owner = lapsed(recovery, "other");
        other(recovery).execute(ORDER);
        answer.countDown();
        Eventually.get(owner);
    }

    private void late() throws Throwable {
        Recovery<Order, Receipt> recovery = Recovery.lookup((order, attempt) -> Finding.unknown("closed today"));
        var owner = lapsed(recovery, "late");
        Failures.inDoubt(() -> other(recovery).execute(ORDER));
        answer.countDown();
        Eventually.get(owner);
    }

    private void waited() throws Throwable {
        var owner = shop.submit(
                () -> shop.charge(here).lease(LEASE).calling(held("e")).execute(ORDER));
        Eventually.opens(started);
        shop.events.await(Type.RENEWED);
        Failures.inFlight(() -> shop.charge(there)
                .waitAtMost(Duration.ZERO)
                .calling(shop.working())
                .execute(ORDER));
        // The real clock ends this wait.
        Failures.inFlight(() -> shop.charge(shop.another())
                .waitAtMost(Duration.ofMillis(10))
                .calling(shop.working())
                .execute(ORDER));
        answer.countDown();
        Eventually.get(owner);
    }

    private interface Script {
        void play(EventTest test) throws Throwable;
    }

    @Test
    void events_ofAllScriptsTogether_areAllThatThereAre() throws Throwable {
        List<Script> all = List.of(
                EventTest::conflict,
                EventTest::contradiction_answerForAKeyClosedAsNotExecuted_isAnAlarmAndTheRecordStands,
                EventTest::orphan_recordLostByTheStoreDuringTheCall_isAnAlarmAndInDoubt,
                EventTest::scripts,
                EventTest::superseded,
                EventTest::late,
                EventTest::waited);
        Set<Type> heard = EnumSet.noneOf(Type.class);
        for (Script script : all) {
            var test = new EventTest();
            try {
                script.play(test);
            } finally {
                test.close();
            }
            heard.addAll(test.shop.events.types());
        }
        var transactional = new SameTransactionTest();
        try {
            transactional.attempt_pausedPastItsLease_isTakenOverAndRolledBack();
        } finally {
            transactional.close();
        }
        heard.addAll(transactional.events.types());

        assertThat(heard).containsExactlyInAnyOrder(Type.values());
    }

    @Test
    void events_ofAWholeRun_comeInOrderAndNameTheirAttempt() {
        shop.charge(here).calling(shop.working()).execute(ORDER);

        assertThat(shop.events.all())
                .extracting(IdempotencyEvent::type)
                .containsExactly(Type.RESERVED, Type.CALLING, Type.COMPLETED);
        assertThat(shop.events.all()).allSatisfy(event -> {
            assertThat(event.key()).isEqualTo(Shop.KEY);
            assertThat(event.generation()).isEqualTo(1);
            assertThat(event.attempt()).isEqualTo(1);
        });
    }
}

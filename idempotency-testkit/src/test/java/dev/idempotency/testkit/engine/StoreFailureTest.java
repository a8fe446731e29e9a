package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import dev.idempotency.testkit.engine.ProbeStore.Trouble;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Steps of the store that fail, and the library being closed. */
final class StoreFailureTest {
    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.store.down(false);
        shop.close();
    }

    @Test
    void reserve_storeDown_failsClosedAndNothingIsCalled() {
        var charge = shop.charge().calling(shop.working());
        shop.store.down(true);

        var failure = Failures.store(() -> charge.execute(ORDER));

        assertThat(failure.mayHaveWritten()).isFalse();
        assertThat(shop.calls).hasValue(0);
        assertThat(shop.store.steps(Kind.RESERVE)).isGreaterThan(1);
        assertThat(shop.events.types()).contains(Type.STORE_FAILED).doesNotContain(Type.RESERVED);
        shop.store.down(false);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void reserve_shortOutage_isSatOut() {
        var charge = shop.charge().calling(shop.working());
        shop.store.trouble(Kind.RESERVE, Trouble.REFUSED, 2);

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void reserve_replyLost_recognisesItsOwnTokenAndCallsOnce() {
        var charge = shop.charge().waitAtMost(Duration.ofMillis(10)).calling(shop.working());
        shop.store.trouble(Kind.RESERVE, Trouble.REPLY_LOST, 1);

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));

        assertThat(shop.calls).hasValue(1);
        assertThat(shop.record().attempt()).isEqualTo(1);
        assertThat(shop.events.types()).doesNotContain(Type.IN_DOUBT, Type.WAITING, Type.LAPSED);
    }

    @Test
    void reserve_writtenButEveryReplyLost_isReleasedAsSoonAsTheStoreIsBack() {
        var charge = shop.charge().waitAtMost(Duration.ofSeconds(30)).calling(shop.working());
        shop.store.trouble(Kind.RESERVE, Trouble.REPLY_LOST, 5);
        shop.store.trouble(Kind.RENEW, Trouble.REPLY_LOST, 100);

        var failure = Failures.store(() -> charge.execute(ORDER));

        assertThat(failure.mayHaveWritten()).isTrue();
        assertThat(shop.calls).hasValue(0);
        Eventually.holds("the key is free", () -> shop.record().state() == State.OPEN);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.events.types()).doesNotContain(Type.LAPSED, Type.IN_DOUBT);
    }

    @Test
    void complete_replyLost_givesOneAnswer() {
        var charge = shop.charge().calling(shop.working());
        shop.store.trouble(Kind.COMPLETE, Trouble.REPLY_LOST, 1);

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));

        assertThat(shop.calls).hasValue(1);
        assertThat(shop.record().version()).isEqualTo(2);
        assertThat(shop.events.types()).doesNotContain(Type.CONFLICT, Type.SUPERSEDED);
    }

    @Test
    void complete_storeDown_isInDoubtUntilTheStoreIsBackAndThenRecordedWithoutAnyCaller() {
        var charge = shop.charge().calling(shop.working());
        shop.store.trouble(Kind.COMPLETE, Trouble.REFUSED, 7);

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure).hasCauseInstanceOf(StoreException.class);
        shop.events.await(Type.LATE_RESULT);
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void complete_storeDownWhileClosed_isRecordedAllTheSameAndLeavesNoThread() {
        Set<Thread> before = ours();
        var instance = shop.another();
        var charge = shop.charge(instance).calling((order, attempt) -> {
            shop.store.down(true);
            return new Receipt("e", order.amount());
        });
        Failures.inDoubt(() -> charge.execute(ORDER));

        instance.close();
        shop.store.down(false);

        shop.events.await(Type.LATE_RESULT);
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        Eventually.holds("no thread is left", () -> before.containsAll(ours()));
    }

    private static Set<Thread> ours() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("idempotency-"))
                .collect(Collectors.toSet());
    }

    @Test
    void close_callsUnderWay_endAsTheyWouldAndLeaveNoThread() throws Throwable {
        Set<Thread> before = ours();
        var instance = shop.another();
        var stage = new CompletableFuture<Receipt>();
        var async = shop.charge(instance).lease(Duration.ofMillis(300)).callingAsync((order, attempt) -> stage);
        var future = async.executeAsync(ORDER);
        shop.events.await(Type.RENEWED);

        instance.close();
        shop.events.await(Type.RENEWED, (int) shop.events.count(Type.RENEWED) + 2);
        stage.complete(new Receipt("e", 100));

        assertThat(Eventually.get(future)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        Eventually.holds("no thread is left", () -> before.containsAll(ours()));
    }

    @Test
    void close_waiterInAPause_stillGetsTheResult() throws Throwable {
        var answer = new CountDownLatch(1);
        var instance = shop.another();
        var owner = shop.charge().calling((order, attempt) -> {
            Eventually.opens(answer);
            return new Receipt("e", order.amount());
        });
        var waiting = shop.charge(instance).waitAtMost(Eventually.DEADLINE).calling(shop.working());
        var first = shop.submit(() -> owner.execute(ORDER));
        shop.events.await(Type.CALLING);
        var waiter = shop.submit(() -> waiting.execute(ORDER));
        shop.events.await(Type.WAITING);

        instance.close();
        answer.countDown();

        assertThat(Eventually.get(waiter)).isEqualTo(Eventually.get(first));
    }

    @Test
    void close_neverUsed_isSafeTwice() {
        var unused = Idempotency.on(shop.store);
        unused.close();
        unused.close();
    }

    @Test
    void markInDoubt_storeDown_isInDoubtAndNeverCalledAgain() {
        var charge = shop.charge().lease(Duration.ofMillis(500)).calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            throw new IOException("reset");
        });
        shop.store.trouble(Kind.DOUBT, Trouble.REFUSED, 5);

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure.since()).isEmpty();
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void release_storeDown_isNotExecutedAndFreedAsSoonAsTheStoreIsBack() {
        var charge = shop.charge()
                .failures(FailureClassifier.conservative().on(IOException.class, FailureClass.NOT_SENT))
                .calling((order, attempt) -> {
                    throw new IOException("refused");
                });
        shop.store.trouble(Kind.RELEASE, Trouble.REFUSED, 6);

        Failures.notExecuted(() -> charge.execute(ORDER));

        Eventually.holds("the key is free", () -> shop.record().state() == State.OPEN);
    }

    @Test
    void resend_replyLost_sendsOnceUnderTheAttemptThatStands() {
        var charge = shop.charge().recovery(Recovery.nativeKey(Shop.NATIVE)).calling((order, attempt) -> {
            attempt.nativeKey();
            if (shop.calls.incrementAndGet() == 1) {
                throw new IOException("reset");
            }
            return new Receipt("attempt-" + attempt.number(), order.amount());
        });
        shop.store.trouble(Kind.ATTEMPT, Trouble.REPLY_LOST, 1);

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("attempt-2", 100));
        assertThat(shop.calls).hasValue(2);
        assertThat(shop.record().attempt()).isEqualTo(2);
    }

    @Test
    void resend_storeDownAfterTheFirstCall_isInDoubtAndNotAFailureBeforeAnythingWasSent() {
        var charge = shop.charge().recovery(Recovery.nativeKey(Shop.NATIVE)).calling((order, attempt) -> {
            attempt.nativeKey();
            shop.calls.incrementAndGet();
            throw new IOException("reset");
        });
        shop.store.trouble(Kind.ATTEMPT, Trouble.REFUSED, 5);

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure).hasCauseInstanceOf(StoreException.class);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void found_storeDownAfterTheCall_isInDoubtAndFoundByTheNextRun() {
        var charge = shop.charge()
                .recovery(Recovery.lookup((order, attempt) -> Finding.found(new Receipt("e", order.amount()))))
                .calling((order, attempt) -> {
                    shop.calls.incrementAndGet();
                    throw new IOException("reset");
                });
        shop.store.trouble(Kind.COMPLETE, Trouble.REFUSED, 5);

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure).hasCauseInstanceOf(StoreException.class);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.calls).hasValue(1);
    }
}

package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import dev.idempotency.testkit.engine.ProbeStore.Trouble;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class AsyncExecutionTest {
    private final Shop shop = Shop.open();
    private final CompletableFuture<Receipt> stage = new CompletableFuture<>();

    @AfterEach
    void close() {
        shop.close();
    }

    private Operation<Order, Receipt> pending() {
        return pending(shop.charge());
    }

    private Operation<Order, Receipt> pending(Operation.Builder<Order, Receipt> charge) {
        return charge.callingAsync((order, attempt) -> {
            shop.calls.incrementAndGet();
            return stage;
        });
    }

    @Test
    void executeAsync_thousandPendingCallsOnTwoThreads_allAreStartedAndAllEnd() throws Throwable {
        int many = 1_000;
        var executor = Executors.newFixedThreadPool(2);
        Map<String, CompletableFuture<Receipt>> downstream = new ConcurrentHashMap<>();
        try (var two = Idempotency.builder(shop.store).executor(executor).build()) {
            var charge = shop.charge(two).callingAsync((order, attempt) -> {
                var answer = new CompletableFuture<Receipt>();
                downstream.put(order.id(), answer);
                return answer;
            });
            List<CompletableFuture<Receipt>> futures = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                futures.add(charge.executeAsync(new Order("o-" + i, i)));
            }
            Eventually.holds("all are started", () -> downstream.size() == many);
            assertThat(futures).noneMatch(CompletableFuture::isDone);

            downstream.forEach((id, answer) -> answer.complete(new Receipt(id, 1)));

            for (int i = 0; i < many; i++) {
                assertThat(Eventually.get(futures.get(i))).isEqualTo(new Receipt("o-" + i, 1));
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void executeAsync_blockingCall_runsOnAThreadOfTheLibrary() throws Throwable {
        var charge = shop.charge()
                .calling((order, attempt) -> new Receipt(Thread.currentThread().getName(), order.amount()));

        assertThat(Eventually.get(charge.executeAsync(ORDER)).effect()).startsWith("idempotency-worker-");
    }

    @Test
    void executeAsync_failures_arriveAsTheTypesThatExecuteThrows() {
        var failures = FailureClassifier.conservative().on(IllegalStateException.class, FailureClass.NOT_SENT);

        Failures.failed(DeclinedException.class, () -> failing("a", failures, new DeclinedException("no funds")));
        Failures.failed(NotExecutedException.class, () -> failing("b", failures, new IllegalStateException()));
        Failures.failed(InDoubtException.class, () -> failing("c", failures, new IOException("reset")));
        Failures.failed(
                MismatchException.class,
                () -> Eventually.get(shop.charge().calling(shop.working()).executeAsync(new Order("a", 7))));
        shop.store.down(true);
        Failures.failed(StoreException.class, () -> failing("d", failures, new IOException("not called")));
    }

    private void failing(String id, FailureClassifier failures, Throwable failure) throws Throwable {
        var charge = shop.charge()
                .failures(failures)
                .callingAsync((order, attempt) -> CompletableFuture.failedFuture(failure));
        Eventually.get(charge.executeAsync(new Order(id, 1)));
    }

    @Test
    void executeAsync_callThatThrowsInsteadOfFailingItsStage_isInDoubt() {
        var charge = shop.charge().callingAsync((order, attempt) -> {
            throw new IOException("reset");
        });

        Failures.inDoubt(() -> Eventually.get(charge.executeAsync(ORDER)));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void executeAsync_nullInsteadOfAStage_isInDoubt() {
        var charge = shop.charge().callingAsync((order, attempt) -> Unruly.nothing());

        var failure = Failures.inDoubt(() -> Eventually.get(charge.executeAsync(ORDER)));

        assertThat(failure).hasCauseInstanceOf(NullPointerException.class);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void executeAsync_stageThatCannotBeObserved_isInDoubt() {
        var charge = shop.charge().callingAsync((order, attempt) -> new Unruly.Stage<>());

        Failures.inDoubt(() -> Eventually.get(charge.executeAsync(ORDER)));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void execute_asyncOperation_blocksForTheSameAnswer() throws Throwable {
        var charge = pending();
        var caller = shop.submit(() -> charge.execute(ORDER));
        shop.events.await(Type.CALLING);
        stage.complete(new Receipt("e", 100));

        assertThat(Eventually.get(caller)).isEqualTo(new Receipt("e", 100));
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void execute_asyncOperationInterrupted_callerLeavesAndTheCallIsRecorded() throws Throwable {
        var charge = pending();
        var caller = shop.submit(() -> {
            Thread.currentThread().interrupt();
            Failures.inFlight(() -> charge.execute(ORDER));
            return Thread.currentThread().isInterrupted();
        });

        assertThat(Eventually.get(caller)).isTrue();
        shop.events.await(Type.CALLING);
        stage.complete(new Receipt("e", 100));
        shop.events.await(Type.COMPLETED);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void executeAsync_futureCancelled_callGoesOnAndIsRecorded() throws Throwable {
        var charge = pending();
        var future = charge.executeAsync(ORDER);
        shop.events.await(Type.CALLING);

        future.cancel(true);
        assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);
        var waiter = charge.executeAsync(ORDER);
        stage.complete(new Receipt("e", 100));

        assertThat(Eventually.get(waiter)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void executeAsync_manyWaiters_shareOneCallWithoutReading() throws Throwable {
        var charge = pending();
        List<CompletableFuture<Receipt>> futures = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            futures.add(charge.executeAsync(ORDER));
        }
        shop.events.await(Type.CALLING);
        stage.complete(new Receipt("e", 100));

        for (var future : futures) {
            assertThat(Eventually.get(future)).isEqualTo(new Receipt("e", 100));
        }
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.store.steps()).isEqualTo(2);
    }

    @Test
    void executeAsync_waiterTimesOut_ownerIsUntouched() throws Throwable {
        var charge = pending(shop.charge().waitAtMost(Duration.ofMillis(20)));
        var owner = charge.executeAsync(ORDER);
        shop.events.await(Type.CALLING);
        long version = shop.record().version();

        Failures.failed(InFlightException.class, () -> Eventually.get(charge.executeAsync(ORDER)));

        assertThat(shop.record().version()).isEqualTo(version);
        assertThat(shop.record().state()).isEqualTo(State.IN_FLIGHT);
        stage.complete(new Receipt("e", 100));
        assertThat(Eventually.get(owner)).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void executeAsync_ownerOnlyFailedForItself_waiterTriesForItself() throws Throwable {
        shop.store.trouble(Kind.RESERVE, Trouble.REFUSED, 5);
        stage.complete(new Receipt("e", 100));
        var charge = pending();
        List<CompletableFuture<Receipt>> waiters = new ArrayList<>();
        shop.store.beforeNext(Kind.RESERVE, () -> waiters.add(charge.executeAsync(ORDER)));

        Failures.store(() -> Eventually.get(charge.executeAsync(ORDER)));

        assertThat(Eventually.get(waiters.get(0))).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void executeAsync_executorRefusesOnce_nextExecutionOfTheKeyWorks() throws Throwable {
        var executor = new Unruly.Executor();
        try (var refusing = Idempotency.builder(shop.store).executor(executor).build()) {
            var charge = shop.charge(refusing).calling(shop.working());
            executor.refuses(true);
            Failures.failed(RejectedExecutionException.class, () -> Eventually.get(charge.executeAsync(ORDER)));
            assertThat(shop.store.steps()).isZero();

            executor.refuses(false);
            assertThat(Eventually.get(charge.executeAsync(ORDER))).isEqualTo(new Receipt("effect-1", 100));
        } finally {
            executor.shutdownNow();
        }
    }
}

package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Codec;
import dev.idempotency.FailureClass;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import dev.idempotency.testkit.engine.ProbeStore.Trouble;
import dev.idempotency.testkit.process.ChildJvm;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Executors, timers, codecs and calls that fail for a moment, or for ever: every run ends, and the next one of the key works. */
final class NothingHangsTest {
    private static final Duration FAR = Duration.ofDays(1);

    private final Shop shop = Shop.open();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final CountDownLatch never = new CountDownLatch(1);

    @AfterEach
    void close() throws Exception {
        never.countDown();
        for (AutoCloseable closeable : open) {
            closeable.close();
        }
        shop.close();
    }

    private Idempotency on(Idempotency.Builder builder) {
        var instance = builder.build();
        open.add(instance);
        return instance;
    }

    private Idempotency.Builder builder() {
        return Idempotency.builder(shop.store).listener(shop.events);
    }

    /** An executor that has no thread for a task while it is told to. */
    private static final class NoThreads extends AbstractExecutorService {
        final AtomicBoolean none = new AtomicBoolean();
        final AtomicInteger refused = new AtomicInteger();
        private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
            var thread = new Thread(task, "given");
            thread.setDaemon(true);
            return thread;
        });

        @Override
        public void execute(Runnable task) {
            if (none.get()) {
                refused.incrementAndGet();
                throw new OutOfMemoryError("unable to create native thread");
            }
            threads.execute(task);
        }

        @Override
        public void shutdown() {
            threads.shutdown();
        }

        @Override
        public List<Runnable> shutdownNow() {
            return threads.shutdownNow();
        }

        @Override
        public boolean isShutdown() {
            return threads.isShutdown();
        }

        @Override
        public boolean isTerminated() {
            return threads.isTerminated();
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
            return threads.awaitTermination(timeout, unit);
        }
    }

    // ---- what is begun

    @Test
    void executeAsync_noThreadForAMoment_failsAndTheNextExecutionOfTheKeyWorks() throws Throwable {
        var executor = new NoThreads();
        open.add(executor::shutdownNow);
        var charge = shop.charge(on(builder().executor(executor))).calling(shop.working());
        executor.none.set(true);
        Failures.failed(OutOfMemoryError.class, () -> Eventually.get(charge.executeAsync(ORDER)));
        assertThat(shop.store.steps()).isZero();

        executor.none.set(false);
        assertThat(Eventually.get(charge.executeAsync(ORDER))).isEqualTo(new Receipt("effect-1", 100));
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void executeAsync_codecOfKeptRequestsThrowsAnError_failsAndTheNextExecutionOfTheKeyWorks() throws Throwable {
        var fails = new AtomicBoolean(true);
        Codec<Order> json = shop.idempotency.codec(Order.class);
        var unlinked = new Codec<Order>() {
            @Override
            public String id() {
                return json.id();
            }

            @Override
            public byte[] encode(Order value) throws Exception {
                if (fails.getAndSet(false)) {
                    throw new NoClassDefFoundError("com/example/Missing");
                }
                return json.encode(value);
            }

            @Override
            public Order decode(byte[] bytes) throws Exception {
                return json.decode(bytes);
            }
        };
        var charge = shop.charge().keepRequests(unlinked).calling(shop.working());
        assertThat(Failures.failed(Throwable.class, () -> Eventually.get(charge.executeAsync(ORDER))))
                .hasStackTraceContaining("com/example/Missing");

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(Eventually.get(charge.executeAsync(ORDER))).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void executeAll_keyOfOneRequestThrowsAnError_theOthersAreExecuted() throws Throwable {
        var charge = shop.idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(order -> order.amount() == 2 ? String.valueOf(Unruly.overflow(0)) : order.id())
                .calling(shop.working());
        for (int atOnce : List.of(1, 3)) {
            var outcomes = charge.executeAll(
                    List.of(
                            new Order("a" + atOnce, 1),
                            new Order("b" + atOnce, 2),
                            new Order("c" + atOnce, 3),
                            new Order("d" + atOnce, 4)),
                    atOnce);

            assertThat(Eventually.get(outcomes.get(0)).amount()).isEqualTo(1);
            Failures.failed(StackOverflowError.class, () -> Eventually.get(outcomes.get(1)));
            assertThat(Eventually.get(outcomes.get(2)).amount()).isEqualTo(3);
            assertThat(Eventually.get(outcomes.get(3)).amount()).isEqualTo(4);
        }
    }

    @Test
    void execute_afterClose_isRefusedBeforeAnythingIsWritten() {
        var closed = Idempotency.on(shop.store);
        var charge = shop.charge(closed).calling(shop.working());
        closed.close();

        assertThatThrownBy(() -> charge.execute(ORDER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("was closed");
        assertThatThrownBy(() -> charge.executeAsync(ORDER)).isInstanceOf(IllegalStateException.class);
        assertThat(shop.store.steps()).isZero();
    }

    // ---- what is under way

    @Test
    void executeAsync_executorIsShutDownDuringTheCall_outcomeIsRecorded() throws Throwable {
        var executor = Executors.newCachedThreadPool();
        var answer = new CompletableFuture<Receipt>();
        var charge = shop.charge(on(builder().executor(executor))).callingAsync((order, attempt) -> answer);
        var running = charge.executeAsync(ORDER);
        shop.events.await(Type.CALLING);
        executor.shutdownNow();
        answer.complete(new Receipt("e", 100));

        assertThat(Eventually.get(running)).isEqualTo(new Receipt("e", 100));
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void executeAsync_executorIsShutDownWithTheTaskInItsQueue_ends() throws Throwable {
        var executor = Executors.newFixedThreadPool(1);
        executor.execute(() -> Eventually.opens(never));
        var charge = shop.charge(on(builder().executor(executor))).calling(shop.working());
        var running = charge.executeAsync(ORDER);

        assertThat(executor.shutdownNow()).isNotEmpty();

        assertThat(Eventually.get(running)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void executeAsync_callersCodeBlocksAfterATimeout_leasesOfOthersAreRenewed() throws Throwable {
        int many = 40;
        var hanging = new AtomicInteger();
        for (int i = 0; i < many; i++) {
            var unused = neverAnswering(impatient())
                    .executeAsync(new Order("hangs-" + i, 1))
                    .whenComplete((receipt, failure) -> {
                        hanging.incrementAndGet();
                        Eventually.opens(never);
                    });
        }
        Eventually.holds("the callers' code blocks", () -> hanging.get() == many);
        var charge = neverAnswering(shop.charge().callTimeout(Duration.ofMinutes(10)));
        var unused = charge.executeAsync(ORDER);
        long before = shop.events.count(Type.RENEWED);

        Eventually.holds("it is renewed", () -> shop.events.count(Type.RENEWED) > before + 2);
    }

    /** All time-outs of futures of a process end on one thread, also those of other libraries. */
    @Test
    void executeAsync_callersCodeBlocksAfterAWaitThatWasTooLong_timeoutsOfOtherFuturesStillEnd() throws Throwable {
        var charge = shop.charge()
                .waitAtMost(Duration.ofMillis(100))
                .callingAsync((order, attempt) -> new CompletableFuture<>());
        var unused = charge.executeAsync(ORDER);
        shop.events.await(Type.CALLING);
        var blocked = new CountDownLatch(1);
        var unused2 = charge.executeAsync(ORDER).whenComplete((receipt, failure) -> {
            blocked.countDown();
            Eventually.opens(never);
        });
        Eventually.opens(blocked);

        assertThat(Eventually.get(new CompletableFuture<String>().completeOnTimeout("ended", 1, TimeUnit.MILLISECONDS)))
                .isEqualTo("ended");
    }

    @Test
    void executeAsync_schedulerIsShutDownDuringACallThatNeverAnswers_endsInDoubtAtItsTimeout() {
        var timer = new ScheduledThreadPoolExecutor(1);
        var charge = neverAnswering(shop.charge(on(builder().scheduler(timer)))
                .lease(Duration.ofMillis(400))
                .callTimeout(Duration.ofSeconds(1)));
        var running = charge.executeAsync(ORDER);
        shop.events.await(Type.CALLING);
        timer.shutdownNow();

        Failures.inDoubt(() -> Eventually.get(running));
    }

    /** The renewals of all leases stood behind the calls in the executor's queue, those of callers with a thread of their own, too. */
    @Test
    void execute_allThreadsOfTheExecutorAreInCallsThatNeverAnswer_leasesAreRenewedAndCallersHearOfTheTimeouts()
            throws Throwable {
        var executor = Executors.newFixedThreadPool(2);
        open.add(executor::shutdownNow);
        var instance = on(builder().executor(executor));
        var hanging = shop.charge(instance)
                .lease(Duration.ofMillis(400))
                .callTimeout(Duration.ofSeconds(1))
                .calling((order, attempt) -> {
                    Eventually.opens(never);
                    return new Receipt("late", 1);
                });
        var running = List.of(hanging.executeAsync(new Order("h-1", 1)), hanging.executeAsync(new Order("h-2", 1)));
        Eventually.holds("both hang", () -> shop.events.count(Type.CALLING) == 2);
        var charge = shop.charge(instance).lease(Duration.ofMillis(400)).calling((order, attempt) -> {
            long before = shop.events.count(Type.RENEWED);
            Eventually.holds("it is renewed", () -> shop.events.count(Type.RENEWED) > before);
            return new Receipt("e", order.amount());
        });

        for (var each : running) {
            Failures.inDoubt(() -> Eventually.get(each));
        }
        assertThat(Eventually.get(shop.submit(() -> charge.execute(ORDER)))).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void execute_executorIsShutDownAndTheStoreFailsAfterTheCall_callerIsToldOfTheDoubtAndTheOutcomeIsRecordedLater() {
        var executor = Executors.newCachedThreadPool();
        executor.shutdownNow();
        var charge = shop.charge(on(builder().executor(executor))).calling(shop.working());
        shop.store.trouble(Kind.COMPLETE, Trouble.REFUSED, 7);

        Failures.inDoubt(() -> charge.execute(ORDER));

        Eventually.holds("it is recorded", () -> shop.record().state() == State.COMPLETED);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void execute_schedulerIsShutDownWhileItBacksOff_ends() throws Throwable {
        var timer = new ScheduledThreadPoolExecutor(1);
        var charge = shop.charge(on(builder().scheduler(timer))).calling(shop.working());
        shop.store.trouble(Kind.RESERVE, Trouble.REFUSED, 3);
        shop.store.beforeNext(Kind.RESERVE, timer::shutdownNow);

        assertThat(Eventually.get(shop.submit(() -> charge.execute(ORDER)))).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void executeAsync_schedulerIsShutDownWhileItBacksOff_ends() throws Throwable {
        var timer = new ScheduledThreadPoolExecutor(1);
        var charge = shop.charge(on(builder().scheduler(timer))).calling(shop.working());
        shop.store.trouble(Kind.RESERVE, Trouble.REFUSED, 3);
        shop.store.beforeNext(Kind.RESERVE, timer::shutdownNow);

        assertThat(Eventually.get(charge.executeAsync(ORDER))).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void execute_noThreadToRenewTheLeaseForAMoment_isRenewedAfterwards() throws Throwable {
        var executor = new NoThreads();
        open.add(executor::shutdownNow);
        var charge = shop.charge(on(builder().executor(executor)))
                .lease(Duration.ofMillis(400))
                .calling((order, attempt) -> {
                    Eventually.opens(never);
                    return new Receipt("e", order.amount());
                });
        executor.none.set(true);
        var running = shop.submit(() -> charge.execute(ORDER));
        Eventually.holds("no thread can be had for a renewal", () -> executor.refused.get() > 0);
        executor.none.set(false);
        long before = shop.events.count(Type.RENEWED);
        Eventually.holds("it is renewed", () -> shop.events.count(Type.RENEWED) > before + 1);
        never.countDown();

        assertThat(Eventually.get(running)).isEqualTo(new Receipt("e", 100));
    }

    /** Says of each write that it has taken that it may not have been taken, as a commit with a warning was. */
    private static final class Doubtful extends ForwardingStore {
        Doubtful(IdempotencyStore store) {
            super(store);
        }

        private static Snapshot doubt(Snapshot snapshot) {
            if (snapshot.applied()) {
                throw new StoreException("The commit was cut short", true, null);
            }
            return snapshot;
        }

        @Override
        public Snapshot reserve(Write write) {
            return doubt(super.reserve(write));
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            return doubt(super.replace(expected, write));
        }
    }

    @Test
    void execute_storeTakesEachReservationAndSaysThatItMayNot_endsAfterAFewTries() throws Throwable {
        var charge =
                shop.charge(on(Idempotency.builder(new Doubtful(shop.store)))).calling(shop.working());

        StoreException failure = Failures.store(() -> Eventually.get(shop.submit(() -> charge.execute(ORDER))));

        assertThat(failure.mayHaveWritten()).isTrue();
        assertThat(shop.calls).hasValue(0);
    }

    // ---- calls that never answer

    private Operation.Builder<Order, Receipt> impatient() {
        return shop.charge().callTimeout(Duration.ofMillis(300));
    }

    private Operation<Order, Receipt> neverAnswering(Operation.Builder<Order, Receipt> charge) {
        return charge.lease(Duration.ofMillis(300))
                .waitAtMost(Duration.ofSeconds(10))
                .callingAsync((order, attempt) -> new CompletableFuture<>());
    }

    @Test
    void executeAsync_callNeverAnswers_endsInDoubtAtItsTimeout() {
        var charge = neverAnswering(impatient());

        var failure = Failures.inDoubt(() -> Eventually.get(charge.executeAsync(ORDER)));

        assertThat(failure).hasMessageContaining("has not ended within its timeout");
    }

    @Test
    void execute_callNeverAnswers_endsInDoubtAtItsTimeout() {
        var charge = neverAnswering(impatient());

        Failures.inDoubt(() -> Eventually.get(shop.submit(() -> charge.execute(ORDER))));
    }

    @Test
    void executeAsync_answerComesAfterTheTimeout_isRecordedAllTheSame() {
        var answer = new CompletableFuture<Receipt>();
        var charge = shop.charge()
                .lease(Duration.ofMillis(300))
                .callTimeout(Duration.ofMillis(300))
                .callingAsync((order, attempt) -> answer);
        Failures.inDoubt(() -> Eventually.get(charge.executeAsync(ORDER)));

        answer.complete(new Receipt("late", 100));

        Eventually.holds("the late answer is recorded", () -> shop.record().state() == State.COMPLETED);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("late", 100));
    }

    private Operation.Builder<Order, Receipt> lookedUp(Idempotency on) {
        return shop.charge(on)
                .lease(Duration.ofMillis(300))
                .callTimeout(Duration.ofMillis(300))
                .recovery(Recovery.lookup((order, attempt) -> Finding.found(new Receipt("found", order.amount()))));
    }

    @Test
    void execute_anotherProcessResolvedTheKeyOfAHangingCall_answerIsGivenHereToo() {
        var started = new CountDownLatch(1);
        var charge = lookedUp(shop.idempotency).calling((order, attempt) -> {
            started.countDown();
            Eventually.opens(never);
            return new Receipt("late", order.amount());
        });
        var hanging = shop.submit(() -> charge.execute(ORDER));
        Eventually.opens(started);
        var elsewhere = lookedUp(shop.another()).waitAtMost(Eventually.DEADLINE).calling(shop.working());

        assertThat(elsewhere.execute(ORDER)).isEqualTo(new Receipt("found", 100));
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("found", 100));
        assertThat(hanging).isNotDone();
    }

    // ---- waits

    private static Retry inADay() {
        return Retry.of(
                "slow",
                RetryConfig.custom()
                        .maxAttempts(5)
                        .waitDuration(FAR)
                        .retryOnException(failure -> true)
                        .build());
    }

    @Test
    void execute_interruptedInThePauseBeforeARetry_endsAndTheKeyIsFree() throws Throwable {
        var charge = shop.charge()
                .callTimeout(Duration.ofDays(2))
                .retry(inADay())
                .failures(failure -> FailureClass.NOT_SENT)
                .calling((order, attempt) -> {
                    throw new IllegalStateException("refused");
                });
        var caller = new AtomicReference<Thread>();
        Future<Boolean> running = shop.submit(() -> {
            caller.set(Thread.currentThread());
            Failures.notExecuted(() -> charge.execute(ORDER));
            return Thread.interrupted();
        });
        shop.events.await(Type.RETRIED);
        caller.get().interrupt();

        assertThat(Eventually.get(running)).as("the interrupt is still there").isTrue();
        assertThat(shop.record().state()).isEqualTo(State.OPEN);
    }

    @Test
    void execute_pauseBeforeARetryIsLongerThanTheCallMayTake_endsAtOnceAndTheKeyIsFree() {
        var charge = shop.charge()
                .retry(Retry.of(
                        "never",
                        RetryConfig.custom()
                                .maxAttempts(5)
                                .waitDuration(Duration.ofDays(365L * 400))
                                .build()))
                .failures(failure -> FailureClass.NOT_SENT)
                .calling((order, attempt) -> {
                    throw new IllegalStateException("refused");
                });

        Failures.notExecuted(() -> charge.execute(ORDER));

        assertThat(shop.record().state()).isEqualTo(State.OPEN);
    }

    @Test
    void execute_interruptedBefore_theCallSeesIt() throws Throwable {
        var charge = shop.charge().calling((order, attempt) -> {
            if (!Thread.currentThread().isInterrupted()) {
                throw new AssertionError("the call does not see the interrupt");
            }
            return new Receipt("e", order.amount());
        });
        var running = shop.submit(() -> {
            Thread.currentThread().interrupt();
            Receipt receipt = charge.execute(ORDER);
            return Thread.interrupted() ? receipt : null;
        });

        assertThat(Eventually.get(running)).isEqualTo(new Receipt("e", 100));
    }

    @Test
    void execute_sameKeyInsideItsOwnCall_isRefusedAtOnce() {
        var self = new AtomicReference<Operation<Order, Receipt>>();
        var charge = shop.charge()
                .waitAtMost(FAR)
                .calling((order, attempt) -> self.get().execute(order));
        self.set(charge);

        var failure = Failures.inDoubt(() -> Eventually.get(shop.submit(() -> charge.execute(ORDER))));

        assertThat(failure.getCause()).hasMessageContaining("inside the call of the same key");
    }

    /** A caller on a thread of the common pool, which has tasks of its own waiting, meets another run of its key. */
    static final class WaitsInTheCommonPool {
        public static void main(String[] args) throws Exception {
            var started = new CountDownLatch(1);
            var answer = new CountDownLatch(1);
            var waits = new AtomicBoolean();
            var ranInside = new AtomicInteger();
            var waiting = new CountDownLatch(1);
            var charge = Idempotency.builder(CaffeineIdempotencyStore.create())
                    .listener(event -> {
                        if (event.type() == Type.WAITING) {
                            waiting.countDown();
                        }
                    })
                    .build()
                    .operation("charge", Order.class, Receipt.class)
                    .key(Order::id)
                    .waitAtMost(Eventually.DEADLINE)
                    .calling((order, attempt) -> {
                        started.countDown();
                        Eventually.opens(answer);
                        return new Receipt("e", order.amount());
                    });
            var owner = new Thread(() -> charge.execute(ORDER));
            owner.start();
            Eventually.opens(started);
            // All others of the pool are busy, so that what this worker has queued is its own.
            var busy = new CountDownLatch(ForkJoinPool.getCommonPoolParallelism() - 1);
            for (long i = busy.getCount(); i > 0; i--) {
                CompletableFuture.runAsync(() -> {
                    busy.countDown();
                    Eventually.opens(answer);
                });
            }
            Eventually.opens(busy);
            var waiter = CompletableFuture.supplyAsync(() -> {
                CompletableFuture.runAsync(() -> {
                    if (waits.get()) {
                        ranInside.incrementAndGet();
                    }
                });
                waits.set(true);
                Receipt receipt = charge.execute(ORDER);
                waits.set(false);
                return receipt;
            });
            Eventually.opens(waiting);
            Eventually.orAfter(Duration.ofMillis(300), () -> ranInside.get() > 0);
            int inside = ranInside.get();
            answer.countDown();
            waiter.get(30, TimeUnit.SECONDS);
            System.out.println("ran inside: " + inside);
        }
    }

    @Test
    void execute_waitsForAnotherRunOnAThreadOfTheCommonPool_runsNoTaskOfAnybodyElseMeanwhile() throws Exception {
        try (var child = ChildJvm.start(List.of("-XX:ActiveProcessorCount=4"), WaitsInTheCommonPool.class)) {
            assertThat(child.await(line -> line.startsWith("ran inside: "), Duration.ofMinutes(2)))
                    .isEqualTo("ran inside: 0");
        }
    }
}

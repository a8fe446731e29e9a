package dev.idempotency.testkit.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Codec;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.InDoubtException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxListener;
import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One fault of the code or the machine around the library at a time; the next execution of the key works. */
final class ForeignFaultsTest {
    private static final long BOUND = 30;
    private static final ProviderProfile NATIVE =
            ProviderProfile.of("simulated", "these tests", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS);

    private final Chaos chaos = Chaos.planned();
    private final IdempotencyStore store = CaffeineIdempotencyStore.create();
    private final AtomicInteger calls = new AtomicInteger();

    @AfterEach
    void end() {
        chaos.close();
    }

    private Idempotency.Builder library() {
        return Idempotency.builder(chaos.around("store", IdempotencyStore.class, store));
    }

    /** On a store that takes its steps without a thread of the caller's. */
    private Idempotency.Builder asynchronousLibrary() {
        return Idempotency.builder(chaos.around("store", IdempotencyStore.class, new Stages(store)));
    }

    private Operation.Builder<String, String> charge(Idempotency idempotency) {
        return idempotency.operation("charge", String.class, String.class).key(order -> order);
    }

    private String work(String order) {
        return "effect-" + calls.incrementAndGet() + " of " + order;
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(BOUND, TimeUnit.SECONDS);
    }

    private static <T> T elsewhere(Callable<T> work) throws Exception {
        var result = new CompletableFuture<T>();
        var thread = new Thread(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return within(result);
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("never came: " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void executeAsync_codecOfKeptRequestsBreaksOnce_laterExecutionsOfTheKeyWork() throws Exception {
        Idempotency idempotency = library().build();
        var charge = charge(idempotency)
                .recovery(Recovery.nativeKey(NATIVE))
                .keepRequests(chaos.around("requests", Codec.class, idempotency.codec(String.class)))
                .waitAtMost(Duration.ofMillis(200))
                .calling((order, attempt) -> work(order));
        chaos.fail("requests.encode", new LinkageError("a class is missing"));

        // The failure may come out of the method, or in its future.
        assertThatThrownBy(() -> within(charge.executeAsync("o-1"))).isInstanceOf(Throwable.class);

        assertThat(within(charge.executeAsync("o-1"))).isEqualTo("effect-1 of o-1");
        assertThat(elsewhere(() -> charge.execute("o-1"))).isEqualTo("effect-1 of o-1");
    }

    @Test
    void executeAsync_noThreadOnce_laterExecutionsOfTheKeyWork() throws Exception {
        var charge = charge(library()
                        .executor(chaos.executor(Chaos.Threads.AS_NEEDED))
                        .build())
                .waitAtMost(Duration.ofMillis(200))
                .calling((order, attempt) -> work(order));
        chaos.fail("executor.execute", Chaos.noThread());

        assertThatThrownBy(() -> within(charge.executeAsync("o-1"))).isInstanceOf(Throwable.class);

        assertThat(within(charge.executeAsync("o-1"))).isEqualTo("effect-1 of o-1");
        assertThat(chaos.awaitIdle(Duration.ofSeconds(BOUND))).isTrue();
    }

    @Test
    void executeAll_aKeyOverflowsTheStack_theOthersAreExecuted() throws Exception {
        Function<String, Object> key = order -> order;
        var charge = library()
                .build()
                .operation("charge", String.class, String.class)
                .key(chaos.around("key", Function.class, key))
                .calling((order, attempt) -> work(order));
        chaos.fail("key.apply", new StackOverflowError("deep"));

        List<CompletableFuture<String>> outcomes = charge.executeAll(List.of("o-1", "o-2", "o-3"), 1);

        assertThatThrownBy(() -> within(outcomes.get(0)))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(StackOverflowError.class);
        assertThat(within(outcomes.get(1))).endsWith("of o-2");
        assertThat(within(outcomes.get(2))).endsWith("of o-3");
    }

    @Test
    void sweep_noThreadOnce_endsAndTheNextOneResolvesTheKey() throws Exception {
        var failing = new AtomicInteger(100);
        Idempotency idempotency =
                library().executor(chaos.executor(Chaos.Threads.AS_NEEDED)).build();
        Operation<String, String> charge = charge(idempotency)
                .recovery(Recovery.nativeKey(NATIVE))
                .keepRequests()
                .lease(Duration.ofMillis(100))
                .recoveryTimeout(Duration.ofMillis(100))
                .calling((order, attempt) -> {
                    if (failing.getAndDecrement() > 0) {
                        throw new IOException("the reply to " + attempt.nativeKey() + " is lost");
                    }
                    return work(order);
                });
        assertThatThrownBy(() -> charge.execute("o-1")).isInstanceOf(InDoubtException.class);
        try (Reconciler reconciler = Reconciler.on(idempotency)
                .operations(charge)
                .every(Duration.ofMillis(10))
                .retryWithin(Duration.ofMillis(20))
                .parallelism(1)
                .build()) {
            failing.set(0);
            chaos.fail("executor.execute", Chaos.noThread());

            elsewhere(reconciler::sweep);

            until("the key is resolved", () -> {
                try {
                    elsewhere(reconciler::sweep);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                return Objects.requireNonNull(store.find(charge.keyOf("o-1")).record())
                                .state()
                        == State.COMPLETED;
            });
        }
    }

    @Test
    void execute_callNeverAnswers_otherRunsOfTheKeyGoOnAfterItsTimeout() throws Exception {
        var first = new AtomicInteger();
        Operation<String, String> charge = charge(library().build())
                .recovery(Recovery.nativeKey(NATIVE))
                .lease(Duration.ofMillis(100))
                .callTimeout(Duration.ofMillis(200))
                .waitAtMost(Duration.ofMillis(100))
                .callingAsync((order, attempt) -> first.getAndIncrement() == 0
                        ? new CompletableFuture<>()
                        : CompletableFuture.completedFuture(work(order)));

        var unused = charge.executeAsync("o-1");

        until("an answer", () -> {
            try {
                return "effect-1 of o-1".equals(within(charge.executeAsync("o-1")));
            } catch (Exception e) {
                return false;
            }
        });
    }

    @Test
    void renewal_noThreadOnce_leasesAreRenewedAgain() throws Exception {
        var renewed = new AtomicInteger();
        Operation<String, String> charge = charge(library()
                        .executor(chaos.executor(Chaos.Threads.AS_NEEDED))
                        .listener(event -> {
                            if (event.type() == IdempotencyEvent.Type.RENEWED) {
                                renewed.incrementAndGet();
                            }
                        })
                        .build())
                .lease(Duration.ofMillis(300))
                .calling((order, attempt) -> {
                    if (order.equals("o-2")) {
                        until("a renewal", () -> renewed.get() > 0 || attempt.isLost());
                    } else {
                        chaos.fail("executor.execute", Chaos.noThread());
                        until("the fault", () -> chaos.thrown().containsKey("executor.execute"));
                    }
                    return work(order);
                });
        try {
            elsewhere(() -> charge.execute("o-1"));
        } catch (ExecutionException e) {
            // Its lease may have lapsed.
        }
        renewed.set(0);

        elsewhere(() -> charge.execute("o-2"));

        assertThat(renewed).hasPositiveValue();
    }

    @Test
    void inboxWorker_listenerThrowsAnError_messagesAreHandledNevertheless() {
        var handled = new AtomicInteger();
        InboxListener listener = event -> {};
        Inbox inbox = Inbox.builder(((CaffeineIdempotencyStore) store).inbox(), "queue")
                .listener(chaos.around("listener", InboxListener.class, listener))
                .build();
        for (int i = 0; i < 4; i++) {
            inbox.offer("m-" + i, new byte[] {1}, Map.of());
        }
        chaos.fail("listener.on", new StackOverflowError("deep"), new OutOfMemoryError("Java heap space"));

        try (var worker = inbox.worker(message -> handled.incrementAndGet())
                .lease(Duration.ofMillis(200))
                .pollEvery(Duration.ofMillis(20))
                .backoff(tries -> 20L)
                .start()) {
            until("all are handled", () -> handled.get() >= 4);
        }
    }

    @Test
    void execute_schedulerIsShutDownInAPause_ends() throws Exception {
        var scheduler = chaos.scheduler();
        var inCall = new CountDownLatch(1);
        Operation<String, String> charge = charge(library().scheduler(scheduler).build())
                .retry(Retry.of(
                        "retry",
                        RetryConfig.custom()
                                .maxAttempts(2)
                                .waitDuration(Duration.ofMillis(500))
                                .build()))
                .calling((order, attempt) -> {
                    if (inCall.getCount() > 0) {
                        inCall.countDown();
                        throw new NotExecutedException("not yet", null);
                    }
                    return work(order);
                });
        var running = new Thread(() -> {
            try {
                inCall.await();
            } catch (InterruptedException e) {
                return;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            scheduler.shutdownNow();
        });
        running.start();

        assertThat(elsewhere(() -> charge.execute("o-1"))).isEqualTo("effect-1 of o-1");
        running.join();
    }

    @Test
    void listener_outOfMemory_everyExecutionEnds() throws Exception {
        IdempotencyListener listener = event -> {};
        for (String place : List.of("listener.on", "listener.onStoreStep", "listener.onRun")) {
            var charge = charge(asynchronousLibrary()
                            .listener(chaos.around("listener", IdempotencyListener.class, listener))
                            .build())
                    .lease(Duration.ofMillis(50))
                    .waitAtMost(Duration.ofMillis(100))
                    .recovery(Recovery.nativeKey(NATIVE))
                    .calling((order, attempt) -> work(order));
            chaos.fail(place, new OutOfMemoryError("Java heap space"));
            try {
                within(charge.executeAsync(place));
            } catch (ExecutionException | OutOfMemoryError e) {
                // What it is told does not matter.
            }
            until("an answer after " + place, () -> {
                try {
                    return within(charge.executeAsync(place)).endsWith("of " + place);
                } catch (Exception e) {
                    return false;
                }
            });
        }
    }

    /** Takes its steps on other threads. */
    private static final class Stages extends ForwardingStore implements AsyncStore {
        Stages(IdempotencyStore store) {
            super(store);
        }

        @Override
        public CompletionStage<Snapshot> reserveAsync(Write write) {
            return CompletableFuture.supplyAsync(() -> reserve(write));
        }

        @Override
        public CompletionStage<Snapshot> replaceAsync(IdempotencyRecord expected, Write write) {
            return CompletableFuture.supplyAsync(() -> replace(expected, write));
        }

        @Override
        public CompletionStage<Snapshot> findAsync(IdempotencyKey key) {
            return CompletableFuture.supplyAsync(() -> find(key));
        }
    }
}

package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.WaitingStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs on a store that answers later, in a thread of its own. */
final class AsyncStoreTest {
    private static final int MANY = 500;

    private final AtomicInteger calls = new AtomicInteger();
    private final LaterStore store = new LaterStore();
    private final ExecutorService oneThread = Executors.newSingleThreadExecutor();
    private final Idempotency idempotency =
            Idempotency.builder(store).executor(oneThread).build();

    @AfterEach
    void close() {
        idempotency.close();
        oneThread.shutdownNow();
    }

    private Operation<Order, Receipt> charge() {
        return idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> new Receipt("effect-" + calls.incrementAndGet(), order.amount()));
    }

    @Test
    void executeAsync_storeThatIsSilent_holdsNoThread() throws Throwable {
        var charge = charge();
        List<CompletableFuture<Receipt>> futures = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            futures.add(charge.executeAsync(new Order("o-" + i, i)));
        }
        assertThat(store.asked).as("all are asked, and none is answered").hasSize(MANY);

        store.answerAll();
        Eventually.holds("all are to be recorded", () -> store.asked.size() == MANY);
        assertThat(calls).hasValue(MANY);
        store.answerAll();

        for (var future : futures) {
            Eventually.get(future);
        }
    }

    @Test
    void execute_inTheCallersThread_takesTheStepsThere() {
        assertThat(charge().execute(ORDER).effect()).isEqualTo("effect-1");
        assertThat(store.asked).isEmpty();
    }

    @Test
    void executeAsync_answerLost_sameWriteIsAskedAgain() throws Throwable {
        var future = charge().executeAsync(ORDER);
        store.loseAnswer();
        Eventually.holds("it is asked again", () -> !store.asked.isEmpty());
        store.answerAsTheyCome(future);

        assertThat(Eventually.get(future).effect()).isEqualTo("effect-1");
    }

    @Test
    void executeAsync_noStage_isAnAmbiguousFailureOfTheStore() {
        store.broken = () -> null;

        assertThat(failure().mayHaveWritten()).isTrue();
    }

    @Test
    void executeAsync_thrownInsteadOfStage_isAnAmbiguousFailureOfTheStore() {
        store.broken = () -> {
            throw new IllegalStateException("closed");
        };

        assertThat(failure().mayHaveWritten()).isTrue();
    }

    @Test
    void executeAsync_stageThatFailsOtherwise_isAnAmbiguousFailureOfTheStore() {
        store.broken = () -> CompletableFuture.failedStage(new IllegalStateException("closed"));

        assertThat(failure().mayHaveWritten()).isTrue();
    }

    @Test
    void executeAsync_stageThatSaysNothingWasWritten_isBelieved() {
        store.broken = () -> CompletableFuture.failedStage(new StoreException("down", false, null));

        assertThat(failure().mayHaveWritten()).isFalse();
    }

    private StoreException failure() {
        return Failures.store(() -> Eventually.get(charge().executeAsync(ORDER)));
    }

    @Test
    void executeAsync_executorIsShutDownMeanwhile_goesOnOnThreadsOfTheLibrary() throws Throwable {
        var future = charge().executeAsync(ORDER);
        oneThread.shutdownNow();
        store.answerAsTheyCome(future);

        assertThat(Eventually.get(future).effect()).isEqualTo("effect-1");
    }

    @Test
    void waitingStore_takesTheAsynchronousStep() {
        var waiting = new WaitingStore(store);
        var found = CompletableFuture.supplyAsync(() -> waiting.find(new IdempotencyKey("charge", "o-1")));

        Eventually.holds("it is asked", () -> !store.asked.isEmpty());
        store.answerAll();
        assertThat(found.join().record()).isNull();
    }

    /** Answers when it is told to. */
    private static final class LaterStore extends ForwardingStore implements AsyncStore {
        final Queue<Runnable> asked = new ConcurrentLinkedQueue<>();
        private final Queue<Runnable> lost = new ConcurrentLinkedQueue<>();
        volatile Supplier<CompletionStage<Snapshot>> broken;

        LaterStore() {
            super(CaffeineIdempotencyStore.create());
        }

        private CompletionStage<Snapshot> later(Supplier<Snapshot> step) {
            if (broken != null) {
                return broken.get();
            }
            var stage = new CompletableFuture<Snapshot>();
            lost.add(() -> {
                var unused = step.get();
                stage.completeExceptionally(new StoreException("The reply was lost", true, null));
            });
            asked.add(() -> stage.complete(step.get()));
            return stage;
        }

        void answerAll() {
            for (int i = asked.size(); i > 0; i--) {
                asked.remove().run();
            }
        }

        void loseAnswer() {
            asked.remove();
            lost.remove().run();
        }

        void answerAsTheyCome(CompletableFuture<?> until) {
            Eventually.holds("the end", () -> {
                answerAll();
                return until.isDone();
            });
        }

        @Override
        public CompletionStage<Snapshot> reserveAsync(Write write) {
            return later(() -> super.reserve(write));
        }

        @Override
        public CompletionStage<Snapshot> replaceAsync(IdempotencyRecord expected, Write write) {
            return later(() -> super.replace(expected, write));
        }

        @Override
        public CompletionStage<Snapshot> findAsync(IdempotencyKey key) {
            return later(() -> super.find(key));
        }
    }
}

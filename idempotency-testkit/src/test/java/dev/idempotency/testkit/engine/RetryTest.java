package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class RetryTest {
    private static final FailureClassifier CONNECT_IS_NOT_SENT =
            FailureClassifier.conservative().on(ConnectException.class, FailureClass.NOT_SENT);

    private final Shop shop = Shop.open();
    private final List<Integer> intervals = new CopyOnWriteArrayList<>();
    private final List<String> nativeKeys = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        shop.close();
    }

    private Retry retry(int maxAttempts) {
        return Retry.of("test", config(maxAttempts).build());
    }

    private RetryConfig.Builder<Object> config(int maxAttempts) {
        return RetryConfig.custom().maxAttempts(maxAttempts).intervalFunction(attempt -> {
            intervals.add(attempt);
            return 1L;
        });
    }

    /** Fails so often, then works. */
    private Operation.Call<Order, Receipt> failing(int times, Exception failure) {
        return (order, attempt) -> {
            nativeKeys.add(attempt.nativeKey());
            int call = shop.calls.incrementAndGet();
            if (call <= times) {
                throw failure;
            }
            return new Receipt("effect-" + call, order.amount());
        };
    }

    @Test
    void notSent_isCalledAgainUnderTheSameReservation() {
        var retry = retry(3);
        var charge =
                shop.charge().failures(CONNECT_IS_NOT_SENT).retry(retry).calling(failing(2, new ConnectException()));

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-3", 100));

        assertThat(shop.store.steps(Kind.RESERVE)).isEqualTo(1);
        assertThat(shop.store.steps()).isEqualTo(2);
        assertThat(shop.record().version()).isEqualTo(2);
        assertThat(shop.record().attempt()).isEqualTo(1);
        assertThat(shop.events.count(Type.RETRIED)).isEqualTo(2);
        assertThat(intervals).containsExactly(1, 2);
        assertThat(retry.getMetrics().getNumberOfSuccessfulCallsWithRetryAttempt())
                .isEqualTo(1);
        assertThat(Set.copyOf(nativeKeys)).hasSize(1);
    }

    @Test
    void notSent_moreOftenThanMaxAttempts_freesTheKey() {
        var retry = retry(3);
        var charge =
                shop.charge().failures(CONNECT_IS_NOT_SENT).retry(retry).calling(failing(3, new ConnectException()));

        assertThat(Failures.notExecuted(() -> charge.execute(ORDER))).hasCauseInstanceOf(ConnectException.class);

        assertThat(shop.calls).hasValue(3);
        assertThat(shop.record().state()).isEqualTo(State.OPEN);
        assertThat(retry.getMetrics().getNumberOfFailedCallsWithRetryAttempt()).isEqualTo(1);
        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-4", 100));
        assertThat(retry.getMetrics().getNumberOfSuccessfulCallsWithoutRetryAttempt())
                .isEqualTo(1);
    }

    @Test
    void notSent_predicateRefuses_isNotCalledAgain() {
        var retry = Retry.of(
                "test",
                config(3)
                        .retryOnException(failure -> !(failure instanceof ConnectException))
                        .build());
        var charge =
                shop.charge().failures(CONNECT_IS_NOT_SENT).retry(retry).calling(failing(3, new ConnectException()));

        Failures.notExecuted(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(1);
        assertThat(intervals).isEmpty();
        assertThat(retry.getMetrics().getNumberOfFailedCallsWithoutRetryAttempt())
                .isEqualTo(1);
    }

    @Test
    void notSent_predicateThrows_isNotCalledAgainAndFreesTheKey() {
        var retry = Retry.of(
                "test",
                config(3)
                        .retryOnException(failure -> {
                            throw new IllegalStateException("the predicate failed");
                        })
                        .build());
        var charge =
                shop.charge().failures(CONNECT_IS_NOT_SENT).retry(retry).calling(failing(3, new ConnectException()));

        Failures.notExecuted(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(1);
        assertThat(shop.record().state()).isEqualTo(State.OPEN);
    }

    @Test
    void success_listenerOfTheRetryThrows_isRecordedAllTheSame() {
        var retry = retry(3);
        retry.getEventPublisher().onSuccess(event -> {
            throw new IllegalStateException("the listener failed");
        });
        var charge =
                shop.charge().failures(CONNECT_IS_NOT_SENT).retry(retry).calling(failing(1, new ConnectException()));

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-2", 100));
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void ambiguous_nativeKey_isSentAgainWithTheSameKeyAndCounted() {
        var charge = shop.charge()
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .retry(retry(3))
                .calling(failing(2, new IOException("reset")));

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-3", 100));

        assertThat(nativeKeys).hasSize(3);
        assertThat(Set.copyOf(nativeKeys)).containsExactly(shop.record().nativeKey());
        assertThat(shop.record().attempt()).isEqualTo(3);
        assertThat(shop.events.count(Type.RESENT)).isEqualTo(2);
        assertThat(intervals).containsExactly(1);
    }

    @Test
    void ambiguous_nativeKeyAndNeverAnAnswer_endsInDoubtAfterTheFreeRecoveryAndTheRetrys() {
        var charge = shop.charge()
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .retry(retry(3))
                .calling(failing(Integer.MAX_VALUE, new IOException("reset")));

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(4);
        assertThat(intervals).containsExactly(1, 2);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void ambiguous_nativeKeyWithoutRetry_isSentAgainOnce() {
        var charge = shop.charge()
                .recovery(Recovery.nativeKey(Shop.NATIVE))
                .calling(failing(Integer.MAX_VALUE, new IOException("reset")));

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.calls).hasValue(2);
    }

    @Test
    void ambiguous_hold_isNeverCalledTwiceWhateverTheRetrySays() {
        var charge = shop.charge().retry(retry(100)).calling(failing(Integer.MAX_VALUE, new IOException("reset")));

        for (int i = 0; i < 5; i++) {
            Failures.inDoubt(() -> charge.execute(ORDER));
        }

        assertThat(shop.calls).hasValue(1);
        assertThat(intervals).isEmpty();
    }

    @Test
    void outerRetry_aroundAnAmbiguousHold_callsOnce() {
        var outer = retry(5);
        var charge = shop.charge().calling(failing(Integer.MAX_VALUE, new IOException("reset")));

        Failures.inDoubt(() -> outer.executeSupplier(() -> charge.execute(ORDER)));

        assertThat(shop.calls).hasValue(1);
        assertThat(outer.getMetrics().getNumberOfFailedCallsWithRetryAttempt()).isEqualTo(1);
    }

    @Test
    void outerRetry_aroundWhatWasNotExecuted_callsUntilItWorks() {
        var outer = Retry.of(
                "outer", config(5).retryExceptions(NotExecutedException.class).build());
        var charge = shop.charge().failures(CONNECT_IS_NOT_SENT).calling(failing(2, new ConnectException()));

        assertThat(outer.executeSupplier(() -> charge.execute(ORDER))).isEqualTo(new Receipt("effect-3", 100));

        assertThat(new HashSet<>(nativeKeys)).hasSize(1);
        assertThat(shop.store.steps(Kind.RELEASE)).isEqualTo(2);
        assertThat(new ArrayList<>(intervals)).containsExactly(1, 2);
    }
}

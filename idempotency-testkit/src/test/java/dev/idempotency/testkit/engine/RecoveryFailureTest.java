package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Attempt;
import dev.idempotency.Finding;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Lookups and seals that do not do what they should. */
final class RecoveryFailureTest {
    /** What a lookup or seal can be used in. */
    enum Way {
        LOOKUP(ask -> Recovery.lookup(ask::ask)),
        LOOKUP_THEN_CLOSE(ask -> Recovery.lookupThenClose(ask::ask, Shop.MINUTE)),
        SEAL(ask -> Recovery.seal(ask::ask)),
        SEAL_THEN_CLOSE(ask -> Recovery.sealThenClose(ask::ask));

        private final Function<Ask, Recovery<Order, Receipt>> recovery;

        Way(Function<Ask, Recovery<Order, Receipt>> recovery) {
            this.recovery = recovery;
        }
    }

    private interface Ask {
        Finding<Receipt> ask(Order order, Attempt attempt) throws Exception;
    }

    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.close();
    }

    private Operation<Order, Receipt> charge(Way way, Ask ask) {
        return charge(way, ask, Duration.ofSeconds(30));
    }

    private Operation<Order, Receipt> charge(Way way, Ask ask, Duration timeout) {
        return shop.charge()
                .recovery(way.recovery.apply(ask))
                .recoveryTimeout(timeout)
                .calling((order, attempt) -> {
                    shop.calls.incrementAndGet();
                    throw new IOException("reset");
                });
    }

    private InDoubtException failsThenResolves(Way way, Ask ask, Duration timeout) {
        var failure = Failures.inDoubt(() -> charge(way, ask, timeout).execute(ORDER));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
        assertThat(shop.events.types()).contains(Type.RECOVERY_STARTED, Type.RECOVERY_FAILED);

        var mended = charge(way, (order, attempt) -> Finding.found(new Receipt("found", order.amount())));
        assertThat(mended.execute(ORDER)).isEqualTo(new Receipt("found", 100));
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        assertThat(shop.calls).hasValue(1);
        return failure;
    }

    @ParameterizedTest
    @EnumSource
    void recovery_throws_isInDoubtAndTheNextExecutionResolves(Way way) {
        var cause = new IOException("lookup failed");

        var failure = failsThenResolves(
                way,
                (order, attempt) -> {
                    throw cause;
                },
                Duration.ofSeconds(30));

        assertThat(failure).hasCause(cause);
    }

    @ParameterizedTest
    @EnumSource
    void recovery_throwsAnError_isInDoubtAndTheNextExecutionResolves(Way way) {
        failsThenResolves(
                way,
                (order, attempt) -> new Finding.Found<>(new Receipt("", Unruly.overflow(0))),
                Duration.ofSeconds(30));
    }

    @ParameterizedTest
    @EnumSource
    void recovery_returnsNull_isInDoubtAndTheNextExecutionResolves(Way way) {
        var failure = failsThenResolves(way, (order, attempt) -> Unruly.nothing(), Duration.ofSeconds(30));

        assertThat(failure).hasMessageContaining("returned null");
    }

    @ParameterizedTest
    @EnumSource
    void recovery_doesNotKnow_isInDoubtAndTheNextExecutionResolves(Way way) {
        var failure = failsThenResolves(
                way, (order, attempt) -> Finding.unknown("the provider is being maintained"), Duration.ofSeconds(30));

        assertThat(failure).hasMessageContaining("the provider is being maintained");
    }

    @ParameterizedTest
    @EnumSource
    void recovery_hangs_isInterruptedAndGivenUpAndTheNextExecutionResolves(Way way) {
        var ended = new CountDownLatch(1);
        var thread = new AtomicReference<@Nullable Thread>();

        var failure = failsThenResolves(
                way,
                (order, attempt) -> {
                    thread.set(Thread.currentThread());
                    try {
                        new CountDownLatch(1).await();
                        return Finding.missing();
                    } finally {
                        ended.countDown();
                    }
                },
                Duration.ofMillis(50));

        assertThat(failure).hasCauseInstanceOf(TimeoutException.class);
        // Only an interrupt ends that wait.
        if (thread.get() != null) {
            Eventually.opens(ended);
        }
    }

    @ParameterizedTest
    @EnumSource
    void recovery_mustNotSend_attemptSaysSo(Way way) {
        failsThenResolves(
                way,
                (order, attempt) -> {
                    assertThat(attempt.isLost()).isTrue();
                    assertThat(attempt.number()).isEqualTo(1);
                    var signalled = new CountDownLatch(1);
                    attempt.onLost(signalled::countDown);
                    assertThat(signalled.getCount()).isZero();
                    Failures.notExecuted(attempt::checkMaySend);
                    return Finding.unknown("checked");
                },
                Duration.ofSeconds(30));
    }
}

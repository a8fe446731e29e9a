package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Codec;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.NotExecutedException;
import dev.idempotency.store.State;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a call may throw, and code of the user's around it. */
final class CallFailureTest {
    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.close();
    }

    static Stream<Throwable> ambiguousFailures() {
        return Stream.of(
                new IOException("reset"),
                new IllegalStateException(),
                new NullPointerException(),
                new StackOverflowError(),
                new OutOfMemoryError(),
                new AssertionError(),
                new NoClassDefFoundError(),
                new CompletionException(new IOException("wrapped")),
                new ExecutionException(new IOException("wrapped")));
    }

    @ParameterizedTest
    @MethodSource("ambiguousFailures")
    void call_failureThatProvesNothing_isInDoubtAndNeverCalledAgain(Throwable thrown) {
        var charge = shop.charge().calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            throw Unruly.<RuntimeException>sneaky(thrown);
        });

        var failure = Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(failure.attempt()).isEqualTo(1);
        assertThat(failure.since()).contains(shop.record().times().stateSince());
        assertThat(failure.key()).isEqualTo(Shop.KEY);
        assertThat(failure)
                .hasCause(
                        thrown instanceof CompletionException || thrown instanceof ExecutionException
                                ? thrown.getCause()
                                : thrown);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    /** As a mock is, or a class that was made with a mistake. */
    private static final class Broken extends CompletionException {
        private static final long serialVersionUID = 1L;

        private final transient @Nullable Throwable cause;

        Broken(@Nullable Throwable cause) {
            this.cause = cause;
        }

        @Override
        public Throwable getCause() {
            if (cause == null) {
                throw new IllegalStateException("it cannot be asked");
            }
            return cause;
        }

        @Override
        @SuppressWarnings("NullAway") // that is what is wrong with it
        public StackTraceElement[] getStackTrace() {
            return null;
        }
    }

    static Stream<Throwable> brokenFailures() {
        return Stream.of(new Broken(null), new Broken(new Broken(null)));
    }

    @ParameterizedTest
    @MethodSource("brokenFailures")
    void call_failureThatThrowsWhenItIsAsked_isInDoubtAtOnce(Throwable thrown) {
        var charge = shop.charge().calling((order, attempt) -> {
            throw Unruly.<RuntimeException>sneaky(thrown);
        });

        Failures.inDoubt(() -> charge.execute(ORDER));

        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    /** As a tracing system that was replaced by a mock. */
    @Test
    void execute_spanIsEnteredWithoutAScope_resultIsGiven() throws Throwable {
        Idempotency.Tracing tracing = (run, operation, digest) -> new Idempotency.Tracing.Span() {
            @Override
            @SuppressWarnings("NullAway") // that is what is wrong with it
            public Idempotency.Tracing.Scope enter() {
                return null;
            }

            @Override
            public void end(IdempotencyListener.Outcome outcome, int attempt) {}
        };
        try (var traced = Idempotency.builder(shop.store).tracing(tracing).build()) {
            var charge = shop.charge(traced).calling(shop.working());

            assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
            assertThat(Eventually.get(charge.executeAsync(new Order("o-2", 1)))).isEqualTo(new Receipt("effect-2", 1));
        }
    }

    @Test
    void call_realStackOverflow_isInDoubt() {
        var charge = shop.charge().calling((order, attempt) -> {
            return new Receipt("never", Unruly.overflow(0));
        });

        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    static Stream<FailureClassifier> uselessClassifiers() {
        return Stream.of(
                failure -> Unruly.nothing(),
                failure -> {
                    throw new IllegalStateException("the classifier failed");
                },
                failure -> {
                    throw Unruly.<RuntimeException>sneaky(failure);
                },
                failure -> {
                    return Unruly.overflow(0) > 0 ? FailureClass.NOT_SENT : FailureClass.NOT_EXECUTED;
                });
    }

    @ParameterizedTest
    @MethodSource("uselessClassifiers")
    void classifier_thatThrowsOrReturnsNull_hasSaidAmbiguous(FailureClassifier useless) {
        var charge = shop.charge().failures(useless).calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            throw new IOException("reset");
        });

        assertThat(Failures.inDoubt(() -> charge.execute(ORDER))).hasCauseInstanceOf(IOException.class);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void listener_thatThrows_changesNothing() {
        try (var listened = Idempotency.builder(shop.store)
                .listener(event -> {
                    throw new IllegalStateException("the listener failed");
                })
                .listener(event -> {
                    throw new AssertionError("the listener failed");
                })
                .listener(event -> {
                    throw new StackOverflowError();
                })
                .listener(event -> {
                    throw Unruly.<RuntimeException>sneaky(new IOException("the listener failed"));
                })
                .listener(shop.events)
                .build()) {
            var charge = shop.charge(listened).calling(shop.working());

            assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
            assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        }
        assertThat(shop.events.all()).isNotEmpty();
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void nestedOperation_notExecuted_saysNothingAboutTheOuterCall() {
        var inner = shop.idempotency
                .operation("inner", Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> {
                    throw new NotExecutedException("nothing in stock", null);
                });
        var outer = shop.charge().calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            return inner.execute(order);
        });

        assertThat(Failures.inDoubt(() -> outer.execute(ORDER))).hasCauseInstanceOf(NotExecutedException.class);
        Failures.inDoubt(() -> outer.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void nestedOperation_declined_saysNothingAboutTheOuterCall() {
        var inner = shop.idempotency
                .operation("inner", Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> {
                    throw new DeclinedException("no funds");
                });
        var outer = shop.charge().calling((order, attempt) -> inner.execute(order));

        assertThat(Failures.inDoubt(() -> outer.execute(ORDER))).hasCauseInstanceOf(DeclinedException.class);
        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
    }

    /** Text, as long as it is told to work. */
    private static final class ReceiptCodec implements Codec<Receipt> {
        Throwable encodeFailure = new IllegalStateException("unset");
        Throwable decodeFailure = new IllegalStateException("unset");
        boolean encodes = true;
        boolean decodes = true;

        @Override
        public String id() {
            return "test-1";
        }

        @Override
        public byte[] encode(Receipt result) {
            if (!encodes) {
                throw Unruly.<RuntimeException>sneaky(encodeFailure);
            }
            return result.effect().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Receipt decode(byte[] bytes) {
            if (!decodes) {
                throw Unruly.<RuntimeException>sneaky(decodeFailure);
            }
            return new Receipt(new String(bytes, StandardCharsets.UTF_8), 100);
        }
    }

    static Stream<Throwable> codecFailures() {
        return Stream.of(
                new IOException("codec"), new IllegalStateException(), new StackOverflowError(), new LinkageError());
    }

    @ParameterizedTest
    @MethodSource("codecFailures")
    void result_thatCannotBeEncoded_isInDoubtAndNeverFreed(Throwable thrown) {
        var codec = new ReceiptCodec();
        codec.encodes = false;
        codec.encodeFailure = thrown;
        var charge = shop.charge().codec(codec).calling(shop.working());

        assertThat(Failures.inDoubt(() -> charge.execute(ORDER))).hasCause(thrown);
        codec.encodes = true;

        assertThat(shop.record().state()).isEqualTo(State.IN_DOUBT);
        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("codecFailures")
    void replay_resultThatCannotBeDecoded_isUnavailableAndNotCalledAgain(Throwable thrown) {
        var codec = new ReceiptCodec();
        var charge = shop.charge().codec(codec).calling(shop.working());
        charge.execute(ORDER);
        codec.decodes = false;
        codec.decodeFailure = thrown;

        assertThat(Failures.unavailable(() -> charge.execute(ORDER))).hasCause(thrown);
        codec.decodes = true;

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void replay_resultOfAnotherCodec_isUnavailableAndNotCalledAgain() {
        shop.charge().calling(shop.working()).execute(ORDER);

        Failures.unavailable(() ->
                shop.charge().codec(new ReceiptCodec()).calling(shop.working()).execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }
}

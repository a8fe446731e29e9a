package dev.idempotency;

import static dev.idempotency.FailureClass.AMBIGUOUS;
import static dev.idempotency.FailureClass.NOT_EXECUTED;
import static dev.idempotency.FailureClass.NOT_SENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class FailureClassifierTest {
    static Stream<Throwable> failures() {
        return Stream.of(
                new IOException(),
                new ConnectException(),
                new SocketTimeoutException(),
                new TimeoutException(),
                new InterruptedException(),
                new RuntimeException(),
                new IllegalArgumentException(),
                new StackOverflowError(),
                new OutOfMemoryError(),
                new AssertionError(),
                new HttpFailures.StatusException(400));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void conservative_anyFailure_isAmbiguous(Throwable failure) {
        assertThat(FailureClassifier.conservative().classify(failure)).isEqualTo(AMBIGUOUS);
    }

    @Test
    void on_aTypeAndItsSubtypes_saysWhatTheRuleSays() {
        var classifier = FailureClassifier.conservative().on(SocketException.class, NOT_SENT);

        assertThat(classifier.classify(new SocketException())).isEqualTo(NOT_SENT);
        assertThat(classifier.classify(new ConnectException())).isEqualTo(NOT_SENT);
        assertThat(classifier.classify(new IOException())).isEqualTo(AMBIGUOUS);
        assertThat(classifier.classify(new RuntimeException(new SocketException())))
                .isEqualTo(AMBIGUOUS);
    }

    @Test
    void on_twoRulesForOneFailure_asksTheLaterFirst() {
        var classifier = FailureClassifier.conservative()
                .on(IOException.class, NOT_EXECUTED)
                .on(SocketTimeoutException.class, AMBIGUOUS);

        assertThat(classifier.classify(new SocketTimeoutException())).isEqualTo(AMBIGUOUS);
        assertThat(classifier.classify(new IOException())).isEqualTo(NOT_EXECUTED);
    }

    @Test
    void on_doesNotChangeTheClassifierThatItIsAddedTo() {
        var conservative = FailureClassifier.conservative();
        conservative.on(IOException.class, NOT_SENT);

        assertThat(conservative.classify(new IOException())).isEqualTo(AMBIGUOUS);
    }

    @Test
    void on_null_isRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> FailureClassifier.conservative().on(null, NOT_SENT))
                .withMessage("type");
        assertThatNullPointerException()
                .isThrownBy(() -> FailureClassifier.conservative().on(IOException.class, null))
                .withMessage("failureClass");
    }
}

package dev.idempotency.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.HttpFailures;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Execution(ExecutionMode.SAME_THREAD)
final class FailureClassifierContractTest {
    private static final Clauses CLAUSES = new Clauses(FailureClassifierContract.class);

    /** What {@link Candidate} is given; one engine runs at a time. */
    private static volatile FailureClassifier classifier = FailureClassifier.conservative();

    private static volatile List<Integer> notExecuted = List.of();

    /** The contract. Not found by the build, only by these tests. */
    static final class Candidate extends FailureClassifierContract {
        @Override
        protected FailureClassifier classifier() {
            return classifier;
        }

        @Override
        protected Throwable status(int status) {
            return new HttpFailures.StatusException(status);
        }

        @Override
        protected List<Integer> notExecuted() {
            return notExecuted.isEmpty() ? super.notExecuted() : notExecuted;
        }
    }

    static Stream<Arguments> classifiers() {
        var http = HttpFailures.classifier();
        return Stream.of(
                Arguments.of(FailureClassifier.conservative(), List.of(), List.of()),
                Arguments.of(http, List.of(), List.of()),
                Arguments.of(http.notExecuted(429), List.of(401, 405, 411, 413, 414, 415, 429, 431), List.of()),
                Arguments.of(http.on(IOException.class, FailureClass.NOT_SENT), List.of(), List.of("F1")),
                Arguments.of(http.on(InterruptedException.class, FailureClass.NOT_SENT), List.of(), List.of("F1")),
                Arguments.of(http.on(NullPointerException.class, FailureClass.NOT_EXECUTED), List.of(), List.of("F2")),
                Arguments.of(http.on(Error.class, FailureClass.NOT_EXECUTED), List.of(), List.of("F2")),
                Arguments.of(http.notExecuted(429), List.of(), List.of("F3")),
                Arguments.of(
                        http.on(HttpFailures.StatusException.class, FailureClass.NOT_EXECUTED),
                        List.of(),
                        List.of("F3")),
                Arguments.of(http, List.of(401, 405, 411, 413, 414, 415, 431, 503), List.of("F4")),
                Arguments.of(
                        (FailureClassifier) failure -> FailureClass.NOT_EXECUTED,
                        List.of(),
                        List.of("F1", "F2", "F3")));
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void contract_ofAClassifier_failsExactlyTheClausesItBreaks(
            FailureClassifier candidate, List<Integer> documented, List<String> clauses) {
        classifier = candidate;
        notExecuted = documented;

        assertThat(CLAUSES.failedBy(Candidate.class)).containsExactlyElementsOf(clauses);
    }
}

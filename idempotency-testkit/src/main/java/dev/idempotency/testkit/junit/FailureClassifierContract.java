package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.MistakeError;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * What a {@link FailureClassifier} must never do, as tests to inherit: call definite what says nothing about the write. Supply
 * the classifier, and how your client reports a status; say which statuses your provider documents as "not executed".
 *
 * @since 0.1.0
 */
public abstract class FailureClassifierContract {
    /** For subclasses. */
    protected FailureClassifierContract() {}

    /**
     * The classifier.
     *
     * @return as the operation has it
     */
    protected abstract FailureClassifier classifier();

    /**
     * What the call throws for a status that is none of its definite outcomes.
     *
     * @param status 100 to 599
     * @return the failure
     */
    protected abstract Throwable status(int status);

    /**
     * The statuses that the provider documents as "refused before execution".
     *
     * @return 400 to 499, without 408 and 409; those of the HTTP standard by default
     */
    protected List<Integer> notExecuted() {
        return List.of(401, 405, 411, 413, 414, 415, 431);
    }

    /**
     * More failures of your client that say nothing about the write.
     *
     * @return none unless overridden
     */
    protected List<Throwable> ambiguous() {
        return List.of();
    }

    private FailureClass classified(Throwable failure) {
        try {
            @Nullable FailureClass said = classifier().classify(failure);
            return said == null ? FailureClass.AMBIGUOUS : said;
        } catch (RuntimeException e) {
            return FailureClass.AMBIGUOUS;
        }
    }

    private Executable isAmbiguous(Throwable failure) {
        return () -> {
            FailureClass said = classified(failure);
            if (said != FailureClass.AMBIGUOUS) {
                throw new MistakeError(Mistake.AMBIGUOUS_CALLED_DEFINITE, failure + " was called " + said);
            }
        };
    }

    /** Timeouts, resets and whatever else can follow the first byte. */
    @Test
    @Clause("F1")
    @DisplayName("F1. A failure that can come after the first byte is ambiguous: timeouts, resets, ends, interrupts.")
    void failures_afterTheFirstByte_areAmbiguous() {
        Stream<Throwable> known = Stream.of(
                new HttpTimeoutException("request timed out"),
                new SocketTimeoutException("Read timed out"),
                new SocketException("Connection reset"),
                new SocketException("Broken pipe"),
                new EOFException("EOF reached while reading"),
                new SSLException("closing inbound before receiving peer's close_notify"),
                new InterruptedIOException("interrupted"),
                new IOException("HTTP/1.1 header parser received no bytes"),
                new UncheckedIOException(new SocketTimeoutException("Read timed out")),
                new InterruptedException(),
                new TimeoutException(),
                new CancellationException());
        assertAll(Stream.concat(known, ambiguous().stream()).map(this::isAmbiguous));
    }

    /** What nobody has thought of. */
    @Test
    @Clause("F2")
    @DisplayName("F2. A failure that the classifier does not know is ambiguous, errors of the JVM included.")
    void failures_unknown_areAmbiguous() {
        assertAll(Stream.of(
                        new RuntimeException("?"),
                        new IllegalStateException("could not read the answer"),
                        new NullPointerException(),
                        new Exception("?"),
                        new OutOfMemoryError(),
                        new StackOverflowError(),
                        new AssertionError())
                .map(this::isAmbiguous));
    }

    /** Statuses. */
    @Test
    @Clause("F3")
    @DisplayName(
            "F3. A status is ambiguous unless the provider documents it as not executed: every 5xx, 408 and 409 are.")
    void statuses_notDocumented_areAmbiguous() {
        IntFunction<Throwable> failure = this::status;
        assertAll(IntStream.rangeClosed(100, 599)
                .filter(status -> !notExecuted().contains(status))
                .mapToObj(failure)
                .map(this::isAmbiguous));
    }

    /** The list itself. */
    @Test
    @Clause("F4")
    @DisplayName("F4. No status is documented as not executed that cannot say so: 408, 409 and everything but 4xx.")
    void statuses_documented_canSaySo() {
        for (int status : notExecuted()) {
            assertTrue(status >= 400 && status <= 499 && status != 408 && status != 409, "notExecuted() has " + status);
        }
    }
}

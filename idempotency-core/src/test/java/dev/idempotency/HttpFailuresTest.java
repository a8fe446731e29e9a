package dev.idempotency;

import static dev.idempotency.FailureClass.AMBIGUOUS;
import static dev.idempotency.FailureClass.NOT_EXECUTED;
import static dev.idempotency.FailureClass.NOT_SENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.HttpFailures.StatusException;
import java.io.EOFException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLProtocolException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpFailuresTest {
    private static final HttpFailures HTTP = HttpFailures.classifier();
    private static final Set<Integer> REFUSED_BEFORE_EXECUTION = Set.of(401, 405, 411, 413, 414, 415, 431);

    static IntStream statuses() {
        return IntStream.rangeClosed(100, 599);
    }

    @ParameterizedTest
    @MethodSource("statuses")
    void status_onlyWhereTheStandardSaysNotApplied_isNotExecuted(int status) {
        var expected = REFUSED_BEFORE_EXECUTION.contains(status) ? NOT_EXECUTED : AMBIGUOUS;

        assertThat(HTTP.classify(new StatusException(status))).isEqualTo(expected);
    }

    @Test
    void classifier_isImmutable_andAsGoodAsAnyOther() {
        assertThat(HttpFailures.classifier().classify(new StatusException(415))).isEqualTo(NOT_EXECUTED);
    }

    static IntStream neverDefinite() {
        return IntStream.concat(IntStream.rangeClosed(500, 599), IntStream.of(408, 409));
    }

    @ParameterizedTest
    @MethodSource("neverDefinite")
    void serverErrorsAndConflicts_areNeverDefinite_andCannotBeMadeSo(int status) {
        assertThat(HTTP.classify(new StatusException(status))).isEqualTo(AMBIGUOUS);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HTTP.notExecuted(status))
                .withMessage("statuses has " + status + ", which never proves that nothing was executed");
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 100, 200, 302, 399, 408, 409, 500, 600, Integer.MAX_VALUE})
    void notExecuted_aStatusThatProvesNothing_isRefused(int status) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HTTP.notExecuted(429, status))
                .withMessage("statuses has " + status + ", which never proves that nothing was executed");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 407, 410, 422, 429, 499})
    void notExecuted_aStatusThatTheProviderDocuments_isAdded(int status) {
        var classifier = HTTP.notExecuted(status);

        assertThat(classifier.classify(new StatusException(status))).isEqualTo(NOT_EXECUTED);
        assertThat(classifier.classify(new StatusException(401))).isEqualTo(NOT_EXECUTED);
        assertThat(HTTP.classify(new StatusException(status))).isEqualTo(AMBIGUOUS);
    }

    @Test
    void notExecuted_twice_keepsBoth() {
        var classifier = HTTP.notExecuted(429).notExecuted(422, 403);

        assertThat(Stream.of(403, 422, 429, 415).map(status -> classifier.classify(new StatusException(status))))
                .containsOnly(NOT_EXECUTED);
        assertThat(classifier.classify(new StatusException(404))).isEqualTo(AMBIGUOUS);
    }

    static Stream<Throwable> beforeTheFirstByte() {
        return Stream.of(
                new ConnectException("Connection refused"),
                new HttpConnectTimeoutException("connect timed out"),
                new NoRouteToHostException(),
                new UnknownHostException("bank.invalid"),
                new UnresolvedAddressException(),
                new SSLHandshakeException("certificate has expired"));
    }

    @ParameterizedTest
    @MethodSource("beforeTheFirstByte")
    void exception_beforeTheFirstByte_isNotSent(Throwable failure) {
        assertThat(HTTP.classify(failure)).isEqualTo(NOT_SENT);
    }

    static Stream<Throwable> unclear() {
        return Stream.of(
                new HttpTimeoutException("request timed out"),
                new SocketTimeoutException("Read timed out"),
                new SocketException("Connection reset"),
                new SocketException("Broken pipe"),
                new BindException(),
                new PortUnreachableException(),
                new ClosedChannelException(),
                new EOFException(),
                new IOException("HTTP/1.1 header parser received no bytes"),
                new SSLException("close_notify missing"),
                new SSLProtocolException("unexpected"),
                new SSLPeerUnverifiedException("unverified"),
                new TimeoutException(),
                new InterruptedException(),
                new IllegalStateException(),
                new OutOfMemoryError(),
                new IOException(new ConnectException("of some other connection")));
    }

    @ParameterizedTest
    @MethodSource("unclear")
    void exception_afterWhichTheRequestMayHaveLeft_isAmbiguous(Throwable failure) {
        assertThat(HTTP.classify(failure)).isEqualTo(AMBIGUOUS);
    }

    @Test
    void statusException_carriesTheStatus_andNothingElse() {
        assertThat(new StatusException(503)).hasMessage("HTTP status 503").hasNoCause();
        assertThat(new StatusException(503).status()).isEqualTo(503);
    }

    /** What follows a redirect says nothing about the first request; only its documentation can say so. */
    @Test
    void documentation_warnsOfRedirects() throws IOException {
        assertThat(Files.readString(Path.of("src/main/java/dev/idempotency/HttpFailures.java")))
                .contains("Use a client that does not follow redirects");
    }

    @Test
    void rules_comeBeforeTheStandard() {
        assertThat(HTTP.on(ConnectException.class, AMBIGUOUS).classify(new ConnectException()))
                .isEqualTo(AMBIGUOUS);
        assertThat(HTTP.on(IllegalStateException.class, NOT_SENT).classify(new UnknownHostException()))
                .isEqualTo(NOT_SENT);
    }
}

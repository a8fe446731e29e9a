package dev.idempotency;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLHandshakeException;

/**
 * The classifier for calls over HTTP with {@code java.net.http}. Immutable, thread-safe.
 *
 * <ul>
 *   <li>{@link FailureClass#NOT_SENT}: connection refused, no route, unknown host, connect timeout, failed TLS handshake.
 *   <li>{@link FailureClass#NOT_EXECUTED}: the statuses by which a server says that it did not apply the request: 401,
 *       405, 411, 413, 414, 415 and 431 (RFC 9110 sections 15.5.2, 15.5.6, 15.5.12 and 15.5.14 to 15.5.16, RFC 6585
 *       section 5), and those that the provider documents so and you add.
 *   <li>{@link FailureClass#AMBIGUOUS}: everything else, among it every 5xx, 408, 409, read timeouts and resets.
 * </ul>
 *
 * <p>Use a client that does not follow redirects (the default of {@code java.net.http}): a connection refused after a
 * redirect proves nothing about the first request.
 *
 * @since 0.1.0
 */
public final class HttpFailures implements FailureClassifier {
    private static final Set<Integer> NOT_APPLIED = Set.of(401, 405, 411, 413, 414, 415, 431);

    private final Set<Integer> notExecuted;

    private HttpFailures(Set<Integer> notExecuted) {
        this.notExecuted = notExecuted;
    }

    /**
     * The classifier with the statuses of the HTTP standard alone.
     *
     * @return a classifier
     */
    public static HttpFailures classifier() {
        return new HttpFailures(NOT_APPLIED);
    }

    /**
     * This classifier with more statuses that the provider documents as "not executed", 429 for instance.
     *
     * @param statuses 400 to 499, but neither 408 nor 409, which say nothing
     * @return a new classifier
     * @throws IllegalArgumentException if a status cannot prove that nothing was executed
     */
    public HttpFailures notExecuted(int... statuses) {
        var all = new TreeSet<>(notExecuted);
        Arrays.stream(statuses).forEach(status -> {
            if (status < 400 || status > 499 || status == 408 || status == 409) {
                throw new IllegalArgumentException(
                        "statuses has " + status + ", which never proves that nothing was executed");
            }
            all.add(status);
        });
        return new HttpFailures(Collections.unmodifiableSet(all));
    }

    @Override
    public FailureClass classify(Throwable failure) {
        if (failure instanceof StatusException unexpected) {
            return notExecuted.contains(unexpected.status()) ? FailureClass.NOT_EXECUTED : FailureClass.AMBIGUOUS;
        }
        boolean notSent = failure instanceof ConnectException
                || failure instanceof HttpConnectTimeoutException
                || failure instanceof NoRouteToHostException
                || failure instanceof UnknownHostException
                || failure instanceof UnresolvedAddressException
                || failure instanceof SSLHandshakeException;
        return notSent ? FailureClass.NOT_SENT : FailureClass.AMBIGUOUS;
    }

    /** A response whose status is not one of the call's definite outcomes. For calls to throw. */
    public static final class StatusException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final int status;

        /**
         * An unexpected status.
         *
         * @param status the HTTP status
         */
        public StatusException(int status) {
            super("HTTP status " + status);
            this.status = status;
        }

        /**
         * The HTTP status.
         *
         * @return 100 to 599, as the server sent it
         */
        public int status() {
            return status;
        }
    }
}

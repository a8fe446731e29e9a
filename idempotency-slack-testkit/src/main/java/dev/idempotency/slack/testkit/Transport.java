package dev.idempotency.slack.testkit;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A way to the app. Implementations are thread-safe. */
interface Transport {
    /** How an attempt ended. */
    enum End {
        /** Acknowledged in time. */
        ACKED(""),
        /** Answered, but not as Slack wants it. */
        REFUSED("http_error"),
        /** Not answered in time: a late ack. */
        LATE("http_timeout"),
        /** Nobody there, or gone before the answer. */
        UNREACHABLE("connection_failed");

        private final String reason;

        End(String reason) {
            this.reason = reason;
        }

        /** What the next attempt says about this one. */
        String reason() {
            return reason;
        }
    }

    /**
     * An attempt that is over.
     *
     * @param status of the answer; 0 for none
     * @param refusesRetry whether the app asked not to be told again
     */
    record Attempt(End end, int status, Duration took, boolean refusesRetry) {}

    /**
     * Makes an attempt.
     *
     * @param retryNum 0 for the first
     * @param reason why the one before failed; empty for the first
     * @return completes, and not exceptionally, when it is over
     */
    CompletableFuture<Attempt> deliver(Delivery delivery, int retryNum, String reason);
}

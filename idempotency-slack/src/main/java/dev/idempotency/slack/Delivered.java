package dev.idempotency.slack;

import java.time.Duration;
import java.util.Objects;

/**
 * One delivery by Slack, and how it was answered.
 *
 * @param transport by which way
 * @param verdict what became of it
 * @param status the status over HTTP; 200 for an envelope that was acknowledged, 0 for one that was not
 * @param type the type of the event; empty when it was not read
 * @param retry the number of the retry as Slack counts, 0 for what Slack does not call a retry. Not proof of a duplicate
 * @param retryReason why Slack says that it retries; empty when it does not say
 * @param took how long Slack waited for the answer, as seen from here
 * @param late how long before that Slack had dispatched the event first, to the second; zero when it did not say
 * @since 0.1.0
 */
public record Delivered(
        Transport transport,
        Verdict verdict,
        int status,
        String type,
        int retry,
        String retryReason,
        Duration took,
        Duration late) {
    /** By which way Slack delivers. */
    public enum Transport {
        /** A request to the endpoint. */
        HTTP,
        /** An envelope of Socket Mode. */
        SOCKET
    }

    /** What became of a delivery. */
    public enum Verdict {
        /** It is in the inbox now. */
        ACCEPTED,
        /** It was delivered before. */
        DUPLICATE,
        /** It is in the spill buffer, because the store does not answer. */
        SPILLED,
        /** It is in the inbox, and will be a dead letter: it is signed, and nobody can read it. */
        MALFORMED,
        /** Slack's question whether this address is ours, or is served over TLS, was answered. Nothing is kept of it. */
        CHALLENGED,
        /** Too much at once: Slack is to deliver it again. */
        SHED,
        /** The store did not take it in time: Slack is to deliver it again. */
        FAILED,
        /** It has no signature. */
        UNSIGNED,
        /** Its signature is not by one of our secrets. */
        FORGED,
        /** It was signed too long ago, or in the future. */
        EXPIRED,
        /** It is larger than anything of Slack's. */
        TOO_LARGE,
        /** It is not a request of the Events API, or broke off. */
        UNREADABLE
    }

    /** Whether Slack counts it as delivered. */
    boolean isSuccess() {
        return status >= 200 && status < 300;
    }

    /**
     * Checks the delivery.
     *
     * @param transport as described above
     * @param verdict as described above
     * @param status as described above
     * @param type as described above
     * @param retry as described above
     * @param retryReason as described above
     * @param took as described above
     * @param late as described above
     * @throws NullPointerException if an argument is null
     */
    public Delivered {
        Objects.requireNonNull(transport, "transport");
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(retryReason, "retryReason");
        Objects.requireNonNull(took, "took");
        Objects.requireNonNull(late, "late");
    }
}

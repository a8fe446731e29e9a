package dev.idempotency.slack;

import java.time.Duration;
import java.util.Objects;

/**
 * One call of Slack's Web API.
 *
 * @param method the method, such as {@code chat.postMessage}
 * @param outcome how it ended
 * @param waited how long it was kept back by a limit, before it was sent
 * @param took how long Slack took to answer; zero when nothing was sent
 * @since 0.1.0
 */
public record Called(String method, Outcome outcome, Duration waited, Duration took) {
    /** How a call can end. */
    public enum Outcome {
        /** Slack has done it. */
        OK,
        /** Slack has refused it, and did nothing. */
        REFUSED,
        /** Slack said "too many": it did nothing. */
        RATE_LIMITED,
        /** A limit kept it back for so long that it was not sent. */
        NOT_SENT,
        /** It may have been done: no answer, or one that says nothing. */
        AMBIGUOUS
    }

    /**
     * Checks the record.
     *
     * @param method as described above
     * @param outcome as described above
     * @param waited as described above
     * @param took as described above
     * @throws NullPointerException if an argument is null
     */
    public Called {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(outcome, "outcome");
        Objects.requireNonNull(waited, "waited");
        Objects.requireNonNull(took, "took");
    }
}

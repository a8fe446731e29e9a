package dev.idempotency.testkit;

import java.util.Arrays;
import java.util.Optional;

/**
 * What can go wrong with one request on its way to the provider, in it, or on the way back.
 *
 * @since 0.1.0
 */
public enum Fault {
    /** Nothing goes wrong. */
    NONE("none"),
    /** The effect happens; the connection ends without an answer. */
    REPLY_LOST_AFTER_EFFECT("reply-lost"),
    /** The effect happens; the answer is 500. */
    ERROR_500_AFTER_EFFECT("error-after"),
    /** No effect; the answer is 500. */
    ERROR_500_BEFORE_EFFECT("error-before"),
    /** No effect; the connection breaks. */
    RESET_BEFORE_EFFECT("reset-before"),
    /** The effect happens; the connection breaks. */
    RESET_AFTER_EFFECT("reset-after"),
    /** The effect happens; the answer comes after the client has given up. Until then the request is in progress. */
    SLOW_PAST_TIMEOUT("slow"),
    /** The connection breaks at once; the request reaches the provider some time later. */
    DELAYED_EFFECT("delayed"),
    /** The answer is 429: this request is not executed. The native key stays unused. */
    REFUSED_429("refused"),
    /** The answer is a decline, unless the native key has an answer already. */
    DECLINED_402("declined");

    private final String label;

    Fault(String label) {
        this.label = label;
    }

    /**
     * Returns the name of this fault in the text form of a {@link FaultPlan}.
     *
     * @return such as {@code reply-lost}
     */
    public String label() {
        return label;
    }

    static Optional<Fault> labelled(String label) {
        return Arrays.stream(values()).filter(f -> f.label.equals(label)).findFirst();
    }
}

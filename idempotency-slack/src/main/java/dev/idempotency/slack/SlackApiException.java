package dev.idempotency.slack;

import dev.idempotency.FailureClass;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A call of Slack's Web API that did not succeed, and what that says about it.
 *
 * @since 0.1.0
 */
public final class SlackApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String method;
    private final String error;
    private final FailureClass failureClass;

    SlackApiException(String method, String error, FailureClass failureClass, @Nullable Throwable cause) {
        super(method + ": " + error + " (" + failureClass + ")", cause);
        this.method = Objects.requireNonNull(method, "method");
        this.error = error;
        this.failureClass = failureClass;
    }

    /**
     * Which method was called.
     *
     * @return such as {@code chat.postMessage}
     */
    public String method() {
        return method;
    }

    /**
     * What went wrong.
     *
     * @return Slack's error code, such as {@code channel_not_found}; or {@code ratelimited}, {@code not_sent} or
     *     {@code no_answer}
     */
    public String error() {
        return error;
    }

    /**
     * What it says about the call.
     *
     * @return whether it was not sent, not executed, or may have been
     */
    public FailureClass failureClass() {
        return failureClass;
    }
}

package dev.idempotency.cli;

import dev.idempotency.RefusedException;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Why a command, or a form of the console, did not do what was wished: expected, and told without a stack trace. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;
    private final @Nullable String reason;
    private final transient @Nullable Instant until;

    private Failure(ExitCode code, @Nullable String reason, String message, @Nullable Instant until, Throwable cause) {
        super(Secrets.hide(message), cause);
        this.code = code;
        this.reason = reason;
        this.until = until;
    }

    Failure(ExitCode code, String message) {
        super(Secrets.hide(message));
        this.code = code;
        this.reason = null;
        this.until = null;
    }

    static Failure usage(String message) {
        return new Failure(ExitCode.USAGE, message);
    }

    static Failure of(RefusedException refused) {
        ExitCode code =
                refused.reason() == RefusedException.Reason.UNKNOWN_KEY ? ExitCode.UNKNOWN_KEY : ExitCode.REFUSED;
        return new Failure(code, refused.reason().name(), message(refused), refused.until(), refused);
    }

    /** The reviewed version is not the one that an override was asked for. */
    static Failure changed(String message) {
        return new Failure(
                ExitCode.REFUSED,
                RefusedException.Reason.CHANGED.name(),
                message,
                null,
                new IllegalStateException(message));
    }

    static Failure of(StoreException failed) {
        return new Failure(
                failed.mayHaveWritten() ? ExitCode.PERHAPS_WRITTEN : ExitCode.STORE_FAILED,
                null,
                failed.mayHaveWritten()
                        ? "The store failed, and the act may have been written: " + chain(failed)
                                + ". Repeat the very same act: it is completed, found to be done, or refused, and never"
                                + " done twice"
                        : "The store failed; nothing was written: " + chain(failed),
                null,
                failed);
    }

    /** Of a command that only reads: there was nothing to be written. */
    static Failure ofRead(StoreException failed) {
        return new Failure(ExitCode.STORE_FAILED, null, "The store failed: " + chain(failed), null, failed);
    }

    /** Time was over. */
    static Failure late(Duration limit, boolean isAct) {
        return new Failure(
                ExitCode.NO_ANSWER,
                "The store has not answered within " + Spans.text(limit)
                        + (isAct
                                ? ", and the act may have been written. Repeat the very same act: it is completed, found to be"
                                        + " done, or refused, and never done twice"
                                : ""));
    }

    static Failure unusable(RuntimeException cause) {
        return new Failure(ExitCode.STORE_FAILED, null, message(cause), null, cause);
    }

    private static String message(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    /** The driver's words are the only ones that say which host and which reason. */
    private static String chain(Throwable failure) {
        var text = new StringBuilder(message(failure));
        Throwable cause = failure.getCause();
        for (int depth = 0; cause != null && depth < 5; depth++, cause = cause.getCause()) {
            if (cause.getMessage() != null && text.indexOf(cause.getMessage()) < 0) {
                text.append(": ").append(cause.getMessage());
            }
        }
        return text.toString();
    }

    ExitCode code() {
        return code;
    }

    @Nullable
    String reason() {
        return reason;
    }

    @Nullable
    Instant until() {
        return until;
    }

    String text() {
        String message = getMessage();
        return message == null ? code.outcome() : message;
    }
}

package dev.idempotency;

import java.util.Collections;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of keys in doubt, for whoever is on call: when a key comes into doubt, with what was thrown, and how the doubt ends.
 * Messages of exceptions stay out, because they may quote a request or a secret; classes and stack traces stay in.
 */
final class Doubts {
    private static final Logger LOG = LoggerFactory.getLogger(Doubts.class);
    private static final int DEEPEST = 10;

    private Doubts() {}

    /** An attempt has ended without a definite outcome. */
    static void began(IdempotencyKey key, int attempt, String reason, @Nullable Throwable cause) {
        if (LOG.isWarnEnabled()) {
            LOG.warn(
                    "{} is in doubt since its attempt {}: {}",
                    key,
                    attempt,
                    reason,
                    cause == null ? null : WithoutMessage.of(cause, 0));
        }
    }

    /** Logs an event if it begins or ends a doubt. */
    static void log(IdempotencyEvent event) {
        switch (event.type()) {
            case LAPSED ->
                LOG.warn(
                        "{} is in doubt: the lease of its attempt {} was over, and nobody has said what became of it",
                        event.key(),
                        event.attempt());
            case FOUND, LATE_RESULT, CLOSED, OVERRIDDEN ->
                LOG.info("{} is not in doubt any more: {}, attempt {}", event.key(), event.type(), event.attempt());
            case RESENT, REEXECUTED, TAKEN_OVER ->
                LOG.info("{} is being recovered: {}, attempt {}", event.key(), event.type(), event.attempt());
            case COMPLETED, DECLINED -> {
                if (event.attempt() > 1) {
                    LOG.info("{} is resolved: {} by attempt {}", event.key(), event.type(), event.attempt());
                }
            }
            default -> {}
        }
    }

    /** What was thrown, without its messages: the classes, and a digest of the stack traces by which two failures can be compared. */
    static String name(Throwable failure) {
        var classes = new StringBuilder(failure.getClass().getName());
        var frames = new StringBuilder();
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable each = failure; each != null && seen.size() < DEEPEST && seen.add(each); each = cause(each)) {
            if (each != failure) {
                classes.append(", caused by ").append(each.getClass().getName());
            }
            for (StackTraceElement frame : trace(each)) {
                // Names of lambdas and hidden classes differ from process to process.
                if (frame.getClassName().indexOf('/') < 0
                        && !frame.getClassName().contains("$$")) {
                    frames.append(frame.getClassName())
                            .append('.')
                            .append(frame.getMethodName())
                            .append(':');
                    frames.append(frame.getLineNumber()).append('\n');
                }
            }
        }
        return classes + "; trace " + HexFormat.of().formatHex(Digests.sha256(frames.toString()), 0, 4);
    }

    /** Exceptions are classes of the user's, too: one may throw when it is asked. */
    static @Nullable Throwable cause(Throwable failure) {
        try {
            return failure.getCause();
        } catch (Throwable e) {
            return null;
        }
    }

    private static StackTraceElement[] trace(Throwable failure) {
        try {
            return failure.getStackTrace().clone();
        } catch (Throwable e) {
            return new StackTraceElement[0];
        }
    }

    /** Stands for a throwable whose message is not to be seen; its own message is the class. */
    private static final class WithoutMessage extends Throwable {
        private static final long serialVersionUID = 1L;

        private WithoutMessage(String name, @Nullable Throwable cause) {
            super(name, cause, false, true);
        }

        static WithoutMessage of(Throwable failure, int depth) {
            Throwable cause = cause(failure);
            var bare = new WithoutMessage(
                    failure.getClass().getName(), cause == null || depth == DEEPEST ? null : of(cause, depth + 1));
            bare.setStackTrace(trace(failure));
            return bare;
        }
    }
}

package dev.idempotency;

import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms.Policy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether an operation's calls ask for their native key, as far as this process has seen. A provider recognises only what it was
 * sent: a call that never asked must not be sent again in the belief that it is recognised.
 */
final class NativeKeyUse {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** Ends the line in the record's history, by which other processes and later runs know it, too. */
    private static final String UNASKED = ", without having asked for its native key";

    private final String operation;
    private final AtomicBoolean said = new AtomicBoolean();
    private volatile boolean isIgnored;

    NativeKeyUse(String operation) {
        this.operation = operation;
    }

    /**
     * A call has ended that may have made the write.
     *
     * @param reason how it ended
     * @return the same, and for the history whether the call never asked
     */
    String ended(RunningAttempt attempt, String reason) {
        Policy policy = attempt.record().terms().policy();
        if (policy != Policy.NATIVE && policy != Policy.NATIVE_THEN_LOOKUP) {
            return reason;
        }
        isIgnored = !attempt.hasGivenNativeKey();
        if (isIgnored && said.compareAndSet(false, true)) {
            LOG.error(
                    "A call of operation '{}' has ended and never asked for attempt.nativeKey(), by which the provider is to"
                            + " recognise the call when it is sent again. Until its calls do, keys in doubt are not sent"
                            + " again. Send attempt.nativeKey() to the provider as its idempotency key, or give the"
                            + " operation another recovery. This is logged once for each operation",
                    operation);
        }
        return isIgnored ? reason + UNASKED : reason;
    }

    /** Whether a call of this key, or the latest of the operation here, did not ask. */
    boolean isMissing(IdempotencyRecord standing) {
        if (isIgnored) {
            return true;
        }
        List<Evidence> history = standing.evidence();
        for (int i = history.size() - 1; i >= 0 && history.get(i).kind() != Evidence.Kind.OVERRIDE; i--) {
            if (history.get(i).detail().endsWith(UNASKED)) {
                return true;
            }
        }
        return false;
    }
}

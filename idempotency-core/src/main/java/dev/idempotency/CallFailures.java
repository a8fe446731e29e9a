package dev.idempotency;

import io.github.resilience4j.retry.Retry;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What failures of one execution's calls mean, and whether they are retried. Classifier, predicates and listeners are code of
 * the user's: whatever they throw proves nothing and retries nothing.
 */
final class CallFailures {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** Causes may go round in a circle. */
    private static final int DEEPEST = 20;

    private final FailureClassifier classifier;
    private final IdempotencyKey key;
    private final Retry.@Nullable AsyncContext<Object> retry;

    private @Nullable Throwable last;

    CallFailures(FailureClassifier classifier, IdempotencyKey key, @Nullable Retry retry) {
        this.classifier = classifier;
        this.key = key;
        this.retry = retry == null ? null : retry.asyncContext();
    }

    /** The latest failure of a call, a lookup or a seal: the cause of what the caller gets. */
    @Nullable
    Throwable last() {
        return last;
    }

    /** Notes a failure, and takes it out of what asynchronous code wraps around it. */
    Throwable note(Throwable failure) {
        last = inner(failure);
        return last;
    }

    private static Throwable inner(Throwable failure) {
        Throwable inner = failure;
        for (int depth = 0; depth < DEEPEST; depth++) {
            Throwable cause = inner instanceof CompletionException || inner instanceof ExecutionException
                    ? Doubts.cause(inner)
                    : null;
            if (cause == null) {
                return inner;
            }
            inner = cause;
        }
        return inner;
    }

    /** The provider's "no"; the outcome of another operation inside the call proves nothing about the call. */
    boolean isDecline(Throwable failure) {
        return failure instanceof DeclinedException declined && isOwn(declined);
    }

    FailureClass classify(Throwable failure) {
        if (failure instanceof NotExecutedException notExecuted && isOwn(notExecuted)) {
            return FailureClass.NOT_EXECUTED;
        }
        try {
            FailureClass said = classifier.classify(failure);
            return said == null ? FailureClass.AMBIGUOUS : said;
        } catch (Throwable e) {
            suppress(e, failure);
            return FailureClass.AMBIGUOUS;
        }
    }

    private boolean isOwn(IdempotencyException outcome) {
        return outcome.key() == null || key.equals(outcome.key());
    }

    /** How long to wait before the next try, in milliseconds; negative if there is to be none. */
    long retryDelay(Throwable failure) {
        try {
            return retry == null ? -1 : retry.onError(failure);
        } catch (Throwable e) {
            suppress(e, failure);
            return -1;
        }
    }

    void succeeded() {
        try {
            if (retry != null) {
                retry.onComplete();
            }
        } catch (Throwable e) {
            LOG.warn("A retry's listener failed on the success of {}; nothing else changes", key, e);
        }
    }

    private static void suppress(Throwable later, Throwable failure) {
        if (later != failure) {
            failure.addSuppressed(later);
        }
    }
}

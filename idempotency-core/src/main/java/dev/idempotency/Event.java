package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What can happen to a key. */
sealed interface Event {
    /** How long a lease, a result and a tombstone last. */
    record Spans(Duration lease, Duration retention, Duration tombstone) {}

    /** A caller wants to make the write. */
    record Reserve(
            IdempotencyKey key,
            Fingerprint fingerprint,
            AttemptToken token,
            RecoveryTerms terms,
            @Nullable StoredRequest request,
            ProviderProfile.KeyFormat keyFormat,
            Spans spans)
            implements Event {}

    /** The attempt is alive. */
    record Renew(AttemptToken token, Spans spans) implements Event {}

    /** The attempt has a definite outcome. */
    record Complete(AttemptToken token, int generation, int attempt, StoredResult result, Spans spans)
            implements Event {}

    /** The attempt proves that nothing was executed. */
    record Release(AttemptToken token, Spans spans) implements Event {}

    /** The attempt does not know. */
    record MarkInDoubt(AttemptToken token, String reason) implements Event {}

    /** Somebody saw that the lease of the attempt that he read is over. */
    record Expire(AttemptToken expected) implements Event {}

    /** A same-transaction operation takes a lapsed attempt over. */
    record TakeOver(AttemptToken expected, AttemptToken token, Spans spans) implements Event {}

    /** A worker without a caller is about to ask the provider, and no other is to do so meanwhile. */
    record Claim(AttemptToken expected, Duration duration) implements Event {}

    /** The same native key is to be sent again. */
    record Resend(AttemptToken expected, AttemptToken token, Spans spans) implements Event {}

    /**
     * The provider has the write.
     *
     * @param result null when it is not known what came of it
     * @param how who says so, for the history
     */
    record Found(AttemptToken expected, @Nullable StoredResult result, String how, Spans spans) implements Event {
        /** The provider itself said so. */
        Found(AttemptToken expected, StoredResult result, Spans spans) {
            this(expected, result, "the provider had the write", spans);
        }
    }

    /** The provider has nothing, and the call is to be made again. */
    record ReExecute(
            AttemptToken expected, AttemptToken token, boolean sealed, ProviderProfile.KeyFormat keyFormat, Spans spans)
            implements Event {}

    /**
     * The provider has nothing, and the key is to be closed.
     *
     * @param quiescence what counts where the key has agreed on none; null when then nothing counts
     * @param how who says so, for the history
     */
    record Close(
            AttemptToken expected, boolean sealed, @Nullable Duration quiescence, String how, Spans spans)
            implements Event {
        /** The provider itself said so. */
        Close(AttemptToken expected, boolean sealed, Spans spans) {
            this(
                    expected,
                    sealed,
                    null,
                    sealed ? "the provider sealed it" : "the provider had nothing after quiescence",
                    spans);
        }
    }

    /** The key is opened in a new generation: for its own payload by one person, for another one by two. */
    record Overrule(
            long version, AttemptToken expected, Fingerprint fingerprint, String who, String reason, Spans spans)
            implements Event {}

    /**
     * Two people take back that the key was opened: what it had come to before counts again.
     *
     * @param fingerprint the payload whose outcome that is
     */
    record Withdraw(
            long version, AttemptToken expected, Fingerprint fingerprint, String who, String reason, Spans spans)
            implements Event {}

    /** The record is to be removed. */
    record Purge() implements Event {}
}

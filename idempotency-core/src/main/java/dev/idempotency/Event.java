package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoredResult;
import java.time.Duration;

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
            ProviderProfile.KeyFormat keyFormat,
            Spans spans)
            implements Event {}

    /** The attempt is alive. */
    record Renew(AttemptToken token, Spans spans) implements Event {}

    /** The attempt has a definite outcome. */
    record Complete(AttemptToken token, int generation, int attempt, StoredResult result, Spans spans)
            implements Event {}

    /** The attempt proves that nothing was executed. */
    record Release(AttemptToken token) implements Event {}

    /** The attempt does not know. */
    record MarkInDoubt(AttemptToken token, String reason) implements Event {}

    /** Somebody saw that the lease of the attempt that he read is over. */
    record Expire(AttemptToken expected) implements Event {}

    /** A same-transaction operation takes a lapsed attempt over. */
    record TakeOver(AttemptToken expected, AttemptToken token, Spans spans) implements Event {}

    /** The same native key is to be sent again. */
    record Resend(AttemptToken expected, AttemptToken token, Spans spans) implements Event {}

    /** The provider has the write. */
    record Found(AttemptToken expected, StoredResult result, Spans spans) implements Event {}

    /** The provider has nothing, and the call is to be made again. */
    record ReExecute(
            AttemptToken expected, AttemptToken token, boolean sealed, ProviderProfile.KeyFormat keyFormat, Spans spans)
            implements Event {}

    /** The provider has nothing, and the key is to be closed. */
    record Close(AttemptToken expected, boolean sealed, Spans spans) implements Event {}

    /** Two people let another payload take over the key. */
    record Overrule(
            long version, AttemptToken expected, Fingerprint fingerprint, String who, String reason, Spans spans)
            implements Event {}

    /** The record is to be removed. */
    record Purge() implements Event {}
}

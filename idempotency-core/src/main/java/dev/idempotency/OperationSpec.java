package dev.idempotency;

import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What an operation was built with. */
record OperationSpec<I, O extends @Nullable Object>(
        String name,
        Function<I, IdempotencyKey> key,
        Function<I, Fingerprint> fingerprint,
        Recovery<I, O> recovery,
        RecoveryTerms terms,
        NativeKeyUse nativeKeyUse,
        FailureClassifier failures,
        Outcomes<O> outcomes,
        @Nullable Codec<I> requests,
        Event.Spans spans,
        Duration callTimeout,
        Duration recoveryTimeout,
        Duration waitAtMost,
        @Nullable Retry retry,
        Operation.@Nullable Call<I, O> call,
        Operation.@Nullable AsyncCall<I, O> asyncCall,
        @Nullable SameTransaction<I, O, ?> sameTransaction) {

    /**
     * What is kept of a request while its key is unresolved; null for nothing. Whether it comes back as it went is seen now, and
     * not after the crash that it is kept for.
     *
     * @throws IllegalArgumentException if it does not
     */
    @Nullable
    StoredRequest keep(I request, IdempotencyKey itsKey, Fingerprint itsFingerprint) {
        if (requests == null) {
            return null;
        }
        StoredRequest kept;
        I again;
        try {
            kept = new StoredRequest(requests.id(), requests.encode(request));
            again = requests.decode(kept.bytes());
        } catch (Exception | StackOverflowError e) {
            throw unkept("cannot be encoded and decoded again", e);
        }
        boolean isSame;
        try {
            isSame = key.apply(again).equals(itsKey) && fingerprint.apply(again).equals(itsFingerprint);
        } catch (Exception | StackOverflowError e) {
            throw unkept("has no key or fingerprint any more when it is decoded again", e);
        }
        if (!isSame) {
            throw unkept("is another one when it is decoded again, by its key or its fingerprint", null);
        }
        return kept;
    }

    private IllegalArgumentException unkept(String why, @Nullable Throwable cause) {
        return new IllegalArgumentException(
                "request of operation '" + name + "' " + why
                        + ", so nobody could recover it, and nothing was written; change"
                        + " the request type, or the codec of keepRequests(..)",
                cause);
    }

    /**
     * An outcome as it is recorded already, if it is: what a codec writes of one value need not be the same bytes each time,
     * and the protocol compares bytes.
     */
    StoredResult asRecorded(IdempotencyRecord standing, StoredResult result) {
        if (standing.result() != null && isSame(standing.result(), result)) {
            return standing.result();
        }
        for (Evidence line : standing.evidence()) {
            if (line.result() != null && isSame(line.result(), result)) {
                return line.result();
            }
        }
        return result;
    }

    private boolean isSame(StoredResult recorded, StoredResult result) {
        Codec<O> codec = outcomes.codec();
        return recorded.equals(result)
                || (recorded.kind() == StoredResult.Kind.RESULT
                        && result.kind() == StoredResult.Kind.RESULT
                        && recorded.codec().equals(codec.id())
                        && result.codec().equals(codec.id())
                        && codec.isSame(recorded.bytes(), result.bytes()));
    }

    Operation.Call<I, O> requireCall() {
        return Objects.requireNonNull(call, "call");
    }

    Operation.AsyncCall<I, O> requireAsyncCall() {
        return Objects.requireNonNull(asyncCall, "asyncCall");
    }

    SameTransaction<I, O, ?> requireSameTransaction() {
        return Objects.requireNonNull(sameTransaction, "sameTransaction");
    }

    /** Whether what this thread executes now is committed, or not, with a transaction of the caller's. */
    boolean isJoined() {
        return sameTransaction != null && sameTransaction.isJoined();
    }

    @Nullable
    Finding<O> investigate(I request, Attempt attempt, boolean seal) throws Exception {
        return seal
                ? Objects.requireNonNull(recovery.sealFunction(), "seal").seal(request, attempt)
                : Objects.requireNonNull(recovery.lookupFunction(), "lookup").find(request, attempt);
    }
}

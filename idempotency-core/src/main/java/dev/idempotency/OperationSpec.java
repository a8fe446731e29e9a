package dev.idempotency;

import dev.idempotency.store.RecoveryTerms;
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
        FailureClassifier failures,
        Codec<O> codec,
        Event.Spans spans,
        Duration callTimeout,
        Duration recoveryTimeout,
        Duration waitAtMost,
        @Nullable Retry retry,
        Operation.@Nullable Call<I, O> call,
        Operation.@Nullable AsyncCall<I, O> asyncCall,
        @Nullable SameTransaction<I, O, ?> sameTransaction) {

    StoredResult encode(O value) throws Exception {
        return new StoredResult(StoredResult.Kind.RESULT, codec.id(), codec.encode(value));
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

    @Nullable
    Finding<O> investigate(I request, Attempt attempt, boolean seal) throws Exception {
        return seal
                ? Objects.requireNonNull(recovery.sealFunction(), "seal").seal(request, attempt)
                : Objects.requireNonNull(recovery.lookupFunction(), "lookup").find(request, attempt);
    }
}

package dev.idempotency.docs;

import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Providers;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;

/** The code of the guide on retries. */
final class RetrySnippets {
    private RetrySnippets() {}

    // tag::outside[]
    static Retry patiently() {
        return Retry.of(
                "charge-card",
                RetryConfig.custom()
                        .maxAttempts(5)
                        .intervalFunction(IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 2))
                        .retryOnException(RetrySnippets::mayHelp)
                        .build());
    }

    /** Whether the same request may have another outcome later. */
    static boolean mayHelp(Throwable failure) {
        if (failure instanceof NotExecutedException notExecuted) {
            return !notExecuted.isClosed();
        }
        return failure instanceof InDoubtException
                || failure instanceof InFlightException
                || (failure instanceof StoreException && !(failure instanceof UnknownFormatException));
    }

    static Charge charge(Operation<ChargeRequest, Charge> charge, ChargeRequest request) {
        return patiently().executeSupplier(() -> charge.execute(request));
    }
    // end::outside[]

    static Operation<ChargeRequest, Charge> retrying(Idempotency idempotency, ChargeClient client) {
        // tag::inside[]
        Operation<ChargeRequest, Charge> charge = idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(Recovery.nativeKey(Providers.STRIPE_V1))
                .failures(HttpFailures.classifier().notExecuted(429)) // documented: refused before execution
                .retry(Retry.of(
                        "charge-card",
                        RetryConfig.custom()
                                .maxAttempts(3)
                                .intervalFunction(
                                        IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 2))
                                .build()))
                .calling((request, attempt) -> client.charge(request, attempt.nativeKey()));
        // end::inside[]
        return charge;
    }
}

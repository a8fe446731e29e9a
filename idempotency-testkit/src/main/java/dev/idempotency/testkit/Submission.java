package dev.idempotency.testkit;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request for an effect as it reaches the provider. Immutable. A repeated request is a second submission with a
 * {@code requestId} of its own.
 *
 * @param requestId names this request, for the ledger only; the provider does not deduplicate by it
 * @param nativeKey the provider's deduplication key, or null when the request carries none
 * @param reference the caller's name for the thing, such as an order id
 * @param payload the request in canonical form: equal requests have equal strings
 * @since 0.1.0
 */
public record Submission(String requestId, @Nullable String nativeKey, String reference, String payload) {

    /**
     * Checks the parts.
     *
     * @param requestId not null
     * @param nativeKey may be null
     * @param reference not null
     * @param payload not null
     * @throws NullPointerException if any part but {@code nativeKey} is null
     */
    public Submission {
        Objects.requireNonNull(requestId, "requestId");
        Objects.requireNonNull(reference, "reference");
        Objects.requireNonNull(payload, "payload");
    }
}

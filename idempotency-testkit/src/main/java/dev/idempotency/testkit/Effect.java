package dev.idempotency.testkit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One thing that the provider really did, as its {@link EffectLedger} remembers it. Immutable.
 *
 * @param effectId the provider's own name for this effect, unique in its ledger
 * @param nativeKey the native key that the request carried, or null when it carried none
 * @param reference the caller's name for the thing, such as an order id; the provider does not deduplicate by it
 * @param payload the request in canonical form
 * @param receivedAt when the request that caused the effect reached the provider, on the provider's clock
 * @param requestId the request that caused the effect
 * @since 0.1.0
 */
public record Effect(
        String effectId,
        @Nullable String nativeKey,
        String reference,
        String payload,
        Instant receivedAt,
        String requestId) {

    /**
     * Checks the parts.
     *
     * @param effectId not null
     * @param nativeKey may be null
     * @param reference not null
     * @param payload not null
     * @param receivedAt not null
     * @param requestId not null
     * @throws NullPointerException if any part but {@code nativeKey} is null
     */
    public Effect {
        Objects.requireNonNull(effectId, "effectId");
        Objects.requireNonNull(reference, "reference");
        Objects.requireNonNull(payload, "payload");
        Objects.requireNonNull(receivedAt, "receivedAt");
        Objects.requireNonNull(requestId, "requestId");
    }

    /**
     * Returns the SHA-256 of the payload's UTF-8 bytes.
     *
     * @return 64 lower-case hexadecimal digits
     */
    public String payloadDigest() {
        return digest(payload);
    }

    static String digest(String payload) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(sha256.digest(payload.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

package dev.idempotency.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.Fingerprint;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Fingerprints of payloads that come as JSON, made by the library itself. */
final class Payloads {
    private static final Pattern FINGERPRINT = Pattern.compile("(" + Fingerprint.JCS_SHA256 + "):([0-9a-f]{64})");
    private static final JsonMapper STRICT = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private Payloads() {}

    /**
     * The fingerprint of a whole request whose JSON this is.
     *
     * @throws IllegalArgumentException if it is not one JSON value; the message quotes nothing of it
     */
    static Fingerprint fingerprint(byte[] json) {
        JsonNode payload = requireJson(json);
        Operation<JsonNode, JsonNode> any = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("fingerprint", JsonNode.class, JsonNode.class)
                .key(request -> "any")
                .calling((request, attempt) -> request);
        try {
            return any.fingerprintOf(payload);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("it has no canonical form (RFC 8785)", e);
        }
    }

    /** Checks that the bytes are one JSON value. */
    static JsonNode requireJson(byte[] json) {
        try {
            JsonNode payload = STRICT.readTree(json);
            if (payload == null || payload.isMissingNode()) {
                throw new IllegalArgumentException("it is empty, not JSON");
            }
            return payload;
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            throw new IllegalArgumentException(
                    "it is not one JSON value"
                            + (at == null ? "" : ": line " + at.getLineNr() + ", column " + at.getColumnNr()),
                    e);
        } catch (IOException e) {
            throw new IllegalArgumentException("it is not JSON", e);
        }
    }

    /** Such as {@code jcs-sha256:0a1b..}, as it is shown everywhere. */
    static Fingerprint parse(String text) {
        Matcher parts = FINGERPRINT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "it must be " + Fingerprint.JCS_SHA256 + ": and 64 lower-case hexadecimal digits");
        }
        return new Fingerprint(parts.group(1), parts.group(2));
    }

    static String text(Fingerprint fingerprint) {
        return fingerprint.algorithm() + ":" + fingerprint.digest();
    }
}

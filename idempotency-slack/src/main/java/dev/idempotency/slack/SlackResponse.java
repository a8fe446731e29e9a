package dev.idempotency.slack;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/**
 * What is to be answered.
 *
 * @param status the HTTP status
 * @param headers its headers
 * @param body its body, UTF-8; may be empty
 * @since 0.1.0
 */
public record SlackResponse(int status, Map<String, String> headers, String body) {
    /**
     * Checks the response.
     *
     * @param status as described above
     * @param headers as described above; copied
     * @param body as described above
     * @throws NullPointerException if an argument is null
     */
    public SlackResponse {
        headers = Map.copyOf(headers);
        Objects.requireNonNull(body, "body");
    }

    static SlackResponse empty(int status) {
        return new SlackResponse(status, Map.of(), "");
    }

    byte[] bytes() {
        return body.getBytes(StandardCharsets.UTF_8);
    }
}

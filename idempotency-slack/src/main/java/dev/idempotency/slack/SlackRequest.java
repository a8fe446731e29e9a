package dev.idempotency.slack;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A request as it came in, whatever server took it.
 *
 * @param method the HTTP method
 * @param headers its headers; names in any case
 * @param body its body, not decoded and not read yet. Is read once, never beyond the endpoint's cap, and not closed
 * @param query what stands behind the question mark of its address, not decoded; empty for nothing. Slack asks by it whether the
 *     address of a slash command is served over TLS
 * @since 0.1.0
 */
public record SlackRequest(String method, Map<String, List<String>> headers, InputStream body, String query) {
    /**
     * Checks the request.
     *
     * @param method as described above
     * @param headers as described above
     * @param body as described above
     * @param query as described above
     * @throws NullPointerException if an argument is null
     */
    public SlackRequest {
        Objects.requireNonNull(query, "query");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(body, "body");
        var sorted = new TreeMap<String, List<String>>();
        // A server of the JDK's has a null key in some maps.
        headers.forEach((name, values) -> {
            if (name != null && values != null) {
                var all = sorted.computeIfAbsent(name.toLowerCase(Locale.ROOT), unused -> new ArrayList<>());
                values.stream().filter(Objects::nonNull).forEach(all::add);
            }
        });
        headers = Collections.unmodifiableMap(sorted);
    }

    /**
     * A request without a query.
     *
     * @param method as described above
     * @param headers as described above
     * @param body as described above
     * @throws NullPointerException if an argument is null
     */
    public SlackRequest(String method, Map<String, List<String>> headers, InputStream body) {
        this(method, headers, body, "");
    }

    /** Null when it is not there, or is there more than once: what counts must be said once. */
    @Nullable
    String header(String name) {
        List<String> values = headers.getOrDefault(name, List.of());
        return values.size() == 1 ? values.get(0) : null;
    }

    /** Names the method only: headers have signatures. */
    @Override
    public String toString() {
        return "SlackRequest[" + method + "]";
    }
}

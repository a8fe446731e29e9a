package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Slack's method {@code apps.connections.open}, which gives the address of one connection. Thread-safe. */
final class ConnectionsOpen {
    private static final String METHOD = "apps.connections.open";
    private static final Duration UNSAID_RETRY_AFTER = Duration.ofSeconds(30);
    private static final long LONGEST_RETRY_AFTER = 3_600;

    /** What only a person can repair. Everything else is asked again, for ever. */
    private static final Set<String> REFUSALS = Set.of(
            "access_denied",
            "account_inactive",
            "deprecated_endpoint",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "forbidden_team",
            "invalid_auth",
            "method_deprecated",
            "missing_args",
            "missing_scope",
            "no_permission",
            "not_allowed_token_type",
            "not_authed",
            "org_login_required",
            "team_access_not_granted",
            "token_expired",
            "token_revoked",
            "two_factor_setup_required");

    sealed interface Answer {
        /** Where to connect, once. */
        record Address(URI uri) implements Answer {}

        record RateLimited(Duration pause) implements Answer {}

        record Refused(String error) implements Answer {}

        record Failed(String why) implements Answer {}
    }

    private final HttpClient http;
    private final HttpRequest request;
    private final boolean debugReconnects;

    ConnectionsOpen(HttpClient http, URI apiUrl, String appToken, boolean debugReconnects, Duration timeout) {
        this.http = http;
        this.debugReconnects = debugReconnects;
        String base = apiUrl.toString();
        this.request = HttpRequest.newBuilder(URI.create(base.endsWith("/") ? base + METHOD : base + "/" + METHOD))
                .timeout(timeout)
                .header("Authorization", "Bearer " + appToken)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
    }

    /** Asks. Never fails; cancelling it ends the request. */
    CompletableFuture<Answer> ask() {
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> failure != null
                        ? new Answer.Failed(name(failure))
                        : read(
                                response.statusCode(),
                                response.headers().firstValue("retry-after").orElse(""),
                                response.body()));
    }

    /** The class of a failure: its message may have the address in it. */
    static String name(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.getClass().getSimpleName();
    }

    Answer read(int status, String retryAfter, String body) {
        if (status == 429) {
            return new Answer.RateLimited(wait(retryAfter));
        }
        JsonNode answer;
        try {
            answer = SlackEvent.JSON.readTree(body);
        } catch (IOException e) {
            return new Answer.Failed("HTTP " + status);
        }
        if (answer == null || !answer.isObject()) {
            return new Answer.Failed("HTTP " + status);
        }
        if (answer.path("ok").asBoolean(false)) {
            return address(answer.path("url").asText(""));
        }
        String error = answer.path("error").asText("");
        if (error.equals("ratelimited")) {
            return new Answer.RateLimited(wait(retryAfter));
        }
        return REFUSALS.contains(error)
                ? new Answer.Refused(error)
                : new Answer.Failed(error.matches("[a-z0-9_]{1,60}") ? error : "HTTP " + status);
    }

    private Answer address(String url) {
        try {
            URI uri =
                    URI.create(debugReconnects ? url + (url.contains("?") ? "&" : "?") + "debug_reconnects=true" : url);
            // Whoever is asked over TLS does not send elsewhere in plain text.
            boolean mayBePlain = "http".equals(request.uri().getScheme());
            boolean isSafe = "wss".equals(uri.getScheme()) || (mayBePlain && "ws".equals(uri.getScheme()));
            return isSafe && uri.getHost() != null ? new Answer.Address(uri) : new Answer.Failed("no wss address");
        } catch (IllegalArgumentException e) {
            return new Answer.Failed("no address");
        }
    }

    private static Duration wait(String retryAfter) {
        return retryAfter.matches("[0-9]{1,9}")
                ? Duration.ofSeconds(Math.min(LONGEST_RETRY_AFTER, Long.parseLong(retryAfter)))
                : UNSAID_RETRY_AFTER;
    }
}

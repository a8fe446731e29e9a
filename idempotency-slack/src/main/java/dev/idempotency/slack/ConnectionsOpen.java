package dev.idempotency.slack;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Slack's method {@code apps.connections.open}, which gives the address of one connection. Thread-safe. */
final class ConnectionsOpen {
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
        URI base = apiUrl.toString().endsWith("/") ? apiUrl : URI.create(apiUrl + "/");
        this.request = SlackHttp.request(base, "apps.connections.open", appToken, Map.of(), timeout);
    }

    /** Asks. Never fails; cancelling it ends the request. */
    CompletableFuture<Answer> ask() {
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
                .handle((response, failure) ->
                        failure != null ? new Answer.Failed(name(failure)) : read(SlackHttp.Answer.of(response)));
    }

    /** The class of a failure: its message may have the address in it. */
    static String name(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.getClass().getSimpleName();
    }

    /** What only a person can repair is refused. Everything else is asked again, for ever. */
    Answer read(SlackHttp.Answer answer) {
        String error = answer.error();
        if (error == null) {
            return address(answer.json().path("url").asText(""));
        }
        if (answer.isRateLimited()) {
            return new Answer.RateLimited(answer.retryAfter());
        }
        return answer.isForAPerson() ? new Answer.Refused(error) : new Answer.Failed(error);
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
}

package dev.idempotency.slack.testkit;

import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** The Events API: signed POSTs to the app's address. Redirects count as failures: there is nothing here to follow them to. */
final class HttpTransport implements Transport {
    private final HttpClient client;
    private final URI app;
    private final Signature signature;
    private final Duration deadline;

    HttpTransport(URI app, String secret, Duration deadline) {
        this.app = app;
        this.signature = new Signature(secret);
        this.deadline = deadline;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(deadline)
                .build();
    }

    @Override
    public CompletableFuture<Attempt> deliver(Delivery delivery, int retryNum, String reason) {
        byte[] body = delivery.payload().toString().getBytes(StandardCharsets.UTF_8);
        long seconds = Instant.now().getEpochSecond();
        HttpRequest.Builder request = HttpRequest.newBuilder(app)
                .timeout(deadline)
                .header("Content-Type", "application/json")
                .header("User-Agent", "Slackbot 1.0 (simulated)")
                .header("X-Slack-Request-Timestamp", Long.toString(seconds))
                .header("X-Slack-Signature", signature.of(seconds, body))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (retryNum > 0) {
            request.header("X-Slack-Retry-Num", Integer.toString(retryNum)).header("X-Slack-Retry-Reason", reason);
        }
        long start = System.nanoTime();
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> {
                    Duration took = Duration.ofNanos(System.nanoTime() - start);
                    return failure == null
                            ? answered(delivery, response, took)
                            : new Attempt(end(failure), 0, took, false);
                });
    }

    private Attempt answered(Delivery delivery, HttpResponse<String> response, Duration took) {
        int status = response.statusCode();
        boolean isAck = status / 100 == 2
                && (delivery.expected() == null || response.body().contains(delivery.expected()));
        boolean refusesRetry = !isAck
                && response.headers().firstValue("X-Slack-No-Retry").orElse("").equals("1");
        // Slack does not wait a moment longer, however late this process has come to look at the answer.
        End end = took.compareTo(deadline) > 0 ? End.LATE : isAck ? End.ACKED : End.REFUSED;
        return new Attempt(end, status, took, refusesRetry);
    }

    /** A connection that could not be made is no late answer, however long that took. */
    private static End end(Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        return cause instanceof HttpTimeoutException && !(cause.getCause() instanceof ConnectException)
                ? End.LATE
                : End.UNREACHABLE;
    }
}

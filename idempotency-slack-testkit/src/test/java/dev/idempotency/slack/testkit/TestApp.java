package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Apps of several kinds, each with the mistake of its kind. */
final class TestApp implements AutoCloseable {
    enum Kind {
        /** Acknowledges, then replies once to each message, by what a person wrote. */
        RIGHT,
        /** Replies before it acknowledges, to whatever comes, as often as it comes. */
        NAIVE,
        /** Replies to everybody, also to itself. */
        TALKATIVE,
        /** Acknowledges and does nothing. */
        FORGETFUL,
        /** Replies once, but long after Slack's deadline. */
        SLOW
    }

    private static final JsonMapper MAPPER = new JsonMapper();

    private final Kind kind;
    private final URI webApi;
    private final HttpServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    TestApp(Kind kind, URI webApi) throws IOException {
        this.kind = kind;
        this.webApi = webApi;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/slack/events", this::handle);
        server.setExecutor(pool);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/slack/events");
    }

    private void handle(HttpExchange exchange) throws IOException {
        JsonNode payload = MAPPER.readTree(exchange.getRequestBody());
        byte[] answer = payload.path("challenge").asText().getBytes(StandardCharsets.UTF_8);
        if (kind == Kind.NAIVE) {
            reply(payload);
        } else if (kind == Kind.SLOW) {
            pause();
        }
        exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
        try (exchange) {
            exchange.getResponseBody().write(answer);
        } catch (IOException e) {
            // The deliverer has gone: it tells it again.
        }
        if (kind != Kind.NAIVE && kind != Kind.FORGETFUL) {
            reply(payload);
        }
    }

    private static void pause() {
        var never = new java.util.concurrent.CompletableFuture<Void>();
        var unused = never.completeOnTimeout(null, 400, java.util.concurrent.TimeUnit.MILLISECONDS)
                .join();
    }

    private void reply(JsonNode payload) {
        JsonNode event = payload.path("event");
        String type = event.path("type").asText();
        String subtype = event.path("subtype").asText("message");
        boolean isMessage = (type.equals("message") || type.equals("app_mention"))
                && Set.of("message", "file_share", "thread_broadcast").contains(subtype);
        if (kind != Kind.TALKATIVE && (!isMessage || event.has("bot_id"))) {
            return;
        }
        String text = event.path("text").asText("something");
        boolean isNew = seen.add(event.path("channel").asText() + text);
        if (kind == Kind.RIGHT && !isNew || kind == Kind.SLOW && !isNew) {
            return;
        }
        String thread = event.path("thread_ts").asText(event.path("ts").asText());
        var body = MAPPER.valueToTree(
                Map.of("channel", event.path("channel").asText(), "thread_ts", thread, "text", "Noted: " + text));
        HttpRequest request = HttpRequest.newBuilder(webApi.resolve("/api/chat.postMessage"))
                .header("Authorization", "Bearer " + Workspace.BOT_TOKEN)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        try {
            var unused = client.send(request, HttpResponse.BodyHandlers.discarding());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        pool.shutdownNow();
    }
}

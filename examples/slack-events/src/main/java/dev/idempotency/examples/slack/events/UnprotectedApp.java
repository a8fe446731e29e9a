package dev.idempotency.examples.slack.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * The app as it is often written: it replies to a message, and then tells Slack that it has got it. It knows its own messages, and
 * posts again when Slack does not say that it has posted.
 */
final class UnprotectedApp implements AutoCloseable {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final Set<String> WRITTEN_BY_PEOPLE = Set.of("", "file_share", "thread_broadcast");
    private static final int TRIES = 3;
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final AppSettings settings;
    private final HttpClient client = HttpClient.newHttpClient();
    private final WebServer server;

    private UnprotectedApp(AppSettings settings) throws IOException {
        this.settings = settings;
        server = WebServer.start(settings.port(), this::handle);
    }

    static UnprotectedApp start(AppSettings settings) throws IOException {
        return new UnprotectedApp(settings);
    }

    int port() {
        return server.port();
    }

    private void handle(HttpExchange exchange) throws IOException {
        JsonNode payload = MAPPER.readTree(exchange.getRequestBody());
        int status = 200;
        try {
            reply(payload.path("event"));
        } catch (IOException e) {
            status = 500;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            status = 500;
        }
        byte[] body = MAPPER.writeValueAsBytes(payload.path("challenge"));
        exchange.sendResponseHeaders(status, body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }

    private void reply(JsonNode event) throws IOException, InterruptedException {
        String type = event.path("type").asText();
        boolean isMessage = type.equals("message") || type.equals("app_mention");
        if (!isMessage || !WRITTEN_BY_PEOPLE.contains(event.path("subtype").asText("")) || event.has("bot_id")) {
            return;
        }
        String ts = event.path("ts").asText();
        String text = event.path("text").asText();
        settings.think(text);
        JsonNode message = MAPPER.valueToTree(Map.of(
                "channel", event.path("channel").asText(),
                "thread_ts", event.path("thread_ts").asText(ts),
                "text", "Noted: " + text));
        for (int tries = 1; !isPosted(message); tries++) {
            if (tries == TRIES) {
                throw new IOException("not posted");
            }
        }
    }

    private boolean isPosted(JsonNode message) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(settings.slackApi().resolve("chat.postMessage"))
                .timeout(TIMEOUT)
                .header("Authorization", "Bearer " + settings.botToken())
                .header("Content-Type", "application/json; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString(message.toString()))
                .build();
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == 200
                    && MAPPER.readTree(response.body()).path("ok").asBoolean();
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        server.close();
    }
}

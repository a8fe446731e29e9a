package dev.idempotency.examples.slack.socket;

import com.google.gson.JsonObject;
import com.slack.api.Slack;
import com.slack.api.SlackConfig;
import com.slack.api.methods.SlackApiException;
import com.slack.api.socket_mode.SocketModeClient;
import com.slack.api.socket_mode.response.AckResponse;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The same app on Slack's own Java client, written with care: it acknowledges at once, replies on a pool, and knows in memory what
 * it has replied to. For comparison only.
 */
final class OfficialApp {
    private static final Logger LOG = LoggerFactory.getLogger(OfficialApp.class);
    private static final Set<String> SUBTYPES = Set.of("", "file_share", "thread_broadcast");

    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private final ExecutorService pool = Executors.newFixedThreadPool(16);
    private final Slack slack;
    private final String botToken;

    private OfficialApp(Slack slack, String botToken) {
        this.slack = slack;
        this.botToken = botToken;
    }

    /**
     * Runs the app until it is killed.
     *
     * @param args the Web API's address, the app-level token, the bot token, and {@code tyrus} or {@code java-websocket}
     */
    public static void main(String[] args) throws Exception {
        var config = new SlackConfig();
        config.setMethodsEndpointUrlPrefix(args[0]);
        Slack slack = Slack.getInstance(config);
        var app = new OfficialApp(slack, args[2]);
        SocketModeClient client = slack.socketMode(
                args[1],
                args[3].equals("tyrus") ? SocketModeClient.Backend.Tyrus : SocketModeClient.Backend.JavaWebSocket);
        client.addEventsApiEnvelopeListener(envelope -> {
            client.sendSocketModeResponse(
                    AckResponse.builder().envelopeId(envelope.getEnvelopeId()).build());
            app.handle(envelope.getPayload().getAsJsonObject());
        });
        client.setAutoReconnectEnabled(true);
        client.connect();
        new CountDownLatch(1).await();
    }

    private void handle(JsonObject payload) {
        if (!payload.has("event")) {
            return;
        }
        JsonObject event = payload.getAsJsonObject("event");
        String type = text(event, "type");
        boolean isWanted = (type.equals("message") || type.equals("app_mention"))
                && SUBTYPES.contains(text(event, "subtype"))
                && !event.has("bot_id");
        if (isWanted && known.add(text(event, "channel") + text(event, "text"))) {
            pool.execute(() -> reply(event));
        }
    }

    private void reply(JsonObject event) {
        String thread = text(event, "thread_ts");
        try {
            var unused = slack.methods(botToken)
                    .chatPostMessage(request -> request.channel(text(event, "channel"))
                            .threadTs(thread.isEmpty() ? text(event, "ts") : thread)
                            .text("Noted: " + text(event, "text")));
        } catch (IOException | SlackApiException e) {
            LOG.warn("No reply: {}", e.toString());
        }
    }

    private static String text(JsonObject of, String name) {
        return of.has(name) && of.get(name).isJsonPrimitive() ? of.get(name).getAsString() : "";
    }
}

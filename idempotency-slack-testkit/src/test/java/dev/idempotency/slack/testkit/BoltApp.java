package dev.idempotency.slack.testkit;

import com.slack.api.Slack;
import com.slack.api.SlackConfig;
import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.request.RequestHeaders;
import com.slack.api.bolt.request.builtin.EventRequest;
import com.slack.api.bolt.response.Response;
import com.slack.api.bolt.util.SlackRequestParser;
import com.slack.api.methods.MethodsClient;
import com.slack.api.methods.SlackApiException;
import com.slack.api.model.event.AppMentionEvent;
import com.slack.api.model.event.MessageEvent;
import com.slack.api.model.event.MessageFileShareEvent;
import com.slack.api.model.event.MessageThreadBroadcastEvent;
import com.slack.api.socket_mode.SocketModeClient;
import com.slack.api.socket_mode.response.AckResponse;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A plain app on Bolt, as its users write it: it answers at once, replies on a pool, and knows in memory what it has replied to. It
 * has one mistake, or none as long as the Web API answers.
 */
final class BoltApp implements AutoCloseable {
    private static final int LATE_MILLIS = 900;
    private static final int TRIES = 3;

    private final Mistake mistake;
    private final AppConfig config;
    private final Slack slack;
    private final App app;
    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private final ExecutorService pool = Executors.newFixedThreadPool(8, work -> {
        var thread = new Thread(work, "bolt-app");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable HttpServer server;
    private @Nullable SocketModeClient sockets;

    BoltApp(Mistake mistake, URI apiUrl, String signingSecret) {
        this.mistake = mistake;
        var slackConfig = new SlackConfig();
        slackConfig.setMethodsEndpointUrlPrefix(apiUrl.toString());
        slack = Slack.getInstance(slackConfig);
        config = AppConfig.builder()
                .slack(slack)
                .singleTeamBotToken(SlackSimulator.BOT_TOKEN)
                .signingSecret(signingSecret)
                .allEventsApiAutoAckEnabled(true)
                .build();
        app = new App(config);
        app.event(MessageEvent.class, (event, context) -> {
            MessageEvent message = event.getEvent();
            heard(context.client(), message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
            return context.ack();
        });
        app.event(MessageFileShareEvent.class, (event, context) -> {
            MessageFileShareEvent message = event.getEvent();
            heard(context.client(), message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
            return context.ack();
        });
        app.event(MessageThreadBroadcastEvent.class, (event, context) -> {
            MessageThreadBroadcastEvent message = event.getEvent();
            heard(context.client(), message.getChannel(), message.getTs(), message.getThreadTs(), message.getText());
            return context.ack();
        });
        // Each mention comes as a message, too.
        app.event(AppMentionEvent.class, (event, context) -> context.ack());
        app.start();
    }

    /** Listens for events, and returns where. */
    URI listen() throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(pool);
        http.createContext("/slack/events", this::take);
        http.start();
        server = http;
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/slack/events");
    }

    private void take(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        var request = new SlackRequestParser(config)
                .parse(SlackRequestParser.HttpRequest.builder()
                        .requestUri("/slack/events")
                        .requestBody(body)
                        .headers(new RequestHeaders(exchange.getRequestHeaders()))
                        .build());
        Response response;
        try {
            response = app.run(request);
        } catch (Exception e) {
            throw new IOException(e);
        }
        byte[] answer = String.valueOf(response.getBody() == null ? "" : response.getBody())
                .getBytes(StandardCharsets.UTF_8);
        int status = response.getStatusCode();
        whenItAnswers(body, () -> {
            try (exchange) {
                exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
                exchange.getResponseBody().write(answer);
            } catch (IOException e) {
                // Slack does not wait any more.
            }
        });
    }

    /** Connects over Socket Mode. */
    void connect() throws Exception {
        SocketModeClient client = slack.socketMode(SlackSimulator.APP_TOKEN, SocketModeClient.Backend.JavaWebSocket);
        client.addEventsApiEnvelopeListener(envelope -> {
            String body = envelope.getPayload().toString();
            var request = new EventRequest(body, new RequestHeaders(Map.of()));
            request.setSocketMode(true);
            try {
                Response unused = app.run(request);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            whenItAnswers(
                    body,
                    () -> client.sendSocketModeResponse(AckResponse.builder()
                            .envelopeId(envelope.getEnvelopeId())
                            .build()));
        });
        client.connect();
        sockets = client;
    }

    private void whenItAnswers(String body, Runnable answer) {
        if (mistake == Mistake.ACKS_LATE && mistake.strikes(body)) {
            CompletableFuture.delayedExecutor(LATE_MILLIS, TimeUnit.MILLISECONDS, pool)
                    .execute(answer);
        } else {
            answer.run();
        }
    }

    private void heard(MethodsClient client, String channel, String ts, @Nullable String thread, String text) {
        boolean isNew = known.add(channel + text);
        if ((isNew || mistake == Mistake.HANDLES_TWICE) && !(mistake == Mistake.LOSES && mistake.strikes(text))) {
            pool.execute(() -> reply(client, channel, thread == null ? ts : thread, text));
        }
    }

    private void reply(MethodsClient client, String channel, String thread, String text) {
        for (int i = 0; i < (mistake == Mistake.POSTS_AGAIN ? TRIES : 1); i++) {
            try {
                var unused = client.chatPostMessage(
                        request -> request.channel(channel).threadTs(thread).text("Noted: " + text));
                return;
            } catch (IOException | SlackApiException e) {
                // Perhaps it was posted.
            }
        }
    }

    @Override
    public void close() throws Exception {
        try {
            if (server != null) {
                server.stop(0);
            }
            if (sockets != null) {
                sockets.close();
            }
        } finally {
            pool.shutdownNow();
            app.stop();
            slack.close();
        }
    }
}

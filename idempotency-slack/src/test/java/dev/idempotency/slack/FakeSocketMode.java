package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.java_websocket.WebSocket;
import org.java_websocket.WebSocketImpl;
import org.java_websocket.framing.Framedata;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.server.WebSocketServer;

/** Slack's side of Socket Mode, in this process: does what a test says. Thread-safe. */
final class FakeSocketMode implements AutoCloseable {
    static final String TOKEN = "xapp-1-A111-222-secret";

    /** An answer of apps.connections.open. */
    record Answer(int status, String retryAfter, String body) {}

    /** One connection. */
    static final class Connection {
        final WebSocket socket;
        final List<JsonNode> received = new CopyOnWriteArrayList<>();
        volatile boolean isMute;
        volatile boolean heardHello;
        volatile int closeCode = -1;

        Connection(WebSocket socket) {
            this.socket = socket;
        }

        void hello(int lifetimeSeconds) {
            heardHello = true;
            send(
                    "{\"type\":\"hello\",\"num_connections\":1,\"debug_info\":{\"host\":\"h\",\"approximate_connection_time\":"
                            + lifetimeSeconds + "},\"connection_info\":{\"app_id\":\"A111\"}}");
        }

        void disconnect(String reason) {
            send("{\"type\":\"disconnect\",\"reason\":\"" + reason + "\",\"debug_info\":{\"host\":\"h\"}}");
        }

        void event(String envelope, String eventId) {
            send(envelope(envelope, "events_api", false, event(eventId)));
        }

        void send(String text) {
            if (socket.isOpen()) {
                socket.send(text);
            }
        }

        /** Ends without a word. Closing the channel would end it at the server's next select. */
        void die() {
            try {
                ((SocketChannel) ((WebSocketImpl) socket).getChannel()).shutdownOutput();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        static String event(String eventId) {
            return "{\"type\":\"event_callback\",\"api_app_id\":\"A111\",\"team_id\":\"T1\",\"event_id\":\"" + eventId
                    + "\",\"event_time\":1700000000,\"event\":{\"type\":\"message\",\"channel\":\"C1\",\"user\":\"U1\","
                    + "\"text\":\"hi\",\"ts\":\"1700000000.000100\",\"event_ts\":\"1700000000.000100\"}}";
        }

        static String envelope(String id, String type, boolean acceptsResponse, String payload) {
            return "{\"envelope_id\":\"" + id + "\",\"type\":\"" + type + "\",\"accepts_response_payload\":"
                    + acceptsResponse + ",\"payload\":" + payload + "}";
        }

        List<String> acks() {
            return received.stream()
                    .map(ack -> ack.path("envelope_id").asText())
                    .toList();
        }
    }

    private final HttpServer api;
    private final WebSocketServer sockets;
    private final CountDownLatch listening = new CountDownLatch(1);
    private final Deque<Answer> answers = new ConcurrentLinkedDeque<>();
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();
    private volatile boolean saysHello = true;
    private volatile int lifetimeSeconds = 3_600;

    FakeSocketMode() {
        try {
            api = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        api.createContext("/api/apps.connections.open", this::open);
        api.start();
        sockets = new WebSocketServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 2) {
            @Override
            public void onOpen(WebSocket socket, ClientHandshake handshake) {
                var connection = new Connection(socket);
                socket.setAttachment(connection);
                connections.add(connection);
                if (saysHello) {
                    connection.hello(lifetimeSeconds);
                }
            }

            @Override
            public void onMessage(WebSocket socket, String message) {
                try {
                    socket.<Connection>getAttachment().received.add(SlackEvent.JSON.readTree(message));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void onWebsocketPing(WebSocket socket, Framedata frame) {
                if (!socket.<Connection>getAttachment().isMute) {
                    super.onWebsocketPing(socket, frame);
                }
            }

            @Override
            public void onClose(WebSocket socket, int code, String reason, boolean remote) {
                Connection connection = socket.getAttachment();
                if (connection != null) {
                    connection.closeCode = code;
                }
            }

            @Override
            public void onError(WebSocket socket, Exception failure) {}

            @Override
            public void onStart() {
                listening.countDown();
            }
        };
        sockets.setReuseAddr(true);
        sockets.setConnectionLostTimeout(0);
        sockets.start();
        try {
            if (!listening.await(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server does not listen");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    URI apiUrl() {
        return URI.create("http://127.0.0.1:" + api.getAddress().getPort() + "/api/");
    }

    private void open(HttpExchange exchange) throws IOException {
        authorizations.add(exchange.getRequestHeaders().getFirst("Authorization"));
        // As gateways do: they know no upgrade.
        boolean isUpgrade = exchange.getRequestHeaders().containsKey("Upgrade");
        Answer answer = isUpgrade ? new Answer(405, "", "") : answers.poll();
        if (answer == null) {
            answer = new Answer(
                    200,
                    "",
                    "{\"ok\":true,\"url\":\"ws://127.0.0.1:" + sockets.getPort() + "/link/?ticket="
                            + authorizations.size() + "\"}");
        }
        if (!answer.retryAfter.isEmpty()) {
            exchange.getResponseHeaders().set("Retry-After", answer.retryAfter);
        }
        byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(answer.status, body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }

    /** What the next calls of apps.connections.open answer, instead of an address. */
    FakeSocketMode answering(Answer... next) {
        answers.addAll(List.of(next));
        return this;
    }

    static Answer error(String error) {
        return new Answer(200, "", "{\"ok\":false,\"error\":\"" + error + "\"}");
    }

    FakeSocketMode silent() {
        saysHello = false;
        return this;
    }

    FakeSocketMode lifetime(int seconds) {
        lifetimeSeconds = seconds;
        return this;
    }

    List<Connection> connections() {
        return connections;
    }

    /** The Authorization headers of all calls of apps.connections.open. */
    List<String> opened() {
        return authorizations;
    }

    @Override
    public void close() {
        api.stop(0);
        try {
            sockets.stop(1_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

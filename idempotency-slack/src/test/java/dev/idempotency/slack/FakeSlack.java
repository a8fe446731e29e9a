package dev.idempotency.slack;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/** Slack's Web API as far as posting goes, over HTTP, with a ledger. What it does next can be said before. */
final class FakeSlack implements AutoCloseable {
    /** What happens to the next call of a method that posts. */
    enum Fate {
        FAIL_BEFORE,
        FAIL_AFTER,
        CUT_AFTER,
        FATAL_ERROR_AFTER,
        RATE_LIMIT,
        NO_SUCH_CHANNEL,
        UNKNOWN_ERROR
    }

    record Call(String method, Map<String, String> arguments) {}

    final List<ObjectNode> ledger = new CopyOnWriteArrayList<>();
    final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    final Queue<Fate> fates = new ConcurrentLinkedQueue<>();

    /** What the next calls of chat.postMessage are refused with, before any fate. */
    final Queue<String> errors = new ConcurrentLinkedQueue<>();

    /** How long a post takes at Slack. */
    volatile Duration postTakes = Duration.ZERO;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    FakeSlack() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/api/", this::answer);
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/api/");
    }

    long calls(String method) {
        return calls.stream().filter(call -> call.method.equals(method)).count();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestURI().getPath().substring("/api/".length());
            Map<String, String> arguments = new HashMap<>();
            for (String field :
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).split("&")) {
                String[] parts = field.split("=", 2);
                if (parts.length == 2) {
                    arguments.put(
                            URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                            URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
                }
            }
            calls.add(new Call(method, arguments));
            if (!"Bearer xoxb-test".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                send(exchange, 200, error("invalid_auth"));
            } else if (method.equals("auth.test")) {
                ObjectNode home = SlackEvent.JSON.createObjectNode().put("ok", true);
                send(
                        exchange,
                        200,
                        home.put("team_id", "T0TEAM")
                                .put("user_id", "U0HOME")
                                .put("bot_id", "B0HOME")
                                .toString());
            } else if (method.equals("chat.postMessage")) {
                LockSupport.parkNanos(postTakes.toNanos());
                post(exchange, arguments);
            } else {
                list(exchange, arguments);
            }
        }
    }

    private void post(HttpExchange exchange, Map<String, String> arguments) throws IOException {
        String error = errors.poll();
        if (error != null) {
            send(exchange, 200, error(error));
            return;
        }
        Fate fate = fates.poll();
        if (fate == Fate.FAIL_BEFORE) {
            send(exchange, 500, "oops");
        } else if (fate == Fate.RATE_LIMIT) {
            exchange.getResponseHeaders().set("Retry-After", "7");
            send(exchange, 429, error("ratelimited"));
        } else if (fate == Fate.NO_SUCH_CHANNEL) {
            send(exchange, 200, error("channel_not_found"));
        } else if (fate == Fate.UNKNOWN_ERROR) {
            send(exchange, 200, error("something_new"));
        } else {
            ObjectNode posted = SlackEvent.JSON.createObjectNode();
            posted.put("ts", "100.00000" + (ledger.size() + 1))
                    .put("channel", arguments.get("channel"))
                    .put("text", arguments.get("text"));
            if (arguments.containsKey("thread_ts")) {
                posted.put("thread_ts", arguments.get("thread_ts"));
            }
            posted.set("metadata", SlackEvent.JSON.readTree(arguments.getOrDefault("metadata", "{}")));
            ledger.add(posted);
            if (fate == Fate.FAIL_AFTER) {
                send(exchange, 500, "oops");
            } else if (fate == Fate.FATAL_ERROR_AFTER) {
                send(exchange, 200, error("fatal_error"));
            } else if (fate != Fate.CUT_AFTER) {
                ObjectNode answer = SlackEvent.JSON.createObjectNode().put("ok", true);
                answer.put("channel", arguments.get("channel")).set("ts", posted.path("ts"));
                send(exchange, 200, answer.toString());
            }
        }
    }

    /** One message to a page. */
    private void list(HttpExchange exchange, Map<String, String> arguments) throws IOException {
        List<ObjectNode> all = ledger.stream()
                .filter(posted -> posted.path("channel").asText().equals(arguments.get("channel")))
                .filter(posted -> posted.path("thread_ts").asText("").equals(arguments.getOrDefault("ts", "")))
                .toList();
        int page = Integer.parseInt(arguments.getOrDefault("cursor", "0"));
        ObjectNode answer = SlackEvent.JSON.createObjectNode().put("ok", true);
        var messages = answer.putArray("messages");
        if (page < all.size()) {
            ObjectNode copy = all.get(page).deepCopy();
            if (!"true".equals(arguments.get("include_all_metadata"))) {
                copy.remove("metadata");
            }
            messages.add(copy);
        }
        answer.putObject("response_metadata")
                .put("next_cursor", page + 1 < all.size() ? Integer.toString(page + 1) : "");
        send(exchange, 200, answer.toString());
    }

    private static String error(String code) {
        return SlackEvent.JSON
                .createObjectNode()
                .put("ok", false)
                .put("error", code)
                .toString();
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}

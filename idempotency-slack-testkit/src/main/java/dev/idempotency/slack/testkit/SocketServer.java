package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.java_websocket.WebSocket;
import org.java_websocket.drafts.Draft;
import org.java_websocket.exceptions.InvalidDataException;
import org.java_websocket.framing.Framedata;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.handshake.ServerHandshakeBuilder;
import org.java_websocket.server.WebSocketServer;
import org.jspecify.annotations.Nullable;

/**
 * Slack's side of Socket Mode: gives out addresses, says hello, delivers each envelope to any connection, and recycles
 * connections as Slack does and worse. Thread-safe.
 */
final class SocketServer implements Transport, AutoCloseable {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final int WORKERS = 32;
    private static final int HELD_MILLIS = 150;
    private static final int DEAD_MILLIS = 20_000;
    private static final int WINDOW_MILLIS = 2_000;

    private record Pending(
            SocketConnection from, long sentAt, CompletableFuture<Attempt> ended, AtomicBoolean isSettled) {}

    private final ScheduledExecutorService clock;
    private final Server server = new Server();
    private final Gaps gaps = new Gaps(System.nanoTime());
    private final List<SocketConnection> connections = new ArrayList<>();
    private final Map<String, Pending> pending = new ConcurrentHashMap<>();
    private final IdentityHashMap<Delivery, String> lastEnvelope = new IdentityHashMap<>();
    private final List<Runnable> held = new ArrayList<>();
    private final Map<String, Integer> ends = new TreeMap<>();
    private volatile SocketSettings settings = SocketSettings.parse("recycle=0,refuse=0,late=0");
    private SplittableRandom random = new SplittableRandom(1);
    private boolean isHolding;
    private volatile Duration deadline = Duration.ofSeconds(3);
    private int opened;
    private int refused;
    private int envelopes;
    private int inTime;
    private int late;
    private int elsewhere;
    private int unknown;
    private int lateWhileServing;
    private boolean isAway;
    private boolean isHeld;
    private long excusedUntil = System.nanoTime();

    SocketServer(ScheduledExecutorService clock) {
        this.clock = clock;
        server.setReuseAddr(true);
        server.setTcpNoDelay(true);
        server.setConnectionLostTimeout(0);
        server.setDaemon(true);
        server.start();
        try {
            if (!server.listening.await(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the WebSocket server does not listen");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** From now on, for those that are there as well. */
    synchronized void settings(SocketSettings value) {
        settings = value;
        random = new SplittableRandom(value.seed());
        if (value.recycle() > 0) {
            for (SocketConnection connection : connections) {
                later((long) (value.recycle() * random.nextDouble()), () -> recycle(connection, value, draw()));
            }
        }
    }

    /** How long the app may take to acknowledge an envelope. */
    void deadline(Duration value) {
        deadline = value;
    }

    /** The app is killed or frozen, or is there again. */
    void away(boolean value) {
        gaps.away(value);
        synchronized (this) {
            isAway = value;
            excusedUntil = System.nanoTime();
        }
    }

    /** Something may be done to the app, or is over: meanwhile it need not be in time. */
    synchronized void hold(boolean value) {
        isHeld = value;
        excusedUntil = System.nanoTime();
    }

    private synchronized void missed(SocketConnection by, long sentAt) {
        boolean isExcused = isAway || isHeld || excusedUntil - sentAt > 0;
        if (by.serves && !by.isLeaving && !isExcused) {
            lateWhileServing++;
        }
    }

    private synchronized double draw() {
        return random.nextDouble();
    }

    private void later(long millis, Runnable task) {
        var unused = clock.schedule(task, millis, TimeUnit.MILLISECONDS);
    }

    /** Takes a while: only for threads that have nothing else to do. */
    private void loiter(int atMostMillis) {
        long end = System.nanoTime() + (long) (draw() * atMostMillis * 1e6);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** {@code apps.connections.open}. */
    void open(HttpExchange exchange) throws IOException {
        loiter(settings.open());
        boolean isApp = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"))
                .startsWith("Bearer xapp-");
        int status = 200;
        ObjectNode answer = MAPPER.createObjectNode();
        // In windows, so that a second try right after the first does not help.
        long window = System.currentTimeMillis() / WINDOW_MILLIS;
        boolean refuses = new SplittableRandom(settings.seed() * 31 + window).nextDouble() < settings.refuse();
        if (!isApp) {
            answer.put("ok", false).put("error", "not_allowed_token_type");
        } else if (refuses) {
            synchronized (this) {
                refused++;
            }
            gaps.refused();
            switch ((int) (window % 3)) {
                case 0 -> {
                    status = 429;
                    exchange.getResponseHeaders().set("Retry-After", "1");
                }
                case 1 -> status = 500;
                default -> answer.put("ok", false).put("error", "internal_error");
            }
        } else {
            answer.put("ok", true)
                    .put(
                            "url",
                            "ws://127.0.0.1:" + server.getPort() + "/link/?ticket=" + UUID.randomUUID() + "&app_id=A");
        }
        byte[] body = answer.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private void connected(WebSocket socket) {
        SocketConnection connection;
        synchronized (this) {
            connection = new SocketConnection(socket, ++opened);
            connections.add(connection);
        }
        socket.setAttachment(connection);
        later((long) (draw() * settings.hello()), () -> hello(connection));
    }

    private void hello(SocketConnection connection) {
        double chosen = draw();
        SocketSettings now = settings;
        long life = now.recycle() == 0 ? Long.MAX_VALUE : (long) (now.recycle() * (0.5 + draw()));
        // Some are told how long they live, and are left to go by themselves before.
        boolean isTold = now.recycle() > 0 && chosen < 0.15;
        ObjectNode hello = MAPPER.createObjectNode().put("type", "hello").put("num_connections", gaps.live() + 1);
        hello.putObject("connection_info").put("app_id", "A");
        hello.putObject("debug_info")
                .put("host", "simulated")
                .put("approximate_connection_time", isTold ? Math.max(2, (life + now.lead()) / 1000) : 18_060);
        synchronized (this) {
            if (!connection.socket.isOpen()) {
                return;
            }
            connection.send(hello.toString());
            connection.serves = true;
            connection.takes = true;
            gaps.opened(System.nanoTime());
        }
        if (life != Long.MAX_VALUE) {
            later(life, () -> recycle(connection, now, isTold ? 1 : draw()));
        }
    }

    private synchronized void count(String end) {
        ends.merge(end, 1, Integer::sum);
    }

    private void recycle(SocketConnection connection, SocketSettings now, double dice) {
        boolean mayDie;
        synchronized (this) {
            if (!connection.serves) {
                return;
            }
            mayDie = now.alone()
                    || connections.stream().anyMatch(other -> other != connection && other.serves && !other.isLeaving);
        }
        if (dice < now.sudden() && mayDie) {
            if (dice < now.sudden() / 2) {
                count("cut");
                leave(connection, true);
                connection.cut();
            } else {
                count("half-open");
                connection.isDead = true;
                unserve(connection, true);
                later(DEAD_MILLIS, () -> leave(connection, true));
                later(DEAD_MILLIS, connection.socket::close);
            }
            return;
        }
        synchronized (this) {
            connection.isLeaving = true;
        }
        boolean isBurst = dice > 0.5;
        if (isBurst) {
            hold();
        }
        later(isBurst ? HELD_MILLIS : 0, () -> announce(connection, now.lead(), dice));
    }

    private void announce(SocketConnection connection, int lead, double dice) {
        if (dice >= 1) {
            count("by its lifetime");
        } else if (dice < 0.5) {
            count("warning, then refresh_requested");
            connection.send(disconnect("warning"));
            later(lead * 2L / 3, () -> connection.send(disconnect("refresh_requested")));
        } else if (dice < 0.75) {
            count("warning and refresh_requested at once");
            connection.send(disconnect("warning"));
            connection.send(disconnect("refresh_requested"));
        } else {
            count("refresh_requested");
            connection.send(disconnect("refresh_requested"));
        }
        release(connection);
        later(lead, () -> {
            leave(connection, false);
            connection.socket.close();
        });
    }

    private static String disconnect(String reason) {
        return "{\"type\":\"disconnect\",\"reason\":\"" + reason + "\",\"debug_info\":{\"host\":\"simulated\"}}";
    }

    /** Slack delivers there no more. */
    private void leave(SocketConnection connection, boolean isSudden) {
        unserve(connection, isSudden);
        synchronized (this) {
            connection.takes = false;
            connections.remove(connection);
        }
    }

    private synchronized void unserve(SocketConnection connection, boolean isSudden) {
        if (connection.serves) {
            connection.serves = false;
            gaps.ended(isSudden, System.nanoTime());
        }
    }

    /** What is delivered from now on waits for the next frame, and comes in one burst with it. */
    private synchronized void hold() {
        isHolding = true;
    }

    private @Nullable SocketConnection favourite;

    private void release(SocketConnection connection) {
        List<Runnable> burst;
        synchronized (this) {
            isHolding = false;
            favourite = connection;
            burst = List.copyOf(held);
            held.clear();
        }
        burst.forEach(Runnable::run);
        synchronized (this) {
            favourite = null;
        }
    }

    @Override
    public CompletableFuture<Attempt> deliver(Delivery delivery, int retryNum, String reason) {
        if (delivery.expected() != null
                || delivery.payload().path("type").asText().equals("app_rate_limited")) {
            // A question for an address, or a notice about limits: Slack documents neither over a socket.
            return CompletableFuture.completedFuture(new Attempt(End.ACKED, 200, Duration.ZERO, false));
        }
        var ended = new CompletableFuture<Attempt>();
        synchronized (this) {
            if (isHolding) {
                held.add(() -> send(delivery, retryNum, ended));
                return ended;
            }
        }
        send(delivery, retryNum, ended);
        return ended;
    }

    private void send(Delivery delivery, int retryNum, CompletableFuture<Attempt> ended) {
        SocketConnection to;
        SocketConnection second;
        String id;
        boolean isSameEnvelope;
        synchronized (this) {
            to = favourite != null && favourite.takes ? favourite : any();
            second = random.nextDouble() < settings.copies() ? any() : null;
            String last = lastEnvelope.get(delivery);
            // A retry comes in the same envelope, or in a new one.
            isSameEnvelope = last != null && isSettled(last) && random.nextBoolean();
            id = isSameEnvelope && last != null ? last : UUID.randomUUID().toString();
            lastEnvelope.put(delivery, id);
            if (to != null) {
                envelopes++;
            }
        }
        if (to == null) {
            ended.complete(new Attempt(End.UNREACHABLE, 0, Duration.ZERO, false));
            return;
        }
        ObjectNode envelope = MAPPER.createObjectNode();
        envelope.set("payload", delivery.payload());
        envelope.put("envelope_id", id)
                .put("type", "events_api")
                .put("accepts_response_payload", false)
                .put("retry_attempt", isSameEnvelope ? 0 : retryNum)
                .put("retry_reason", isSameEnvelope || retryNum == 0 ? "" : "timeout");
        var sent = new Pending(to, System.nanoTime(), ended, new AtomicBoolean());
        pending.put(id, sent);
        Duration within = deadline;
        later(within.toMillis(), () -> {
            if (sent.isSettled.compareAndSet(false, true)) {
                missed(to, sent.sentAt);
                if (to.isDead) {
                    // Slack notices as well, in the end.
                    to.takes = false;
                }
                ended.complete(new Attempt(End.LATE, 0, within, false));
            }
        });
        later(within.toMillis() * 20, () -> pending.remove(id, sent));
        to.send(envelope.toString());
        if (second != null) {
            second.send(envelope.toString());
        }
    }

    private boolean isSettled(String envelope) {
        Pending sent = pending.get(envelope);
        return sent == null || sent.isSettled.get();
    }

    private @Nullable SocketConnection any() {
        List<SocketConnection> takers =
                connections.stream().filter(connection -> connection.takes).toList();
        return takers.isEmpty() ? null : takers.get(random.nextInt(takers.size()));
    }

    private void acknowledged(SocketConnection by, String text) {
        if (by.isDead) {
            return;
        }
        JsonNode ack;
        try {
            ack = MAPPER.readTree(text);
        } catch (IOException e) {
            ack = MAPPER.createObjectNode();
        }
        Pending sent = pending.get(ack.path("envelope_id").asText(""));
        synchronized (this) {
            if (sent == null) {
                unknown++;
                return;
            }
            if (sent.from != by) {
                elsewhere++;
            }
            if (!sent.isSettled.compareAndSet(false, true)) {
                if (sent.ended.isDone() && sent.ended.join().end() == End.LATE) {
                    late++;
                }
                return;
            }
            inTime++;
        }
        sent.ended.complete(new Attempt(End.ACKED, 200, Duration.ofNanos(System.nanoTime() - sent.sentAt), false));
    }

    synchronized SocketReport report() {
        long now = System.nanoTime();
        return new SocketReport(
                gaps.live(),
                (gaps.sum(Gaps.Cause.APP, now) + (settings.alone() ? 0 : gaps.sum(Gaps.Cause.SUDDEN, now))) / 1_000_000,
                gaps.count(Gaps.Cause.APP),
                gaps.longest(Gaps.Cause.APP, now) / 1_000_000,
                gaps.sum(Gaps.Cause.SUDDEN, now) / 1_000_000,
                gaps.longest(Gaps.Cause.SUDDEN, now) / 1_000_000,
                gaps.sum(Gaps.Cause.REFUSED, now) / 1_000_000,
                gaps.sum(Gaps.Cause.AWAY, now) / 1_000_000,
                opened,
                refused,
                envelopes,
                inTime,
                late,
                lateWhileServing,
                elsewhere,
                unknown,
                Map.copyOf(ends));
    }

    @Override
    public void close() {
        try {
            server.stop(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Server extends WebSocketServer {
        final CountDownLatch listening = new CountDownLatch(1);

        Server() {
            super(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), WORKERS);
        }

        @Override
        public ServerHandshakeBuilder onWebsocketHandshakeReceivedAsServer(
                WebSocket socket, Draft draft, ClientHandshake request) throws InvalidDataException {
            loiter(settings.handshake());
            return super.onWebsocketHandshakeReceivedAsServer(socket, draft, request);
        }

        @Override
        public void onOpen(WebSocket socket, ClientHandshake handshake) {
            connected(socket);
        }

        @Override
        public void onMessage(WebSocket socket, String text) {
            SocketConnection by = socket.getAttachment();
            if (by != null) {
                acknowledged(by, text);
            }
        }

        @Override
        public void onWebsocketPing(WebSocket socket, Framedata frame) {
            SocketConnection connection = socket.getAttachment();
            if (connection == null || !connection.isDead) {
                super.onWebsocketPing(socket, frame);
            }
        }

        @Override
        public void onClose(WebSocket socket, int code, String reason, boolean remote) {
            SocketConnection connection = socket.getAttachment();
            if (connection != null) {
                leave(connection, false);
            }
        }

        @Override
        public void onError(@Nullable WebSocket socket, Exception failure) {
            // A connection that breaks: its end is told as well.
        }

        @Override
        public void onStart() {
            listening.countDown();
        }
    }
}

package dev.idempotency.examples.slack.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Slack on a port of the loopback interface: its Web API under {@code /api/}, and {@code /control/} for whoever drives a run:
 * {@code POST /control/start} with {@link Settings} (what is left out is as in {@link Settings#of}), {@code GET /control/status},
 * {@code GET /control/report}, {@code POST /control/faults} with {@code {"faults": "error-after=0.5"}}, and
 * {@code POST /control/pause} with {@code {"at": 500}}, a number of deliveries after which nothing new happens until it is set
 * higher, {@code POST /control/hold} and
 * {@code /control/release}, between which no delivery comes to its last attempt; for Socket Mode
 * {@code GET /control/sockets}, {@code POST /control/sockets} with {@code {"sockets": "recycle=3000"}} as {@link SocketSettings}
 * reads it, and {@code POST /control/away} with {@code {"away": true}} while the app is killed or frozen. A simulator runs once.
 * Thread-safe.
 */
public final class SimulatorServer implements AutoCloseable {
    /** The app's token for the Web API; any other one is refused. */
    public static final String BOT_TOKEN = Workspace.BOT_TOKEN;

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final URI NOWHERE = URI.create("http://127.0.0.1:1/");

    static {
        // An answer goes out in two packets; without this the second waits for the acknowledgement of the first.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // Shorter than any server's patience, so that no attempt goes to a connection that is just being closed.
        System.setProperty("jdk.httpclient.keepalive.timeout", "5");
    }

    private final HttpServer server;
    private final ExecutorService pool = Executors.newCachedThreadPool(work -> daemon(work, "simulator"));
    private final ScheduledExecutorService clock =
            Executors.newScheduledThreadPool(2, work -> daemon(work, "simulator-clock"));
    private final SocketServer sockets = new SocketServer(clock);
    private volatile Simulation simulation;
    private boolean isStarted;

    private SimulatorServer(HttpServer server) {
        this.server = server;
        simulation =
                simulation(Settings.of(NOWHERE, "none").withDeliveries(0, 1).withFaults("none"));
        server.createContext("/api/", exchange -> simulation.webApi().handle(exchange));
        server.createContext("/api/apps.connections.open", sockets::open);
        server.createContext("/control/", this::control);
        server.setExecutor(pool);
        server.start();
    }

    /**
     * Starts a simulator in which nothing happens yet.
     *
     * @param port where it listens; 0 for a free one
     * @return a running simulator
     * @throws IOException if it cannot listen there
     */
    public static SimulatorServer start(int port) throws IOException {
        return new SimulatorServer(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
    }

    /**
     * Where it listens.
     *
     * @return its address, without a path
     */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private Simulation simulation(Settings settings) {
        Transport transport = settings.appUrl().equals(Settings.SOCKETS)
                ? sockets
                : new HttpTransport(
                        settings.appUrl(), settings.signingSecret(), Duration.ofMillis(settings.deadlineMillis()));
        return new Simulation(settings, transport, clock);
    }

    /**
     * Begins the run.
     *
     * @param settings how it goes
     * @return false if it has begun before
     */
    public synchronized boolean begin(Settings settings) {
        if (isStarted) {
            return false;
        }
        isStarted = true;
        simulation = simulation(settings);
        simulation.start();
        return true;
    }

    /**
     * How far the run is.
     *
     * @return a snapshot
     */
    public Status status() {
        return simulation.status();
    }

    /**
     * What became of the events so far.
     *
     * @return a snapshot
     */
    public Report report() {
        return simulation.report();
    }

    /**
     * Sets how connections of Socket Mode are treated from now on; until then, they are treated well.
     *
     * @param settings how
     */
    public void sockets(SocketSettings settings) {
        sockets.settings(settings);
    }

    /**
     * What became of the connections of Socket Mode so far.
     *
     * @return a snapshot
     */
    public SocketReport socketReport() {
        return sockets.report();
    }

    private void control(HttpExchange exchange) throws IOException {
        String call =
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        byte[] body = exchange.getRequestBody().readAllBytes();
        try {
            switch (call) {
                case "POST /control/start" -> {
                    boolean isNew = begin(settings(MAPPER.readTree(body)));
                    answer(
                            exchange,
                            isNew ? 202 : 409,
                            MAPPER.createObjectNode().put("started", isNew));
                }
                case "POST /control/faults" -> {
                    simulation
                            .faults()
                            .change(MAPPER.readTree(body).path("faults").asText());
                    answer(exchange, 200, MAPPER.createObjectNode().put("changed", true));
                }
                case "POST /control/pause" -> {
                    simulation.pauseAt(MAPPER.readTree(body).path("at").asInt(Integer.MAX_VALUE));
                    answer(exchange, 200, status());
                }
                case "POST /control/hold" -> {
                    simulation.deliverer().hold();
                    answer(exchange, 200, status());
                }
                case "POST /control/release" -> {
                    simulation.deliverer().release();
                    answer(exchange, 200, status());
                }
                case "POST /control/sockets" -> {
                    sockets(SocketSettings.parse(
                            MAPPER.readTree(body).path("sockets").asText()));
                    answer(exchange, 200, MAPPER.createObjectNode().put("changed", true));
                }
                case "POST /control/away" -> {
                    sockets.away(MAPPER.readTree(body).path("away").asBoolean());
                    answer(exchange, 200, MAPPER.createObjectNode().put("changed", true));
                }
                case "GET /control/sockets" -> answer(exchange, 200, socketReport());
                case "GET /control/status" -> answer(exchange, 200, status());
                case "GET /control/report" -> answer(exchange, 200, report());
                default -> answer(exchange, 404, MAPPER.createObjectNode().put("error", "there is no " + call));
            }
        } catch (IllegalArgumentException | com.fasterxml.jackson.core.JsonProcessingException e) {
            answer(exchange, 400, MAPPER.createObjectNode().put("error", String.valueOf(e.getMessage())));
        }
    }

    private static Settings settings(JsonNode given) throws com.fasterxml.jackson.core.JsonProcessingException {
        ObjectNode all = MAPPER.valueToTree(Settings.of(NOWHERE, ""));
        given.properties().forEach(field -> all.set(field.getKey(), field.getValue()));
        return MAPPER.treeToValue(all, Settings.class);
    }

    private static void answer(HttpExchange exchange, int status, Object value) throws IOException {
        byte[] bytes = MAPPER.writeValueAsString(value).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        try (exchange) {
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private static Thread daemon(Runnable work, String name) {
        var thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public void close() {
        server.stop(0);
        sockets.close();
        clock.shutdownNow();
        pool.shutdownNow();
    }
}

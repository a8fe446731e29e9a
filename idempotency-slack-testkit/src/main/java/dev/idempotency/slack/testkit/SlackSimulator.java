package dev.idempotency.slack.testkit;

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
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/**
 * Slack on a port of the loopback interface, for the tests of an app: it delivers events over HTTP or Socket Mode, has a Web API with
 * a ledger, and judges. Start it, start the app with {@link #apiUrl} and the tokens, then {@link #deliver}. A simulator delivers one
 * run; the next test starts its own, on a port of its own. Thread-safe.
 *
 * <p>An app under test is expected to reply once to each message of a person, in the message's thread, and to post nothing else. A
 * reply that repeats the message's text is told from others in the same thread; one that does not is counted by its thread.
 *
 * <p>It listens on daemon threads. Unless they are set, it sets the system properties {@code sun.net.httpserver.nodelay} and
 * {@code jdk.httpclient.keepalive.timeout} of its process, so that answers are not delayed, and no delivery goes to a connection that
 * is being closed.
 *
 * @since 0.1.0
 */
public final class SlackSimulator implements AutoCloseable {
    /** The app's token for the Web API; any other one is refused. */
    public static final String BOT_TOKEN = Workspace.BOT_TOKEN;

    /** The app's token for Socket Mode. */
    public static final String APP_TOKEN = Workspace.APP_TOKEN;

    private static final Duration GLANCE = Duration.ofMillis(10);

    /** An attempt takes three seconds at most, and the next one comes within minutes of Slack's. */
    private static final Duration STALLED = Duration.ofMinutes(1);

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final URI NOWHERE = URI.create("http://127.0.0.1:1/");

    static {
        // An answer goes out in two packets; without this the second waits for the acknowledgement of the first.
        setUnlessSet("sun.net.httpserver.nodelay", "true");
        // Shorter than any server's patience, so that no attempt goes to a connection that is just being closed.
        setUnlessSet("jdk.httpclient.keepalive.timeout", "5");
    }

    private final HttpServer server;
    private final ExecutorService pool = Executors.newCachedThreadPool(work -> daemon(work, "simulator"));
    private final ScheduledExecutorService clock =
            Executors.newScheduledThreadPool(2, work -> daemon(work, "simulator-clock"));
    private final SocketServer sockets = new SocketServer(clock);
    private volatile Simulation simulation;
    private boolean isStarted;
    private volatile boolean isOverSockets;

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private SlackSimulator(HttpServer server) {
        this.server = server;
        simulation =
                simulation(RunSettings.of(NOWHERE, "none").withDeliveries(0, 1).withFaults("none"));
        server.createContext("/api/", exchange -> simulation.webApi().handle(exchange));
        server.createContext("/api/apps.connections.open", sockets::open);
        server.createContext("/control/", this::control);
        server.setExecutor(pool);
        server.start();
    }

    /**
     * Starts a simulator in which nothing happens yet, on a free port.
     *
     * @return a running simulator
     * @throws IOException if it cannot listen
     */
    public static SlackSimulator start() throws IOException {
        return start(0);
    }

    /**
     * Starts a simulator in which nothing happens yet.
     *
     * @param port where it listens; 0 for a free one
     * @return a running simulator
     * @throws IOException if it cannot listen there
     */
    public static SlackSimulator start(int port) throws IOException {
        return new SlackSimulator(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
    }

    /**
     * Where its Web API is: what stands in an app under test for {@code https://slack.com/api/}.
     *
     * @return an address that ends in {@code /api/}
     */
    public URI apiUrl() {
        return uri().resolve("/api/");
    }

    /**
     * Where it listens, for a {@link SimulatorClient}.
     *
     * @return its address, without a path
     */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private Simulation simulation(RunSettings settings) {
        Transport transport = settings.appUrl().equals(RunSettings.SOCKETS)
                ? sockets
                : new HttpTransport(
                        settings.appUrl(), settings.signingSecret(), Duration.ofMillis(settings.deadlineMillis()));
        return new Simulation(settings, transport, clock);
    }

    /**
     * Delivers events to the app, waits until each is told and has its reply, and goes on listening for the time to
     * {@linkplain DeliverySettings#settle settle}. Over Socket Mode it first waits until the app has connected. When replies stay
     * away, it ends after the {@linkplain DeliverySettings#patience patience} without a move, and the report says what is missing.
     *
     * @param settings how
     * @return what became of the events
     * @throws IllegalStateException if this simulator has delivered before, if no app connects over Socket Mode, or if deliveries
     *     stop moving before all are made
     * @throws InterruptedException if this thread is interrupted
     */
    public DeliveryReport deliver(DeliverySettings settings) throws InterruptedException {
        long patience = settings.patience().toNanos();
        if (settings.isOverSockets() && !await(() -> socketReport().live() > 0, () -> 0, patience)) {
            throw new IllegalStateException("No app has connected over Socket Mode within "
                    + settings.patience().toMillis() + " ms: start it with the API URL " + apiUrl()
                    + " and the app-level token " + APP_TOKEN + ", or set a longer patience.");
        }
        if (!begin(settings.run())) {
            throw new IllegalStateException(
                    "This simulator has delivered its run: start another simulator for another run.");
        }
        IntSupplier moves = () -> {
            DeliveryStatus status = status();
            return simulation.attempts() + status.deliveries() + status.effects() - status.outstanding();
        };
        if (!await(() -> status().isTold(), moves, Math.max(patience, STALLED.toNanos()))) {
            throw new IllegalStateException("Deliveries do not move any more, with seed "
                    + settings.run().seed() + " (" + status()
                    + "): call release after hold, and let the app answer or close what it has accepted.");
        }
        boolean unused = await(() -> status().missing() == 0, moves, patience);
        long settled = System.nanoTime() + settings.settle().toNanos();
        unused = await(() -> System.nanoTime() - settled >= 0, () -> 0, Long.MAX_VALUE / 2);
        return report();
    }

    /** Whether something came true before nothing moved for so many nanoseconds. */
    private static boolean await(BooleanSupplier wanted, IntSupplier moves, long patience) throws InterruptedException {
        int last = moves.getAsInt();
        long movedAt = System.nanoTime();
        while (!wanted.getAsBoolean()) {
            int now = moves.getAsInt();
            if (now != last) {
                last = now;
                movedAt = System.nanoTime();
            } else if (System.nanoTime() - movedAt > patience) {
                return false;
            }
            LockSupport.parkNanos(GLANCE.toNanos());
            if (Thread.interrupted()) {
                throw new InterruptedException("interrupted while the simulator delivered");
            }
        }
        return true;
    }

    /** Begins the run. False if it has begun before. */
    synchronized boolean begin(RunSettings settings) {
        if (isStarted) {
            return false;
        }
        isStarted = true;
        sockets.deadline(Duration.ofMillis(settings.deadlineMillis()));
        isOverSockets = settings.appUrl().equals(RunSettings.SOCKETS);
        simulation = simulation(settings);
        simulation.start();
        return true;
    }

    /** How far the run is. */
    DeliveryStatus status() {
        return simulation.status();
    }

    /** What became of the events so far. */
    DeliveryReport report() {
        return simulation.report(isOverSockets ? sockets.report() : null);
    }

    /**
     * Sets how connections of Socket Mode are treated from now on. Until then they are treated well: they live for ever, and nothing
     * is late.
     *
     * @param list such as {@code recycle=3000,sudden=0}; what it does not name is rough, as follows. {@code recycle=4000}: how many
     *     milliseconds a connection lives on average, 0 for ever. {@code lead=5000}: how many milliseconds after its notice it is
     *     closed. {@code late}: how many milliseconds addresses, handshakes and {@code hello} are late at most; by itself 300, 700
     *     and 700. {@code sudden=0.25}: how many of the connections that end do so without a word, or go on without ever answering.
     *     {@code alone=false}: whether the last connection may end so, too. {@code refuse=0.15}: for how much of the time
     *     {@code apps.connections.open} refuses. {@code copies=0.03}: how many envelopes come twice. {@code seed=1}
     * @throws IllegalArgumentException if the list cannot be understood
     */
    public void connections(String list) {
        sockets.settings(SocketSettings.parse(list));
    }

    /** What became of the connections of Socket Mode so far. */
    SocketReport socketReport() {
        return sockets.report();
    }

    /*
     * POST /control/start with RunSettings (what is left out is as in RunSettings.of); GET /control/status, /control/report,
     * /control/sockets; POST /control/faults with {"faults": "error-after=0.5"}; POST /control/pause with {"at": 500}, a number of
     * deliveries after which nothing new happens until it is set higher; POST /control/hold and /control/release, between which no
     * delivery comes to its last attempt; POST /control/sockets with {"sockets": "recycle=3000"}; POST /control/away with
     * {"away": true} while the app is killed or frozen.
     */
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
                    sockets.hold(true);
                    answer(exchange, 200, status());
                }
                case "POST /control/release" -> {
                    simulation.deliverer().release();
                    sockets.hold(false);
                    answer(exchange, 200, status());
                }
                case "POST /control/sockets" -> {
                    connections(MAPPER.readTree(body).path("sockets").asText());
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

    private static RunSettings settings(JsonNode given) throws com.fasterxml.jackson.core.JsonProcessingException {
        ObjectNode all = MAPPER.valueToTree(RunSettings.of(NOWHERE, ""));
        given.properties().forEach(field -> all.set(field.getKey(), field.getValue()));
        return MAPPER.treeToValue(all, RunSettings.class);
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

    /** Stops listening and delivering. Connections are closed; what is under way is not waited for. */
    @Override
    public void close() {
        try {
            server.stop(0);
        } finally {
            try {
                sockets.close();
            } finally {
                clock.shutdownNow();
                pool.shutdownNow();
            }
        }
    }
}

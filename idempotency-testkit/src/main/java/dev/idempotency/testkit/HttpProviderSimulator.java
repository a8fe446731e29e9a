package dev.idempotency.testkit;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.testkit.ChargeJson.MalformedException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A payment provider over HTTP that keeps its own ledger and fails by plan: an {@link UnreliableProvider} behind the JDK's
 * HTTP server.
 *
 * <ul>
 *   <li>{@code POST /charges}, header {@code Idempotency-Key} (needed when the behavior has native keys), body {@code
 *       {"reference", "amount", "currency", "customer"}}: 201 with {@code {"id", "reference", "amount", "currency", "status":
 *       "succeeded"}}, 200 with the same for a replay, 402 declined, 409 in progress, 410 sealed key, 422 another request
 *       under the key, 429 refused, 400 malformed, 413 more than 64 KiB. Anything else says nothing.
 *   <li>{@code GET /charges?reference=}: 200 {@code {"data": [...]}}, the lookup, with its lag and its planned errors.
 *   <li>{@code GET /charges}: the whole ledger in the same form, never with lag, never failing by plan.
 *   <li>{@code POST /gates} with {@code {"reference", "gate"}}, the gate in lower case with hyphens: {@link #hold}; {@code GET
 *       /gates?reference=}: {@code {"held": true}}, or false after ten seconds; {@code DELETE /gates?reference=}: {@link #letGo}.
 *   <li>{@code POST /charges/seal} with {@code {"idempotency_key"}}: {@code {"status": "found", "charge"}} or {@code
 *       {"status": "sealed"}}.
 *   <li>{@code GET /faults}: how often each fault was chosen so far, by its {@linkplain Fault#label() name}.
 * </ul>
 *
 * <p>What the behavior does not have answers 404. A dropped connection is closed without a byte of an answer: the client sees
 * its end, not a TCP reset. Thread-safe.
 *
 * <p>Sets the system property {@code sun.net.httpserver.nodelay} to true, unless it is set.
 *
 * @since 0.1.0
 */
public final class HttpProviderSimulator implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(HttpProviderSimulator.class.getName());
    private static final int MAX_BODY = 64 * 1024;
    private static final Duration ARRIVAL_SLACK = Duration.ofMillis(5);
    private static final Duration GATE_WAIT = Duration.ofSeconds(10);

    /** Where a request to charge can be held, so that its sender can be killed or frozen just then. */
    public enum Gate {
        /** The request is here as a whole, and nothing has been done. */
        BEFORE_EFFECT,
        /** It has been done, and not a byte of the response is out. */
        BEFORE_RESPONSE,
        /** Half of the response is out. */
        IN_RESPONSE
    }

    static {
        // without it the JDK's server needs 40 ms for each answer on a connection that is used again
        if (System.getProperty("sun.net.httpserver.nodelay") == null) {
            System.setProperty("sun.net.httpserver.nodelay", "true");
        }
    }

    private final UnreliableProvider unreliable;
    private final SimulatedProvider provider;
    private final HttpServer server;
    private final Gates gates = new Gates();
    private final ExecutorService pool = Executors.newCachedThreadPool(HttpProviderSimulator::daemon);

    private HttpProviderSimulator(UnreliableProvider unreliable, InetSocketAddress address) throws IOException {
        this.unreliable = unreliable;
        provider = unreliable.provider();
        server = HttpServer.create(address, 0);
        server.setExecutor(pool);
        server.createContext("/", this::serve);
    }

    /**
     * Starts a simulator on an ephemeral port of the loopback interface.
     *
     * @param provider the provider to serve
     * @return the running simulator; close it
     * @throws NullPointerException if the provider is null
     * @throws IOException if no port can be bound
     */
    public static HttpProviderSimulator start(UnreliableProvider provider) throws IOException {
        return start(provider, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /**
     * Starts a simulator.
     *
     * @param provider the provider to serve
     * @param address the interface and port to bind, port 0 for an ephemeral one
     * @return the running simulator; close it
     * @throws NullPointerException if an argument is null
     * @throws IOException if the address cannot be bound
     */
    public static HttpProviderSimulator start(UnreliableProvider provider, InetSocketAddress address)
            throws IOException {
        var simulator = new HttpProviderSimulator(provider, address);
        simulator.server.start();
        return simulator;
    }

    /**
     * Runs a simulator in this process until it is killed. Prints {@code listening on <port>} to standard output when it is
     * ready, and nothing else; a wrong option ends it with status 2 and the reason on standard error.
     *
     * @param args {@code --port N} (0, the default, for an ephemeral one), {@code --host NAME} (loopback), {@code --ledger
     *     FILE} (none), {@code --seed N} (0), {@code --faults SPEC} (none; see {@link FaultPlan#parse}), {@code --slow-ms N}
     *     (2000), {@code --delay-ms N} (1000), {@code --capabilities LIST} of native, lookup, seal, stored-errors, or none
     *     (native,lookup,seal), {@code --window DURATION} (endless) and {@code --lag DURATION} (zero) as in ISO 8601, {@code
     *     --exit-with-parent} to end when standard input ends
     * @throws IOException if the ledger cannot be opened or the address cannot be bound
     */
    public static void main(String[] args) throws IOException {
        SimulatorOptions options;
        try {
            options = SimulatorOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        var ledger = options.ledger() == null ? EffectLedger.inMemory() : EffectLedger.open(options.ledger());
        var provider = new SimulatedProvider(options.behavior(), ledger, InstantSource.system());
        var simulator = start(
                new UnreliableProvider(provider, options.faults(), options.slow(), options.delay()),
                new InetSocketAddress(options.host(), options.port()));
        if (options.exitWithParent()) {
            daemon(HttpProviderSimulator::exitAtEndOfInput).start();
        }
        System.out.println("listening on " + simulator.port());
    }

    private static void exitAtEndOfInput() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // an input that cannot be read has ended as well
        }
        Runtime.getRuntime().halt(0);
    }

    /**
     * Returns the port.
     *
     * @return the port that the simulator listens on
     */
    public int port() {
        return server.getAddress().getPort();
    }

    /**
     * Returns the address of the charges.
     *
     * @return such as {@code http://127.0.0.1:8080/charges}
     */
    public URI charges() {
        var host = server.getAddress().getAddress().getHostAddress();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port() + "/charges");
    }

    /**
     * Holds the next request to charge a reference at a gate, and no other, until {@link #letGo}.
     *
     * @param reference the caller's name for the thing
     * @param gate where
     * @throws NullPointerException if an argument is null
     */
    public void hold(String reference, Gate gate) {
        gates.hold(Objects.requireNonNull(reference, "reference"), Objects.requireNonNull(gate, "gate"));
    }

    /**
     * Waits until a request stands at the gate of a reference.
     *
     * @param reference the caller's name for the thing
     * @param atMost how long to wait
     * @return whether one does
     * @throws InterruptedException if this thread is interrupted while it waits
     */
    public boolean awaitHeld(String reference, Duration atMost) throws InterruptedException {
        return gates.await(reference, atMost);
    }

    /**
     * Opens the gate of a reference: a request that stands there goes on, whether its sender is still there or not.
     *
     * @param reference the caller's name for the thing
     */
    public void letGo(String reference) {
        gates.open(reference);
    }

    /** Stops listening and drops all connections; answers that are still held back are never sent. */
    @Override
    public void close() {
        server.stop(0);
        pool.shutdownNow();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try {
            route(exchange);
        } catch (MalformedException e) {
            answer(exchange, 400, ChargeJson.error("malformed").put("message", e.getMessage()));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a request failed", e);
            answer(exchange, 500, ChargeJson.error("internal"));
        }
    }

    private void route(HttpExchange exchange) throws IOException, MalformedException {
        var route = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        switch (route) {
            case "POST /charges" -> charge(exchange);
            case "GET /charges" -> lookup(exchange);
            case "POST /charges/seal" -> seal(exchange);
            case "GET /faults" ->
                answer(exchange, 200, ChargeJson.faults(unreliable.plan().chosen()));
            case "POST /gates" -> holdAtGate(exchange);
            case "GET /gates" -> awaitGate(exchange);
            case "DELETE /gates" -> {
                letGo(reference(exchange.getRequestURI().getRawQuery()));
                answer(exchange, 200, JsonNodeFactory.instance.objectNode());
            }
            default -> answer(exchange, 404, ChargeJson.error("not_found"));
        }
    }

    private void charge(HttpExchange exchange) throws IOException, MalformedException {
        var body = body(exchange);
        if (body == null) {
            return;
        }
        var nativeKey = exchange.getRequestHeaders().getFirst("Idempotency-Key");
        if (nativeKey != null) {
            ChargeJson.checkedText("Idempotency-Key", nativeKey);
        } else if (provider.behavior().nativeKey()) {
            throw new MalformedException("the header Idempotency-Key is missing");
        }
        var charge = ChargeJson.charge(body);
        var submission = new Submission(UUID.randomUUID().toString(), nativeKey, charge.reference(), charge.payload());
        gates.pass(charge.reference(), Gate.BEFORE_EFFECT);
        var observation = unreliable.submit(submission);
        gates.pass(charge.reference(), Gate.BEFORE_RESPONSE);
        if (observation instanceof Observation.Answered answered) {
            answer(exchange, answered.reply(), () -> gates.pass(charge.reference(), Gate.IN_RESPONSE));
        } else if (observation instanceof Observation.Late late) {
            after(late.after(), () -> answer(exchange, late.reply(), () -> {}));
        } else {
            // asking for the ledger takes in what has arrived: a delayed effect must not wait for the next request
            after(unreliable.delay().plus(ARRIVAL_SLACK), provider::ledger);
            exchange.close();
        }
    }

    private void lookup(HttpExchange exchange) throws IOException, MalformedException {
        var query = exchange.getRequestURI().getRawQuery();
        if (query == null) {
            answer(exchange, 200, ChargeJson.list(provider.ledger().effects()));
            return;
        }
        var reference = reference(query);
        if (!provider.behavior().lookup()) {
            answer(exchange, 404, ChargeJson.error("not_found"));
        } else if (unreliable.plan().nextLookupFails(reference)) {
            answer(exchange, 500, ChargeJson.error("internal"));
        } else {
            answer(exchange, 200, ChargeJson.list(provider.lookup(reference)));
        }
    }

    private void seal(HttpExchange exchange) throws IOException, MalformedException {
        var body = body(exchange);
        if (body == null) {
            return;
        }
        if (provider.behavior().seal()) {
            answer(exchange, 200, ChargeJson.sealAnswer(provider.seal(ChargeJson.keyToSeal(body))));
        } else {
            answer(exchange, 404, ChargeJson.error("not_found"));
        }
    }

    private void holdAtGate(HttpExchange exchange) throws IOException, MalformedException {
        var body = body(exchange);
        if (body != null) {
            var wanted = ChargeJson.gate(body);
            hold(wanted.reference(), wanted.gate());
            answer(exchange, 201, JsonNodeFactory.instance.objectNode());
        }
    }

    private void awaitGate(HttpExchange exchange) throws IOException, MalformedException {
        var reference = reference(exchange.getRequestURI().getRawQuery());
        try {
            var held = awaitHeld(reference, GATE_WAIT);
            answer(exchange, 200, JsonNodeFactory.instance.objectNode().put("held", held));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            exchange.close();
        }
    }

    private static String reference(@Nullable String query) throws MalformedException {
        if (query == null || !query.startsWith("reference=") || query.contains("&")) {
            throw new MalformedException("the only parameter is reference");
        }
        return ChargeJson.checkedText("reference", decoded(query.substring("reference=".length())));
    }

    private static String decoded(String value) throws MalformedException {
        try {
            return URLDecoder.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new MalformedException("reference is not URL-encoded");
        }
    }

    /** Returns the body, or null after answering that it is too large. */
    private static byte @Nullable [] body(HttpExchange exchange) throws IOException {
        var body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length <= MAX_BODY) {
            return body;
        }
        answer(exchange, 413, ChargeJson.error("too_large"));
        return null;
    }

    private interface Step {
        void run() throws IOException;
    }

    private void after(Duration time, Step step) {
        CompletableFuture.delayedExecutor(time.toNanos(), TimeUnit.NANOSECONDS, pool)
                .execute(() -> {
                    try {
                        step.run();
                    } catch (IOException | RuntimeException e) {
                        LOG.log(System.Logger.Level.DEBUG, "a late step failed", e);
                    }
                });
    }

    private static void answer(HttpExchange exchange, Reply reply, Step halfway) throws IOException {
        if (reply instanceof Reply.Created created) {
            answer(exchange, 201, ChargeJson.created(created.effect()), halfway);
        } else if (reply instanceof Reply.Replayed replayed) {
            answer(exchange, 200, ChargeJson.created(replayed.effect()), halfway);
        } else if (reply instanceof Reply.Declined declined) {
            answer(exchange, 402, ChargeJson.declined(declined.reason()), halfway);
        } else if (reply instanceof Reply.InProgress) {
            answer(exchange, 409, ChargeJson.error("in_progress"), halfway);
        } else if (reply instanceof Reply.SealedRefused) {
            answer(exchange, 410, ChargeJson.error("sealed"), halfway);
        } else if (reply instanceof Reply.KeyReused) {
            answer(exchange, 422, ChargeJson.error("key_reused"), halfway);
        } else if (reply instanceof Reply.RateLimited) {
            answer(exchange, 429, ChargeJson.error("rate_limited"), halfway);
        } else if (reply instanceof Reply.Error5xx error) {
            answer(exchange, error.status(), ChargeJson.error("internal"), halfway);
        } else {
            throw new IllegalStateException("no answer for " + reply);
        }
    }

    private static void answer(HttpExchange exchange, int status, ObjectNode body) throws IOException {
        answer(exchange, status, body, () -> {});
    }

    private static void answer(HttpExchange exchange, int status, ObjectNode body, Step halfway) throws IOException {
        var bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        var half = bytes.length / 2;
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        try (exchange) {
            exchange.sendResponseHeaders(status, bytes.length);
            var out = exchange.getResponseBody();
            out.write(bytes, 0, half);
            out.flush();
            halfway.run();
            out.write(bytes, half, bytes.length - half);
        }
    }

    private static Thread daemon(Runnable work) {
        var thread = new Thread(work, "provider-simulator");
        thread.setDaemon(true);
        return thread;
    }
}

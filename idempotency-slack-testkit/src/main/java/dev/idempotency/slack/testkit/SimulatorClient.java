package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Drives a simulator that runs in another process, so that the app under test can be killed without it. Each call is answered within
 * 30 seconds or fails. Thread-safe.
 *
 * @since 0.1.0
 */
public final class SimulatorClient {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration GLANCE = Duration.ofMillis(10);

    private final HttpClient client = HttpClient.newHttpClient();
    private final URI simulator;

    /**
     * Drives a simulator.
     *
     * @param simulator its address, without a path
     */
    public SimulatorClient(URI simulator) {
        this.simulator = simulator;
    }

    /**
     * Begins the run.
     *
     * @param settings how it goes
     * @throws IOException if the simulator does not want it
     * @throws InterruptedException if this thread is interrupted
     */
    public void start(DeliverySettings settings) throws IOException, InterruptedException {
        String unused = call(request("/control/start").POST(HttpRequest.BodyPublishers.ofString(json(settings.run()))));
    }

    private static String json(RunSettings settings) {
        try {
            return MAPPER.writeValueAsString(settings);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Lets nothing new happen when so many deliveries are planned, until another number is set.
     *
     * @param deliveries how many
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public void pauseAt(int deliveries) throws IOException, InterruptedException {
        String unused = call(
                request("/control/pause").POST(HttpRequest.BodyPublishers.ofString("{\"at\":" + deliveries + "}")));
    }

    /**
     * Holds last attempts back, and waits until none is under way: from now on, until {@link #release}, the app may be away without
     * Slack giving anything up.
     *
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public void hold() throws IOException, InterruptedException {
        String unused = call(request("/control/hold").POST(HttpRequest.BodyPublishers.noBody()));
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (status().lastUnderWay() > 0) {
            if (Thread.interrupted()) {
                throw new InterruptedException("interrupted while last attempts were under way");
            }
            if (System.nanoTime() - end > 0) {
                throw new IOException("last attempts are still under way after " + PATIENCE.toSeconds() + " s");
            }
            LockSupport.parkNanos(GLANCE.toNanos());
        }
    }

    /**
     * Lets last attempts be made again.
     *
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public void release() throws IOException, InterruptedException {
        String unused = call(request("/control/release").POST(HttpRequest.BodyPublishers.noBody()));
    }

    /**
     * Asks how far the run is.
     *
     * @return a snapshot
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public DeliveryStatus status() throws IOException, InterruptedException {
        return MAPPER.readValue(call(request("/control/status")), DeliveryStatus.class);
    }

    /**
     * Asks what became of the events so far.
     *
     * @return a snapshot
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public DeliveryReport report() throws IOException, InterruptedException {
        return MAPPER.readValue(call(request("/control/report")), DeliveryReport.class);
    }

    /**
     * Sets how connections of Socket Mode are treated from now on.
     *
     * @param spec as {@link SlackSimulator#connections} reads it
     * @throws IOException if the simulator does not want it
     * @throws InterruptedException if this thread is interrupted
     */
    public void sockets(String spec) throws IOException, InterruptedException {
        String body = MAPPER.createObjectNode().put("sockets", spec).toString();
        String unused = call(request("/control/sockets").POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /**
     * Says that the app is killed or frozen, or that it is there again: meanwhile it need not have a connection.
     *
     * @param value whether it is away
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public void away(boolean value) throws IOException, InterruptedException {
        String body = MAPPER.createObjectNode().put("away", value).toString();
        String unused = call(request("/control/away").POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /**
     * Asks what became of the connections of Socket Mode so far.
     *
     * @return a snapshot
     * @throws IOException if the simulator does not answer
     * @throws InterruptedException if this thread is interrupted
     */
    public SocketReport socketReport() throws IOException, InterruptedException {
        return MAPPER.readValue(call(request("/control/sockets")), SocketReport.class);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(simulator.resolve(path)).timeout(PATIENCE);
    }

    private String call(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IOException("the simulator answered " + response.statusCode() + " " + response.body());
        }
        return response.body();
    }
}

package dev.idempotency.examples.slack.socket;

import dev.idempotency.slack.testkit.DeliveryReport;
import dev.idempotency.slack.testkit.DeliverySettings;
import dev.idempotency.slack.testkit.DeliveryStatus;
import dev.idempotency.slack.testkit.SimulatorClient;
import dev.idempotency.slack.testkit.SimulatorMain;
import dev.idempotency.slack.testkit.SlackSimulator;
import dev.idempotency.slack.testkit.SocketReport;
import dev.idempotency.testkit.process.ChildJvm;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The whole show: a simulated Slack, the store and the app in processes of their own. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description =
                "Runs the app against a simulated Slack that recycles its connections every few seconds, delays its"
                        + " handshakes, lets connections die and refuses new ones, while the app is frozen and killed. The last line"
                        + " says what became of the events; the exit code is 1 if anything is off.",
        sortOptions = false)
final class Show implements Callable<Integer> {
    private static final Duration START = Duration.ofMinutes(1);
    private static final Duration GLANCE = Duration.ofMillis(100);

    /** Past Slack's three seconds. */
    private static final Duration FROZEN = Duration.ofSeconds(4);

    /** What a process needs that was frozen, to have a connection again. */
    private static final Duration RECOVERY = Duration.ofSeconds(4);

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration SETTLE = Duration.ofSeconds(2);

    @Option(names = "--deliveries", defaultValue = "3000", description = "At least. Default: ${DEFAULT-VALUE}.")
    private int deliveries;

    @Option(names = "--per-second", defaultValue = "60", description = "Default: ${DEFAULT-VALUE}.")
    private double perSecond;

    @Option(names = "--apps", defaultValue = "1", description = "How many processes. Default: ${DEFAULT-VALUE}.")
    private int apps;

    @Option(names = "--connections", defaultValue = "2", description = "Of each process. Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--freezes",
            defaultValue = "1",
            description = "SIGSTOP past the three seconds. Default: ${DEFAULT-VALUE}.")
    private int freezes;

    @Option(names = "--kills", defaultValue = "2", description = "kill -9. Default: ${DEFAULT-VALUE}.")
    private int kills;

    @Option(names = "--store", defaultValue = "postgres", description = "postgres or redis. Default: ${DEFAULT-VALUE}.")
    private String store = "postgres";

    @Option(
            names = "--sockets",
            paramLabel = "LIST",
            defaultValue = "",
            description = "How roughly connections are treated, as the simulator's option says.")
    private String sockets = "";

    @Option(
            names = "--faults",
            paramLabel = "LIST",
            defaultValue = "default",
            description =
                    "What goes wrong when the app posts, as the simulator's option says. Default: ${DEFAULT-VALUE}.")
    private String faults = "default";

    @Option(names = "--seed", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--time-scale", defaultValue = "20", description = "Default: ${DEFAULT-VALUE}.")
    private double timeScale;

    @Option(
            names = "--client",
            defaultValue = "library",
            description =
                    "library, or Slack's own Java client with its backend tyrus or java-websocket, for comparison."
                            + " Default: ${DEFAULT-VALUE}.")
    private String client = "library";

    private final PrintStream out;
    private final List<ChildJvm> running = new ArrayList<>();
    private int killed;
    private int frozen;

    Show(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        try (SlackSocket.Server server = SlackSocket.Server.start(store);
                ChildJvm slack = ChildJvm.start(SimulatorMain.class)) {
            String listening = slack.await(line -> line.startsWith("listening on "), START);
            URI uri = URI.create("http://127.0.0.1:" + listening.replaceAll("\\D", ""));
            var simulator = new SimulatorClient(uri);
            try {
                for (int i = 0; i < apps; i++) {
                    running.add(app(uri, server.url()));
                }
                awaitLive(simulator, apps * connectionsOfAnApp());
                simulator.sockets(sockets);
                simulator.start(DeliverySettings.socketMode()
                        .deliveries(deliveries, perSecond)
                        .seed(seed)
                        .faults(faults)
                        .timeScale(timeScale));
                disturb(simulator, uri, server.url());
                awaitReplies(simulator);
                return judge(simulator);
            } finally {
                running.forEach(ChildJvm::close);
            }
        }
    }

    private int connectionsOfAnApp() {
        return client.equals("library") ? connections : 1;
    }

    private ChildJvm app(URI slack, String storeUrl) {
        if (!client.equals("library")) {
            return ChildJvm.start(
                    OfficialApp.class, slack + "/api/", "xapp-simulated", SlackSimulator.BOT_TOKEN, client);
        }
        return ChildJvm.start(
                List.of("-Xmx256m"),
                SlackSocket.class,
                "--slack-api-url",
                slack + "/api/",
                storeUrl.startsWith("jdbc:") ? "--jdbc-url" : "--redis-url",
                storeUrl,
                "--connections",
                Integer.toString(connections),
                "--simulated",
                "--app-token",
                "xapp-simulated",
                "--bot-token",
                SlackSimulator.BOT_TOKEN);
    }

    private static void awaitLive(SimulatorClient simulator, int count)
            throws IOException, InterruptedException, TimeoutException {
        long end = System.nanoTime() + START.toNanos();
        while (simulator.socketReport().live() < count) {
            if (System.nanoTime() > end) {
                throw new TimeoutException("the app has no connections");
            }
            pause(GLANCE);
        }
    }

    /** Freezes and kills, spread over the run. With one process Slack is told that the app is away. */
    private void disturb(SimulatorClient simulator, URI slack, String storeUrl) throws Exception {
        var random = new SplittableRandom(seed);
        int acts = freezes + kills;
        for (int act = 0; act < acts; act++) {
            long part = (long) ((act + 1.0) / (acts + 1) * deliveries);
            awaitStatus(simulator, status -> status.deliveries() >= part);
            // Slack gives up what it could not deliver four times: not while the app is away.
            simulator.hold();
            int which = random.nextInt(running.size());
            boolean isLonely = running.size() == 1;
            if (isLonely) {
                simulator.away(true);
            }
            if (killed == kills || (act % 2 == 0 && frozen < freezes)) {
                frozen++;
                running.get(which).freeze();
                pause(FROZEN);
                running.get(which).thaw();
            } else {
                killed++;
                running.get(which).kill();
                running.set(which, app(slack, storeUrl));
                awaitLive(simulator, connectionsOfAnApp());
            }
            if (isLonely) {
                pause(RECOVERY);
                simulator.away(false);
            }
            simulator.release();
        }
    }

    private interface Wanted {
        boolean is(DeliveryStatus status);
    }

    private static @Nullable DeliveryStatus awaitStatus(SimulatorClient simulator, Wanted wanted)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        DeliveryStatus status = simulator.status();
        while (!wanted.is(status)) {
            if (System.nanoTime() > end && status.isTold()) {
                return null;
            }
            pause(GLANCE);
            status = simulator.status();
        }
        return status;
    }

    private static void awaitReplies(SimulatorClient simulator) throws IOException, InterruptedException {
        DeliveryStatus unused = awaitStatus(simulator, DeliveryStatus::isTold);
        DeliveryStatus all = awaitStatus(simulator, status -> status.missing() == 0);
        if (all != null) {
            // Time for a reply too many.
            pause(SETTLE);
        }
    }

    private int judge(SimulatorClient simulator) throws IOException, InterruptedException {
        DeliveryReport report = simulator.report();
        SocketReport connected = simulator.socketReport();
        report.wrong().forEach(out::println);
        out.println("deliveries=" + report.deliveries() + " attempts=" + report.attempts() + " given-up="
                + report.givenUp() + " retries=" + report.retries() + " ack-ms=" + report.ackMillis());
        out.println("freezes=" + frozen + " kills=" + killed + " " + connected.line());
        out.println(report.line());
        out.flush();
        return report.isClean() ? 0 : 1;
    }

    private static void pause(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}

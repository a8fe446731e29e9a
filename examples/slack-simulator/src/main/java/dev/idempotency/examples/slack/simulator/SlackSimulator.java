package dev.idempotency.examples.slack.simulator;

import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The main class: a simulator in a process of its own, which waits to be driven or judges an app at once. */
@Command(
        name = "slack-simulator",
        mixinStandardHelpOptions = true,
        description = {
            "Slack's side of an app: delivers signed events as often and in whatever order Slack may, keeps what the app"
                    + " posts, and judges: one reply to each message of a person, in its thread, none to anything else.",
            "",
            "The app posts to the Web API at http://127.0.0.1:PORT/api/ with the token " + Workspace.BOT_TOKEN + "."
        })
public final class SlackSimulator implements Callable<Integer> {
    private static final Duration GLANCE = Duration.ofMillis(200);
    private static final Duration SETTLE = Duration.ofSeconds(3);

    @Option(names = "--port", defaultValue = "0", description = "Where to listen; 0 takes a free port.")
    private int port;

    @Option(
            names = "--app-url",
            paramLabel = "URL",
            description = "Where the app takes events. Without it, the simulator waits for POST /control/start.")
    private @Nullable URI appUrl;

    @Option(
            names = "--signing-secret",
            paramLabel = "SECRET",
            defaultValue = "${env:SLACK_SIGNING_SECRET:-}",
            description = "What events are signed with. Default: SLACK_SIGNING_SECRET.")
    private String signingSecret = "";

    @Option(names = "--deliveries", defaultValue = "2000", description = "At least. Default: ${DEFAULT-VALUE}.")
    private int deliveries;

    @Option(names = "--per-second", defaultValue = "60", description = "Default: ${DEFAULT-VALUE}.")
    private double perSecond;

    @Option(names = "--seed", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--time-scale",
            defaultValue = "30",
            description =
                    "How much faster Slack's minutes go. The three seconds for an ack stay. Default: ${DEFAULT-VALUE}.")
    private double timeScale;

    @Option(
            names = "--faults",
            paramLabel = "LIST",
            defaultValue = "default",
            description = "What goes wrong in the Web API: none, or a list. Default: " + Faults.DEFAULT)
    private String faults = "default";

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "How long after the last delivery replies may come. Default: ${DEFAULT-VALUE}.")
    private int patience;

    @Option(
            names = "--sockets",
            arity = "0..1",
            paramLabel = "LIST",
            fallbackValue = "",
            description = "Socket Mode: judge the app that connects here. How roughly it is treated, such as"
                    + " recycle=4000,lead=5000,late=700,sudden=0.25,refuse=0.15: those are the defaults.")
    private @Nullable String sockets;

    private final PrintStream out;

    private SlackSimulator(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs a simulator.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new SlackSimulator(System.out)).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        try (SimulatorServer server = SimulatorServer.start(port)) {
            out.println("listening on " + server.uri().getPort());
            out.flush();
            if (sockets != null) {
                return judgeSockets(server, SocketSettings.parse(sockets));
            }
            if (appUrl == null) {
                new CountDownLatch(1).await();
                return 0;
            }
            return judge(server, appUrl);
        }
    }

    private int judge(SimulatorServer server, URI app) {
        Report report = run(server, Settings.of(app, signingSecret));
        out.println(report.line());
        return report.isClean() ? 0 : 1;
    }

    private int judgeSockets(SimulatorServer server, SocketSettings treatment) {
        while (server.socketReport().live() == 0) {
            LockSupport.parkNanos(GLANCE.toNanos());
        }
        server.sockets(treatment);
        Report report = run(server, Settings.of(Settings.SOCKETS, ""));
        SocketReport connections = server.socketReport();
        out.println(connections.line());
        out.println(report.line(connections));
        return report.isClean(connections) ? 0 : 1;
    }

    private Report run(SimulatorServer server, Settings settings) {
        boolean unused = server.begin(settings.withDeliveries(deliveries, perSecond)
                .withSeed(seed)
                .withTimeScale(timeScale)
                .withFaults(faults));
        awaitReplies(server);
        Report report = server.report();
        report.wrong().forEach(out::println);
        out.println(report);
        return report;
    }

    /** Until every event has its reply, and some time for those that nobody wants; but not for ever. */
    private void awaitReplies(SimulatorServer server) {
        while (!server.status().isTold()) {
            LockSupport.parkNanos(GLANCE.toNanos());
        }
        long end = System.nanoTime() + Duration.ofSeconds(patience).toNanos();
        while (server.status().missing() > 0 && System.nanoTime() < end) {
            LockSupport.parkNanos(GLANCE.toNanos());
        }
        long settled = System.nanoTime() + SETTLE.toNanos();
        while (System.nanoTime() < settled) {
            LockSupport.parkNanos(GLANCE.toNanos());
        }
    }
}

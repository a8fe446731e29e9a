package dev.idempotency.slack.testkit;

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

/**
 * The main class: a simulator in a process of its own, which waits to be driven or judges an app at once. It needs picocli on the class
 * path, which is an optional dependency of this module.
 *
 * @since 0.1.0
 */
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        description = {
            "Slack's side of an app: delivers signed events as often and in whatever order Slack may, keeps what the app"
                    + " posts, and judges: one reply to each message of a person, in its thread, none to anything else.",
            "",
            "The app posts to the Web API at http://127.0.0.1:PORT/api/ with the token " + Workspace.BOT_TOKEN + "."
        })
public final class SimulatorMain implements Callable<Integer> {
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

    /** A command that prints to the standard output. */
    public SimulatorMain() {
        out = System.out;
    }

    /**
     * Runs a simulator.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new SimulatorMain()).execute(args));
    }

    /**
     * Runs a simulator until the app is judged, or for ever when it is to be driven.
     *
     * @return 0, or 1 when the app was not clean
     * @throws Exception if the simulator cannot listen
     */
    @Override
    public Integer call() throws Exception {
        try (SlackSimulator server = SlackSimulator.start(port)) {
            out.println("listening on " + server.uri().getPort());
            out.flush();
            if (sockets != null) {
                return judgeSockets(server, sockets);
            }
            if (appUrl == null) {
                new CountDownLatch(1).await();
                return 0;
            }
            return judge(server, appUrl);
        }
    }

    private int judge(SlackSimulator server, URI app) {
        DeliveryReport report = run(server, RunSettings.of(app, signingSecret));
        out.println(report.line());
        return report.isClean() ? 0 : 1;
    }

    private int judgeSockets(SlackSimulator server, String treatment) {
        while (server.socketReport().live() == 0) {
            LockSupport.parkNanos(GLANCE.toNanos());
        }
        server.connections(treatment);
        DeliveryReport report = run(server, RunSettings.of(RunSettings.SOCKETS, ""));
        out.println(server.socketReport().line());
        out.println(report.line());
        return report.isClean() ? 0 : 1;
    }

    private DeliveryReport run(SlackSimulator server, RunSettings settings) {
        boolean unused = server.begin(settings.withDeliveries(deliveries, perSecond)
                .withSeed(seed)
                .withTimeScale(timeScale)
                .withFaults(faults));
        awaitReplies(server);
        DeliveryReport report = server.report();
        report.wrong().forEach(out::println);
        out.println(report);
        return report;
    }

    /** Until every event has its reply, and some time for those that nobody wants; but not for ever. */
    private void awaitReplies(SlackSimulator server) {
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

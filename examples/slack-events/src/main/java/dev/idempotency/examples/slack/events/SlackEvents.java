package dev.idempotency.examples.slack.events;

import dev.idempotency.slack.testkit.SimulatorMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The main class: the app alone, the whole show, or a replay of recorded payloads. */
@Command(
        name = "slack-events",
        mixinStandardHelpOptions = true,
        description = {
            "A Slack app that replies to each message of a person once, in its thread.",
            "",
            "With --port: the app alone, for POST /slack/events. Its signing secret is SLACK_SIGNING_SECRET, its token"
                    + " SLACK_BOT_TOKEN. SIGTERM lets it finish what it has begun.",
            "Without: the whole show, against a simulated Slack: the app and its store are killed again and again. The"
                    + " last line says what became of the events; the exit code is 1 if anything is off.",
            ""
        },
        sortOptions = false)
public final class SlackEvents implements Callable<Integer> {
    private static final String NO_TOKEN = "xoxb-not-set";

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--port", paramLabel = "PORT", description = "Run the app alone, here; 0 takes a free port.")
    private @Nullable Integer port;

    @Option(
            names = "--slack-api-url",
            paramLabel = "URL",
            defaultValue = "https://slack.com/api/",
            description = "Slack's Web API. Default: ${DEFAULT-VALUE}.")
    private URI slackApi = URI.create("https://slack.com/api/");

    @Option(
            names = "--store",
            paramLabel = "STORE",
            description = "postgres or redis: one that is started for this run. Default: postgres.")
    private @Nullable String store;

    @Option(names = "--jdbc-url", paramLabel = "URL", description = "A PostgreSQL of yours.")
    private @Nullable String jdbcUrl;

    @Option(names = "--redis-url", paramLabel = "URL", description = "A Redis of yours.")
    private @Nullable String redisUrl;

    @Option(
            names = "--spill",
            paramLabel = "DIR",
            description = "Keep deliveries here while the store does not answer, and acknowledge them.")
    private @Nullable Path spill;

    @Option(
            names = "--deliveries",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Show: how many deliveries at least. Default: ${DEFAULT-VALUE}.")
    private int deliveries;

    @Option(
            names = "--per-second",
            paramLabel = "N",
            defaultValue = "60",
            description = "Show: how many of them a second. Default: ${DEFAULT-VALUE}.")
    private double perSecond;

    @Option(
            names = "--kills",
            paramLabel = "N",
            defaultValue = "3",
            description = "Show: how often the app is killed. Default: ${DEFAULT-VALUE}.")
    private int kills;

    @Option(
            names = "--store-restarts",
            paramLabel = "N",
            defaultValue = "1",
            description = "Show: how often the store is killed. Default: ${DEFAULT-VALUE}.")
    private int storeRestarts;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Show: the same seed gives the same events, faults and kills. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--time-scale",
            paramLabel = "N",
            defaultValue = "60",
            description =
                    "Show: how much faster Slack's minutes go; its three seconds stay. Default: ${DEFAULT-VALUE}.")
    private double timeScale;

    @Option(
            names = "--unprotected",
            description = "Show: an app that handles an event before it acknowledges it, and knows none again.")
    private boolean unprotected;

    @Option(names = "--halt", hidden = true, description = "Show: let the app die at a step too, the Nth time.")
    private List<String> halts = List.of();

    @Option(names = "--simulated", hidden = true, description = "For a simulated Slack: its limits, and short leases.")
    private boolean simulated;

    @Option(names = "--think-ms", hidden = true, defaultValue = "0", description = "Think about every 40th message.")
    private long thinkMillis;

    @Option(names = "--signing-secret", hidden = true, defaultValue = "${env:SLACK_SIGNING_SECRET:-}")
    private String signingSecret = "";

    @Option(names = "--bot-token", hidden = true, defaultValue = "${env:SLACK_BOT_TOKEN:-" + NO_TOKEN + "}")
    private String botToken = NO_TOKEN;

    private final PrintStream out;

    private SlackEvents(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs the example.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(System.out, args));
    }

    static int run(PrintStream out, String... args) {
        var line = new CommandLine(new SlackEvents(out));
        line.addSubcommand(new ReplayCommand(out));
        line.addSubcommand(new SimulatorMain());
        line.setExecutionExceptionHandler((failure, command, parsed) -> {
            command.getErr().println(failure instanceof RunFailedException ? failure.getMessage() : failure);
            return 1;
        });
        return line.execute(args);
    }

    /** Replays recorded payloads. */
    @Command(
            name = "replay",
            mixinStandardHelpOptions = true,
            description = "Sends the payloads of a folder, signed, to an endpoint, and prints what it makes of them.")
    static final class ReplayCommand implements Callable<Integer> {
        @Parameters(paramLabel = "DIR", description = "A folder with *.json files.")
        private Path folder = Path.of(".");

        private final PrintStream out;

        ReplayCommand(PrintStream out) {
            this.out = out;
        }

        @Override
        public Integer call() throws IOException, InterruptedException {
            return new Replay(out).run(folder);
        }
    }

    @Override
    public Integer call() throws Exception {
        StoreKind kind = kind();
        if (port == null) {
            var plan = new Show.Plan(
                    kind,
                    storeUrl(kind),
                    unprotected,
                    deliveries,
                    perSecond,
                    seed,
                    timeScale,
                    kills,
                    storeUrl(kind) == null ? storeRestarts : 0,
                    spill,
                    halts);
            return new Show(plan, out).run().isClean() ? 0 : 1;
        }
        if (signingSecret.isBlank()) {
            throw usage("set SLACK_SIGNING_SECRET: without it nobody knows what comes from Slack");
        }
        var settings = new AppSettings(
                port,
                slackApi,
                signingSecret,
                botToken,
                spill,
                simulated ? timeScale : 1,
                Duration.ofMillis(thinkMillis),
                new HaltAt());
        if (simulated) {
            obey(settings.halt());
        }
        if (unprotected) {
            UnprotectedApp app = UnprotectedApp.start(settings);
            serve(app.port(), app::close, app);
        } else {
            protectedApp(kind, settings);
        }
        return 0;
    }

    private void protectedApp(StoreKind kind, AppSettings settings) throws Exception {
        String url = storeUrl(kind);
        StoreServer server = url == null ? kind.embedded() : StoreServer.ofUser(url);
        OpenStore open = kind.open(server.url());
        App app = App.start(settings, open);
        serve(
                app.port(),
                () -> {
                    app.close();
                    open.close();
                },
                server.monitor());
    }

    /**
     * Until SIGTERM comes: then the app ends what it has begun, and the process with it.
     *
     * @param needed what must not be closed before
     */
    private void serve(int listening, Runnable drain, Object needed) throws InterruptedException {
        var isDrained = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            drain.run();
                            isDrained.countDown();
                        },
                        "drain"));
        out.println("listening on " + listening);
        out.flush();
        synchronized (needed) {
            isDrained.await();
        }
    }

    /** Whoever has started this process may order its death, in a line of its standard input. */
    private static void obey(HaltAt halt) {
        var reader = new Thread(
                () -> new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                        .lines()
                        .forEach(halt::order),
                "orders");
        reader.setDaemon(true);
        reader.start();
    }

    private StoreKind kind() {
        if (jdbcUrl != null && redisUrl != null) {
            throw usage("give --jdbc-url or --redis-url, not both");
        }
        StoreKind byUrl = redisUrl != null ? StoreKind.REDIS : jdbcUrl != null ? StoreKind.POSTGRES : null;
        if (store == null) {
            return byUrl == null ? StoreKind.POSTGRES : byUrl;
        }
        for (StoreKind kind : StoreKind.values()) {
            if (kind.toString().equals(store)) {
                if (byUrl != null && byUrl != kind) {
                    throw usage("--store " + store + " has another kind of address");
                }
                return kind;
            }
        }
        throw usage("--store must be postgres or redis, not '" + store + "'");
    }

    private @Nullable String storeUrl(StoreKind kind) {
        return kind == StoreKind.POSTGRES ? jdbcUrl : redisUrl;
    }

    private ParameterException usage(String message) {
        if (spec == null) {
            throw new IllegalStateException(message);
        }
        return new ParameterException(spec.commandLine(), message);
    }
}

package dev.idempotency.examples.slack.socket;

import dev.idempotency.slack.SocketState;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import java.io.PrintStream;
import java.net.URI;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The main class: the app alone, or the whole show. */
@Command(
        name = "slack-socket",
        mixinStandardHelpOptions = true,
        description = {
            "A Slack app over Socket Mode that replies to each message of a person once, in its thread.",
            "",
            "Its app-level token is SLACK_APP_TOKEN, its bot token SLACK_BOT_TOKEN. SIGTERM lets it finish what it has"
                    + " begun. It ends with status 3 when Slack refuses it for good.",
            ""
        },
        sortOptions = false)
public final class SlackSocket implements Callable<Integer> {
    private static final String NO_TOKEN = "xoxb-not-set";
    private static final int REFUSED = 3;

    @Option(
            names = "--slack-api-url",
            paramLabel = "URL",
            defaultValue = "https://slack.com/api/",
            description = "Slack's Web API. Default: ${DEFAULT-VALUE}.")
    private URI slackApi = URI.create("https://slack.com/api/");

    @Option(names = "--connections", defaultValue = "2", description = "From 1 to 10. Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--jdbc-url",
            paramLabel = "URL",
            description = "A PostgreSQL of yours. Without it, one is started that ends with the app.")
    private @Nullable String jdbcUrl;

    @Option(names = "--redis-url", paramLabel = "URL", description = "A Redis of yours.")
    private @Nullable String redisUrl;

    @Option(names = "--simulated", hidden = true, description = "For a simulated Slack: its limits, and short leases.")
    private boolean simulated;

    @Option(names = "--app-token", hidden = true, defaultValue = "${env:SLACK_APP_TOKEN:-}")
    private String appToken = "";

    @Option(names = "--bot-token", hidden = true, defaultValue = "${env:SLACK_BOT_TOKEN:-" + NO_TOKEN + "}")
    private String botToken = NO_TOKEN;

    private final CommandLine line;
    private final PrintStream out;

    private SlackSocket(PrintStream out) {
        this.out = out;
        line = new CommandLine(this);
        line.addSubcommand(new Show(out));
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
        return new SlackSocket(out).line.execute(args);
    }

    @Override
    public Integer call() throws Exception {
        if (appToken.isBlank()) {
            throw new ParameterException(line, "set SLACK_APP_TOKEN: without it Slack gives no connection");
        }
        if (jdbcUrl != null && redisUrl != null) {
            throw new ParameterException(line, "give --jdbc-url or --redis-url, not both");
        }
        String given = jdbcUrl == null ? redisUrl : jdbcUrl;
        PostgresServer own = given == null ? PostgresServer.start() : null;
        Store store = Store.open(own != null ? own.jdbcUrl() : String.valueOf(given));
        App app = App.start(new App.Settings(slackApi, appToken, botToken, connections, simulated), store);
        var drained = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            app.close();
                            store.close();
                            drained.countDown();
                        },
                        "drain"));
        SocketState state = app.state();
        boolean wasLive = false;
        while (state.stopped() == null) {
            if (state.isLive() != wasLive) {
                wasLive = state.isLive();
                out.println(wasLive ? "live" : "no connection");
                out.flush();
            }
            if (drained.await(100, TimeUnit.MILLISECONDS)) {
                return 0;
            }
            state = app.state();
        }
        out.println("refused: " + state.stopped());
        out.flush();
        return REFUSED;
    }

    /** A server for one run. */
    record Server(String url, Runnable stop) implements AutoCloseable {
        static Server start(String kind) {
            if (kind.equals("redis")) {
                RedisServer redis = RedisServer.start();
                return new Server(redis.uri(), redis::close);
            }
            PostgresServer postgres = PostgresServer.start();
            return new Server(postgres.jdbcUrl(), postgres::close);
        }

        @Override
        public void close() {
            stop.run();
        }
    }
}

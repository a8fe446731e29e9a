package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.net.httpserver.HttpServer;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.SlackIntake;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The check by a signed request is run as it stands in the runbook. */
final class RunbooksTest {
    private static final String SECRET = "a signing secret of nobody's";

    private final Inbox inbox =
            Inbox.builder(CaffeineIdempotencyStore.create().inbox(), "slack").build();
    private final SlackIntake intake = SlackIntake.builder(inbox).build();
    private final HttpServer server;

    RunbooksTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/slack/events",
                EventsEndpoint.builder(intake).signingSecrets(SECRET).build().httpHandler());
        server.start();
    }

    /** Whoever follows the runbook has them; a machine that builds this need not. */
    @BeforeEach
    void tools() {
        for (String tool : List.of("sh", "openssl", "curl")) {
            boolean isThere = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                    .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
            assumeThat(isThere).as(tool).isTrue();
        }
    }

    @AfterEach
    void close() {
        server.stop(0);
        intake.close();
    }

    private static String check() {
        return Markdown.of("docs/runbooks.md").blocks().stream()
                .filter(block -> block.language().equals("sh"))
                .map(block -> String.join("\n", block.text()))
                .filter(text -> text.contains("SLACK_SIGNING_SECRET"))
                .findFirst()
                .orElseThrow();
    }

    /** Answers what it said, and how it ended. */
    private String run(String secret) throws IOException, InterruptedException {
        var builder = new ProcessBuilder("sh", "-c", check()).redirectErrorStream(true);
        builder.environment().put("SLACK_SIGNING_SECRET", secret);
        builder.environment()
                .put(
                        "SLACK_EVENTS_URL",
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/slack/events");
        builder.environment().put("no_proxy", "127.0.0.1");
        Process process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return said + "exit " + process.exitValue();
    }

    @Test
    void check_withTheSecret_isTakenIntoTheInbox() throws Exception {
        assertThat(run(SECRET)).matches("status 200 after [0-9.]+ s\nexit 0");
        assertThat(inbox.depth().ready()).isEqualTo(1);
    }

    @Test
    void check_withAnotherSecret_isRefused() throws Exception {
        assertThat(run("another one")).contains("status 401 after ").doesNotEndWith("exit 0");
        assertThat(inbox.depth().ready()).isZero();
    }
}

package dev.idempotency.examples.slack.socket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.SlackSimulator;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SlackSocketTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    private List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void show_withAKill_losesNothing_andAlwaysHasAConnection() {
        int status = SlackSocket.run(
                out,
                "show",
                "--store",
                "redis",
                "--deliveries",
                "200",
                "--faults",
                "none",
                "--time-scale",
                "60",
                "--freezes",
                "0",
                "--kills",
                "1",
                "--sockets",
                "recycle=2000,lead=3000,late=200");

        assertThat(lines()).isNotEmpty();
        assertThat(lines().get(lines().size() - 1))
                .as("%s", lines())
                .matches("events=([0-9]{2,}) effects=\\1 duplicates=0 lost=0 gap-ms=0");
        assertThat(status).isZero();
        assertThat(lines().get(lines().size() - 2)).contains("kills=1").contains("warning");
    }

    @Test
    void app_withAnotherKindOfToken_endsAndSaysWhy() throws Exception {
        try (SlackSimulator slack = SlackSimulator.start(0);
                SlackSocket.Server store = SlackSocket.Server.start("redis")) {
            int status = SlackSocket.run(
                    out, "--slack-api-url", slack.uri() + "/api/", "--redis-url", store.url(), "--app-token", "xoxb-1");

            assertThat(status).isEqualTo(3);
            assertThat(lines()).containsExactly("refused: not_allowed_token_type");
        }
    }

    @Test
    void app_withoutToken_isNotStarted() {
        assertThat(SlackSocket.run(out, "--app-token", "")).isEqualTo(2);
    }
}

package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What Slack's errors prove is what the guide's table says. */
final class SlackErrorsTest {
    private static final Pattern ROW = Pattern.compile("\\| `([a-z_]+)` \\| ([^|]+) \\| [^|]+ \\|");

    private static Map<String, String> documented() throws IOException {
        Map<String, String> rows = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("../docs/slack-errors.md"))) {
            var row = ROW.matcher(line);
            if (row.matches()) {
                assertThat(rows.put(row.group(1), row.group(2))).as(line).isNull();
            }
        }
        return rows;
    }

    private static String proven(String error) {
        byte[] body = ("{\"ok\":false,\"error\":\"" + error + "\"}").getBytes(StandardCharsets.UTF_8);
        var answer = SlackHttp.Answer.of(200, "", body);
        if (answer.isRateLimited()) {
            return "not done: too many";
        }
        if (answer.isForAPerson()) {
            return "refused, until a person changes the app, its token or the workspace";
        }
        return answer.isRefusal() ? "refused" : "nothing";
    }

    @Test
    void errors_proveWhatTheTableSays() throws IOException {
        Map<String, String> documented = documented();

        assertThat(documented).hasSizeGreaterThan(80).containsKeys("fatal_error", "internal_error", "rate_limited");
        documented.forEach((error, proof) -> assertThat(proven(error)).as(error).isEqualTo(proof));
        assertThat(documented.keySet())
                .containsAll(SlackHttp.refusalsForAPerson())
                .containsAll(SlackHttp.refusalsAboutTheRequest());
    }

    @Test
    void error_thatNobodyKnows_provesNothing() {
        assertThat(proven("something_new")).isEqualTo("nothing");
    }
}

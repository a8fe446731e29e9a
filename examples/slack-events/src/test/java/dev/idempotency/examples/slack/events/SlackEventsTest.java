package dev.idempotency.examples.slack.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.SlackSimulator;
import dev.idempotency.testkit.process.ChildJvm;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SlackEventsTest {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private int run(String... args) {
        return SlackEvents.run(new PrintStream(said, true, StandardCharsets.UTF_8), args);
    }

    @Test
    void run_wrongCommandLine_isRefused() {
        assertThat(run("--port", "0", "--store", "redis", "--signing-secret", ""))
                .isEqualTo(2);
        assertThat(run("--store", "oracle")).isEqualTo(2);
        assertThat(run("--store", "redis", "--jdbc-url", "jdbc:postgresql:x")).isEqualTo(2);
        assertThat(run("--jdbc-url", "jdbc:postgresql:x", "--redis-url", "redis:x"))
                .isEqualTo(2);
        assertThat(run("replay")).isEqualTo(2);
    }

    @Test
    void replay_folder_saysWhatBecomesOfEachPayload(@TempDir Path folder) throws Exception {
        String event = "{'type':'event_callback','api_app_id':'A1','team_id':'T1','event_id':'Ev1','event_time':1,"
                + "'event':{'type':'message','channel':'C1','user':'U1','ts':'1.000001','event_ts':'1.000001'}}";
        write(folder, "1-event.json", event);
        write(folder, "2-envelope.json", "{'envelope_id':'e','type':'events_api','payload':" + event + "}");
        write(folder, "3-hello.json", "{'type':'hello','num_connections':1}");
        write(
                folder,
                "4-limit.json",
                "{'type':'app_rate_limited','team_id':'T1','api_app_id':'A1','minute_rate_limited':60}");
        write(folder, "5-url.json", "{'type':'url_verification','challenge':'abc','token':'t'}");
        write(
                folder,
                "6-slash.json",
                "{'command':'/deploy','trigger_id':'1.2','team_id':'T1','user_id':'U1','api_app_id':'A1','text':'a b'}");
        write(folder, "7-broken.json", "{'type':");

        assertThat(run("replay", folder.toString())).isZero();

        List<String> lines = said.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(8);
        assertThat(lines.get(0)).isEqualTo("1-event.json  EVENT message  200  A1:Ev1  message A1:C1:1.000001");
        assertThat(lines.get(1)).isEqualTo("2-envelope.json  EVENT message  200  A1:Ev1  message A1:C1:1.000001");
        assertThat(lines.get(2)).isEqualTo("3-hello.json  frame hello  -  -");
        assertThat(lines.get(3)).startsWith("4-limit.json  RATE_LIMITED app_rate_limited  200  A1:app_rate_limited:");
        assertThat(lines.get(4)).isEqualTo("5-url.json  URL_VERIFICATION url_verification  200  -");
        assertThat(lines.get(5)).startsWith("6-slash.json  SLASH_COMMAND /deploy  200  A1:");
        assertThat(lines.get(6)).isEqualTo("7-broken.json  not JSON  -  -");
        assertThat(lines.get(7)).isEqualTo("files=7 left-out=2 status-200=5 keys=3 repeated=1");
    }

    private static void write(Path folder, String name, String json) throws Exception {
        Files.writeString(folder.resolve(name), json.replace('\'', '"'));
    }

    @Test
    void app_alone_answersWhoSignsAndDrainsOnSigterm() throws Exception {
        try (SlackSimulator slack = SlackSimulator.start(0);
                ChildJvm app = ChildJvm.start(
                        SlackEvents.class,
                        "--port",
                        "0",
                        "--store",
                        "redis",
                        "--slack-api-url",
                        slack.uri() + "/api/",
                        "--signing-secret",
                        "s")) {
            String port = app.await(line -> line.startsWith("listening on "), Duration.ofMinutes(1))
                    .substring("listening on ".length());
            HttpResponse<String> unsigned = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/slack/events"))
                                    .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());

            assertThat(unsigned.statusCode()).isEqualTo(401);
            assertThat(ProcessHandle.of(app.pid()).orElseThrow().destroy()).isTrue();
            assertThat(app.awaitExit(Duration.ofMinutes(1))).isEqualTo(128 + 15);
        }
    }
}

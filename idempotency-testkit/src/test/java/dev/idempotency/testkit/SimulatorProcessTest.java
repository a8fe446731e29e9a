package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class SimulatorProcessTest {

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<Process> children = new ArrayList<>();

    /** A simulator in a JVM of its own. */
    private record Child(Process process, BufferedReader output, int port) {}

    private Process launch(String... options) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                HttpProviderSimulator.class.getName()));
        command.addAll(List.of(options));
        var process = new ProcessBuilder(command).start();
        children.add(process);
        return process;
    }

    private Child start(String... options) throws IOException {
        var process = launch(options);
        var output = process.inputReader(StandardCharsets.UTF_8);
        var line = output.readLine();
        assertThat(line).matches("listening on \\d+");
        return new Child(process, output, Integer.parseInt(line.replaceAll("\\D", "")));
    }

    @AfterEach
    void killChildren() {
        children.forEach(Process::destroyForcibly);
    }

    private HttpResponse<String> post(Child child, String path, String key, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + child.port() + path))
                .header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> charge(Child child, String key, String reference) throws Exception {
        var body = "{\"reference\":\"" + reference + "\",\"amount\":5,\"currency\":\"EUR\",\"customer\":\"c\"}";
        return post(child, "/charges", key, body);
    }

    private String ledger(Child child) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + child.port() + "/charges"));
        return client.send(request.build(), BodyHandlers.ofString()).body();
    }

    @Test
    void simulator_killedAndRestartedOnItsLedger_knowsWhatItDid(@TempDir Path directory) throws Exception {
        var file = directory.resolve("ledger").toString();
        var first = start("--ledger", file);
        var created = charge(first, "k1", "order-1");
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(charge(first, "k2", "order-2").statusCode()).isEqualTo(201);
        assertThat(post(first, "/charges/seal", "-", "{\"idempotency_key\":\"k3\"}")
                        .body())
                .isEqualTo("{\"status\":\"sealed\"}");
        var before = ledger(first);
        assertThat(launch("--ledger", file).waitFor()).isEqualTo(1);
        first.process().destroyForcibly().waitFor();

        var second = start("--ledger", file);
        assertThat(ledger(second)).isEqualTo(before).contains("order-1", "order-2");
        var replayed = charge(second, "k1", "order-1");
        assertThat(replayed.statusCode()).isEqualTo(200);
        assertThat(replayed.body()).isEqualTo(created.body());
        assertThat(charge(second, "k3", "order-3").statusCode()).isEqualTo(410);
        assertThat(charge(second, "k4", "order-4").body()).contains("effect-000003");
    }

    @Test
    void simulator_withExitWithParent_endsWhenItsInputEnds() throws Exception {
        var child = start("--exit-with-parent");
        assertThat(child.process().isAlive()).isTrue();
        child.process().getOutputStream().close();

        assertThat(child.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(child.output().readLine()).isNull();
    }

    @Test
    void simulator_withoutExitWithParent_outlivesItsInput() throws Exception {
        var child = start();
        child.process().getOutputStream().close();

        assertThat(charge(child, "k", "order-1").statusCode()).isEqualTo(201);
        assertThat(child.process().waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
    }

    @Test
    void simulator_wrongOption_endsWithStatus2AndTheReason() throws Exception {
        var process = launch("--capabilities", "what");

        assertThat(process.errorReader().readLine()).startsWith("no capability is called 'what'");
        assertThat(process.waitFor()).isEqualTo(2);
        assertThat(process.inputReader().readLine()).isNull();
    }
}

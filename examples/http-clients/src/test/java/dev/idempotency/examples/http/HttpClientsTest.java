package dev.idempotency.examples.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How often a client sends one request, by itself and untold. */
final class HttpClientsTest {
    private static final Path GUIDE = Path.of("../../docs/http-clients.md");

    private static final Map<Setting, Map<String, List<Integer>>> MEASURED = new EnumMap<>(Setting.class);

    @BeforeAll
    static void measure() throws Exception {
        // Not in the common pool, which the JDK's client may wait for.
        ExecutorService atOnce = Executors.newFixedThreadPool(4);
        try {
            var measuring = new EnumMap<Setting, Future<Map<String, List<Integer>>>>(Setting.class);
            for (Setting setting : Setting.values()) {
                measuring.put(setting, atOnce.submit(() -> arrivals(setting)));
            }
            for (var entry : measuring.entrySet()) {
                MEASURED.put(entry.getKey(), entry.getValue().get());
            }
        } finally {
            atOnce.shutdownNow();
        }
    }

    private static Map<String, List<Integer>> arrivals(Setting setting) {
        return setting == Setting.JDK_ALL_METHODS
                ? inAProcessOfItsOwn(setting, "-Djdk.httpclient.enableAllMethodRetry=true")
                : here(setting);
    }

    private static Map<String, List<Integer>> here(Setting setting) {
        return Measurement.METHODS.stream()
                .collect(Collectors.toMap(method -> method, method -> Measurement.arrivals(setting, method)));
    }

    private static Map<String, List<Integer>> inAProcessOfItsOwn(Setting setting, String option) {
        return output(new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        option,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Measurement.class.getName(),
                        setting.name()))
                .lines()
                .collect(Collectors.toMap(
                        line -> line.split(" ", 2)[0],
                        line -> Stream.of(line.split(" ", 2)[1]
                                        .replaceAll("[\\[\\] ]", "")
                                        .split(","))
                                .map(Integer::valueOf)
                                .toList()));
    }

    private static String output(ProcessBuilder builder) {
        try {
            Process process =
                    builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(printed).isZero();
            return printed;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Test
    void recommendedSettings_inEverySituation_sendOneRequestForOneCall() {
        MEASURED.forEach((setting, byMethod) -> {
            if (setting.isRecommended()) {
                assertThat(byMethod.values())
                        .as(setting.toString())
                        .allSatisfy(arrivals -> assertThat(arrivals).containsOnly(1));
            }
        });
    }

    /** The control: a server that cannot count beyond one would find every client good. */
    @Test
    void defaults_ofSomeClients_sendAPostTwice() {
        assertThat(MEASURED.get(Setting.URL_CONNECTION).get("POST")).contains(2);
        assertThat(MEASURED.get(Setting.OKHTTP).get("POST")).contains(2);
        assertThat(MEASURED.get(Setting.APACHE).get("POST")).contains(2);
    }

    @Test
    void table_ofTheGuide_saysWhatWasMeasured() throws IOException {
        var expected = new ArrayList<String>();
        expected.add("| Client | Setting | Method | "
                + Arrays.stream(Situation.values()).map(Situation::column).collect(Collectors.joining(" | ")) + " |");
        expected.add("|---|---|---|" + "---|".repeat(Situation.values().length));
        MEASURED.forEach((setting, byMethod) -> Measurement.METHODS.forEach(method -> expected.add("| "
                + setting.client() + " | " + setting.text() + " | " + method + " | "
                + byMethod.get(method).stream().map(String::valueOf).collect(Collectors.joining(" | ")) + " |")));

        assertThat(Files.readAllLines(GUIDE)).containsSubsequence(expected);
    }
}

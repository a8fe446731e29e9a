package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The jar as it is shipped, in processes of its own. */
final class RunnableJarTest {
    private static final String JAR = System.getProperty("runnable.jar");

    private static Process start(String jdbcUrl, String... args) throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", JAR));
        command.addAll(Arrays.asList(args));
        var builder = new ProcessBuilder(command);
        builder.environment().put("IDEMPOTENCY_JDBC_URL", jdbcUrl);
        return builder.start();
    }

    private static String all(Process process) throws IOException {
        process.getOutputStream().close();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void jar_listsResolvesAndServes() throws Exception {
        Servers.Place place = Servers.postgres();
        String table = place.options().get(3);
        IdempotencyKey key = new Shop(place.store()).inDoubt("ORD-1");

        Process list = start(place.options().get(1), "list", "--table", table, "--json");
        JsonNode listed = new ObjectMapper().readTree(all(list));
        Process unconfirmed = start(
                place.options().get(1),
                "resolve",
                "executed",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--result-unknown",
                "--by",
                "ada",
                "--why",
                "a",
                "--evidence",
                "b",
                "--table",
                table);
        String nothing = all(unconfirmed);
        Process serve = start(place.options().get(1), "serve", "--port", "0", "--table", table, "--json");
        URI console;
        try (BufferedReader said = serve.inputReader(StandardCharsets.UTF_8)) {
            var document = new StringBuilder();
            for (String line = said.readLine(); line != null && !line.equals("}"); line = said.readLine()) {
                document.append(line);
            }
            console = URI.create(
                    new ObjectMapper().readTree(document + "}").get("url").textValue());
            assertThat(new Visitor(console).key("charge-card", "ORD-1").status())
                    .isEqualTo(200);
            assertThat(new Visitor(console).open("console.css").status()).isEqualTo(200);
        } finally {
            serve.destroy();
        }

        assertThat(list.waitFor()).isZero();
        assertThat(listed.at("/records/0/key").textValue()).isEqualTo("ORD-1");
        assertThat(unconfirmed.waitFor()).isEqualTo(ExitCode.NOT_CONFIRMED.code());
        assertThat(nothing).isEmpty();
        assertThat(new Shop(place.store()).standing(key).state()).isEqualTo(State.IN_DOUBT);
        assertThat(serve.waitFor(20, TimeUnit.SECONDS))
                .as("it ends when it is told to")
                .isTrue();
        assertThat(new String(list.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .as("nothing but the document")
                .isEmpty();
    }

    @Test
    void jar_worksOnRedis() throws Exception {
        Servers.Place place = Servers.redis();
        new Shop(place.store()).inDoubt("ORD-1");

        Process list = start(
                "",
                "list",
                place.options().get(0),
                place.options().get(1),
                place.options().get(2),
                place.options().get(3));

        assertThat(all(list)).contains("IN_DOUBT").contains("ORD-1");
        assertThat(list.waitFor()).isZero();
    }

    @Test
    void jar_namesItsVersionAndHasTheLicencesOfWhatIsInIt() throws Exception {
        Process version = start("", "-V");

        assertThat(all(version)).matches("idempotency \\d+\\.\\d+\\.\\d+\\S*\\R");
        try (var jar = new JarFile(JAR)) {
            assertThat(jar.getEntry("META-INF/LICENSE")).isNotNull();
            assertThat(jar.stream().map(entry -> entry.getName())).doesNotHaveDuplicates();
        }
    }
}

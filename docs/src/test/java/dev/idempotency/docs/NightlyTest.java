package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The script of what is too slow for the gate, and the page that lists its rows. */
final class NightlyTest {
    private static List<String> script(String... arguments) throws IOException, InterruptedException {
        var command = Stream.concat(
                        Stream.of("sh", Markdown.ROOT.resolve(".ci/nightly").toString()), Stream.of(arguments))
                .toList();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        var lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return lines;
    }

    @Test
    void rowsOfTheScript_areThoseOfThePage() throws Exception {
        var rows = script("--list").stream()
                .map(line -> line.split(" [|] ", 3))
                .map(cells -> List.of(cells[0], cells[1]))
                .toList();
        var listed =
                Markdown.of("docs/verification.md")
                        .table("Row", "What it proves", "Needs more than a JDK and Maven")
                        .stream()
                        .map(cells -> List.of(cells.get(0), cells.get(1)))
                        .toList();

        assertThat(rows).hasSizeGreaterThan(10).isEqualTo(listed);
    }

    @Test
    void classesOfEachRow_areThere() throws Exception {
        for (String row : script("--list")) {
            var tests = Pattern.compile("-Dtest=(\\S+)").matcher(row);
            if (tests.find() && !tests.group(1).startsWith("*")) {
                for (String name : tests.group(1).split(",")) {
                    try (Stream<Path> files = Files.walk(Markdown.ROOT)) {
                        assertThat(files.filter(file -> file.endsWith(name + ".java")))
                                .as(row)
                                .hasSize(1);
                    }
                }
            }
        }
    }
}

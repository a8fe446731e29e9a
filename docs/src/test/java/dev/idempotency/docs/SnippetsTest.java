package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every Java block of the guides is a region of a class here or of an example, so that it is compiled, and run by a test. */
final class SnippetsTest {
    private static final List<Path> SOURCES = List.of(
            Markdown.ROOT.resolve("docs/src/test/java"),
            Markdown.ROOT.resolve("examples/property-testing/src"),
            Markdown.ROOT.resolve("examples/spring-boot/src"),
            Markdown.ROOT.resolve("examples/http-clients/src"));
    private static final Pattern SNIPPET = Pattern.compile("<!-- snippet: (\\w+)#([\\w-]+) -->");

    @Test
    void javaBlocks_ofAllGuides_areRegionsOfCompiledClasses() {
        var wrong = new ArrayList<String>();
        int compared = 0;
        for (Markdown file : Markdown.all()) {
            if (file.path().equals("CHANGELOG.md")) {
                continue;
            }
            for (Markdown.Block block : file.blocks()) {
                if (!block.language().equals("java")) {
                    continue;
                }
                compared++;
                var snippet = SNIPPET.matcher(block.before());
                if (!snippet.matches()) {
                    wrong.add(block.where() + " has no line like <!-- snippet: ClassName#region --> above it");
                } else if (!unindented(block.text()).equals(region(snippet.group(1), snippet.group(2)))) {
                    wrong.add(block.where() + " differs from its region; it should be:\n"
                            + String.join("\n", region(snippet.group(1), snippet.group(2))));
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(compared).as("Java blocks that were compared").isGreaterThan(5);
    }

    private static List<String> region(String className, String region) {
        List<String> lines = Markdown.read(source(className));
        int start = indexOf(lines, "// tag::" + region + "[]");
        int end = indexOf(lines, "// end::" + region + "[]");
        if (start < 0 || end < start) {
            return List.of("(" + className + " has no region " + region + ")");
        }
        return unindented(lines.subList(start + 1, end));
    }

    private static int indexOf(List<String> lines, String marker) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).strip().equals(marker)) {
                return i;
            }
        }
        return -1;
    }

    private static Path source(String className) {
        for (Path sources : SOURCES) {
            try (var files = Files.walk(sources)) {
                var source =
                        files.filter(file -> file.endsWith(className + ".java")).findFirst();
                if (source.isPresent()) {
                    return source.get();
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        throw new AssertionError(SOURCES + " have no " + className + ".java");
    }

    private static List<String> unindented(List<String> lines) {
        int indent = lines.stream()
                .filter(line -> !line.isBlank())
                .mapToInt(line -> line.length() - line.stripLeading().length())
                .min()
                .orElse(0);
        return lines.stream()
                .map(line -> line.isBlank() ? "" : line.substring(indent).stripTrailing())
                .toList();
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.testkit.SimulatedProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each public class of the kit has its proof in the guide, and the test that it names is there. */
final class KitProofTest {
    private static final List<List<String>> ROWS =
            Markdown.of("docs/testing.md").table("Class of the kit", "Test", "What it must catch");

    @Test
    void classes_ofTheTable_areAllOfTheKit() throws Exception {
        assertThat(ROWS.stream().map(row -> row.get(0)))
                .containsExactlyInAnyOrderElementsOf(Compiled.publicTypes(SimulatedProvider.class)
                        .map(Class::getSimpleName)
                        .toList());
    }

    @Test
    void tests_ofTheTable_exist() throws IOException {
        List<Path> sources = sources();
        for (List<String> row : ROWS) {
            String[] named = row.get(1).split("\\.", 2);
            Pattern test = Pattern.compile(
                    "@(?:Test|ParameterizedTest|TestFactory)\\b[^;{}]*(?:\\{[^;{}]*}[^;{}]*)*? (?:void|Stream<DynamicTest>) "
                            + named[1] + "\\(");
            assertThat(sources)
                    .as(row.get(1))
                    .filteredOn(file -> file.endsWith(named[0] + ".java"))
                    .singleElement()
                    .satisfies(file -> assertThat(
                                    test.matcher(Files.readString(file)).find())
                            .as("test " + row.get(1))
                            .isTrue());
        }
    }

    /** The tests of the modules, and of the kit what is to be inherited. */
    private static List<Path> sources() throws IOException {
        try (Stream<Path> modules = Files.list(Markdown.ROOT)) {
            return modules.filter(module -> module.getFileName().toString().startsWith("idempotency-"))
                    .flatMap(module -> Stream.of(module.resolve("src/test/java"), module.resolve("src/main/java")))
                    .filter(Files::isDirectory)
                    .flatMap(KitProofTest::files)
                    .toList();
        }
    }

    private static Stream<Path> files(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The figures of the README are those of the page that the comparison wrote. */
final class FaultsTest {
    private static final String[] HEADER = {
        "Protection",
        "Orders",
        "Faults",
        "Kills",
        "Charges",
        "Duplicates",
        "Duplicates per 1,000 faults",
        "In doubt at the end"
    };
    private static final Markdown README = Markdown.of("README.md");
    private static final Markdown PAGE = Markdown.of("docs/faults.md");

    /** The second table: kills, and no other fault. */
    private static final List<List<String>> KILLED = new Markdown(
                    PAGE.path(),
                    PAGE.lines().stream()
                            .dropWhile(line -> !line.startsWith("Kills alone"))
                            .toList())
            .table(HEADER);

    private static String commands(Markdown file) {
        return file.blocks().stream()
                .filter(block -> block.language().equals("sh"))
                .flatMap(block -> block.text().stream())
                .collect(Collectors.joining("\n"));
    }

    @Test
    void tables_ofTheReadme_areThoseOfTheRun() {
        String killed = "By kills alone, %s of them: %s, %s and %s duplicates."
                .formatted(
                        KILLED.get(0).get(3),
                        KILLED.get(0).get(5),
                        KILLED.get(1).get(5),
                        KILLED.get(2).get(5));

        assertThat(README.table(HEADER)).isEqualTo(PAGE.table(HEADER));
        assertThat(String.join(" ", README.lines())).contains(killed);
        assertThat(commands(README)).contains(commands(PAGE));
    }

    @Test
    void tables_ofTheRun_addUp() {
        for (List<List<String>> rows : List.of(PAGE.table(HEADER), KILLED)) {
            assertThat(rows)
                    .extracting(row -> row.get(0))
                    .containsExactly("unprotected", "blind takeover", "this library");
            assertThat(rows).allSatisfy(FaultsTest::requireThatItAddsUp);
        }
    }

    private static void requireThatItAddsUp(List<String> row) {
        long[] figures = row.stream().skip(1).mapToLong(Long::parseLong).toArray();
        assertThat(figures[5]).isEqualTo(Math.round(1000.0 * figures[4] / (figures[1] + figures[2])));
        assertThat(figures[3] + figures[6]).isGreaterThanOrEqualTo(figures[0] + figures[4]);
        assertThat(figures[4] == 0).isEqualTo(row.get(0).equals("this library"));
    }
}

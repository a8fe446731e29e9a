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
    private static final Markdown PAGE = Markdown.of("docs/faults.md");
    private static final Markdown README = Markdown.of("README.md");

    private static String commands(Markdown file) {
        return file.blocks().stream()
                .filter(block -> block.language().equals("sh"))
                .flatMap(block -> block.text().stream())
                .collect(Collectors.joining("\n"));
    }

    @Test
    void table_ofTheReadme_isThatOfTheRun() {
        assertThat(README.table(HEADER)).isEqualTo(PAGE.table(HEADER));
        assertThat(commands(README)).contains(commands(PAGE));
    }

    @Test
    void table_ofTheRun_addsUp() {
        List<List<String>> rows = PAGE.table(HEADER);

        assertThat(rows).extracting(row -> row.get(0)).containsExactly("unprotected", "blind takeover", "this library");
        for (List<String> row : rows) {
            long[] figures = row.stream().skip(1).mapToLong(Long::parseLong).toArray();
            assertThat(figures[5])
                    .as("the rate of " + row)
                    .isEqualTo(Math.round(1000.0 * figures[4] / (figures[1] + figures[2])));
            assertThat(figures[3] + figures[6])
                    .as("the charges of " + row)
                    .isGreaterThanOrEqualTo(figures[0] + figures[4]);
            assertThat(figures[4] == 0)
                    .as("no duplicates: " + row)
                    .isEqualTo(row.get(0).equals("this library"));
        }
    }
}

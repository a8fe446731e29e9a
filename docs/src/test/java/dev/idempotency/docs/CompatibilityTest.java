package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What is experimental is the same in the sources, on the page, and for the comparison with the last release. */
final class CompatibilityTest {
    private static final String MARK = "@apiNote Experimental: may change or go in any version.";
    private static final Pattern MARKED =
            Pattern.compile("( *)\\* " + Pattern.quote(MARK) + "\\n(?: *\\*[^/].*\\n)* *\\*/\\n"
                    + "(?: *@.*\\n)* *public (?:[\\w<>]+ )*?(?:(?:class|interface|record|enum) (\\w+)|(\\w+)\\()");

    private static List<String> marked() {
        var marked = new ArrayList<String>();
        for (PublishedModules.Source source : PublishedModules.publicTypes()) {
            var found = MARKED.matcher(source.text());
            int count = 0;
            while (found.find()) {
                count++;
                // Members of builders are nested by one more level than the members of a type.
                String nested = found.group(1).length() > 5 ? ".Builder" : "";
                marked.add(source.name() + (found.group(2) == null ? nested + "#" + found.group(3) : ""));
            }
            assertThat(count)
                    .as("marks in " + source.name())
                    .isEqualTo(source.text().split(Pattern.quote(MARK), -1).length - 1);
        }
        return marked;
    }

    private static List<String> onThePage() {
        return Markdown.of("docs/compatibility.md").table("Where", "What").stream()
                .map(row -> row.get(0))
                .toList();
    }

    @Test
    void experimental_inTheSources_isWhatThePageSays() {
        assertThat(marked()).containsExactlyInAnyOrderElementsOf(onThePage());
    }

    @Test
    void experimental_onThePage_isWhatTheComparisonLeavesOut() {
        var excluded = Pattern.compile("<exclude>(dev\\.idempotency[^<]+)</exclude>")
                .matcher(String.join("\n", Markdown.read(Markdown.ROOT.resolve("pom.xml"))))
                .results()
                .map(match -> match.group(1).replace('$', '.').replaceAll("\\(.*\\)$", ""))
                .toList();

        assertThat(excluded).containsExactlyInAnyOrderElementsOf(onThePage());
    }
}

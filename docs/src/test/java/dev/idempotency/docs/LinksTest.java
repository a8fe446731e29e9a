package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class LinksTest {
    private static final Pattern LINK = Pattern.compile("\\[[^]\\[]*]\\(([^)\\s]+)\\)|^\\[[^]]+]: +(\\S+)");

    @Test
    void relativeLinks_ofAllGuides_leadToFilesAndHeadingsThatExist() {
        var broken = new ArrayList<String>();
        int followed = 0;
        for (Markdown file : Markdown.all()) {
            for (Markdown.Line line : file.prose()) {
                var links = LINK.matcher(line.text().replaceAll("`[^`]*`", "code"));
                while (links.find()) {
                    String target = links.group(1) == null ? links.group(2) : links.group(1);
                    if (target.matches("(https?|mailto):.*")) {
                        continue;
                    }
                    followed++;
                    if (!leadsSomewhere(file, target)) {
                        broken.add(line.where() + " links to " + target);
                    }
                }
            }
        }

        assertThat(broken).isEmpty();
        assertThat(followed).as("links that were followed").isGreaterThan(20);
    }

    @Test
    void decisions_haveTheTitlesOfTheirPages() {
        for (List<String> row : Markdown.of("docs/adr/README.md").table("Decision", "")) {
            String path = row.get(0).replaceAll(".*\\((.*)\\)", "$1");
            String number = row.get(0).replaceAll("\\[(\\d+)].*", "$1");
            assertThat(Markdown.of("docs/adr/" + path).lines().get(0)).isEqualTo("# " + number + ". " + row.get(1));
        }
    }

    private static boolean leadsSomewhere(Markdown from, String target) {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        String anchor = hash < 0 ? null : target.substring(hash + 1);
        Path file = path.isEmpty()
                ? Markdown.ROOT.resolve(from.path())
                : from.folder().resolve(path).normalize();
        if (!file.startsWith(Markdown.ROOT) || !Files.exists(file)) {
            return false;
        }
        return anchor == null
                || Markdown.of(Markdown.ROOT.relativize(file).toString())
                        .anchors()
                        .contains(anchor);
    }

    @Test
    void index_ofTheDocumentation_namesEveryPage() {
        var named = new ArrayList<String>();
        for (String folder : List.of("docs/", "docs/adr/")) {
            for (Markdown.Line line : Markdown.of(folder + "README.md").prose()) {
                var links = LINK.matcher(line.text());
                while (links.find()) {
                    named.add(folder + links.group(1));
                }
            }
        }

        var pages = Markdown.all().stream()
                .map(Markdown::path)
                .filter(path -> path.startsWith("docs/") && !path.equals("docs/README.md"))
                .toList();
        assertThat(named).containsAll(pages);
    }
}

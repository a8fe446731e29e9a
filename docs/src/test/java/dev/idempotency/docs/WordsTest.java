package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** One word per idea: what the guides do not say. */
final class WordsTest {
    private static final Pattern UNUSED = Pattern.compile(
            "\\b(exactly[ -]once|(un)?lock(s|ed|ing)?|cache entr(y|ies)|managers?|helpers?|utils?|Impl)\\b",
            Pattern.CASE_INSENSITIVE);

    /** Sentences that name such a word on purpose: to rule it out, or in its everyday meaning. */
    private static final Set<String> ON_PURPOSE = Set.of(
            "- Exactly once, towards a provider of any kind. It is impossible;",
            "**5. Is it exactly-once?** No, nobody can give you that",
            "page by page each record comes exactly once, also among records of one and the same time.",
            "Not used: lock, cache entry, manager,",
            "helper, util, `Impl`, `get` prefixes.");

    @Test
    void guides_ofThisProject_useOneWordPerIdea() {
        var used = new ArrayList<String>();
        var excused = new HashSet<String>();
        for (Markdown file : Markdown.all()) {
            for (Markdown.Line line : file.prose()) {
                if (!UNUSED.matcher(line.text()).find()) {
                    continue;
                }
                List<String> reasons =
                        ON_PURPOSE.stream().filter(line.text()::contains).toList();
                excused.addAll(reasons);
                if (reasons.isEmpty()) {
                    used.add(line.where() + ": " + line.text().strip());
                }
            }
        }

        assertThat(used).isEmpty();
        assertThat(excused).as("excuses that are still needed").isEqualTo(ON_PURPOSE);
    }
}

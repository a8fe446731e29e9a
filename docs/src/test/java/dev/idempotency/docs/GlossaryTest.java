package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.Guarantee;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreClass;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** One glossary: each word once, and every name that the code gives to a state, a policy or a class. */
final class GlossaryTest {
    private static final Markdown GLOSSARY = Markdown.of("docs/glossary.md");

    /** The words that stand for one idea each. */
    private static final List<String> WORDS = List.of(
            ("operation, key, scope, fingerprint, attempt, attempt token, reserve, lease, renew, lapse, in flight, in doubt,"
                            + " complete, close, release, result, retention, replay, mismatch, native key, window,"
                            + " quiescence, lookup, seal, recovery, evidence, override, generation, inbox, dead letter")
                    .split(", "));

    private static List<String> column(int column, String... header) {
        return GLOSSARY.table(header).stream().map(row -> row.get(column)).toList();
    }

    private static List<String> names(Enum<?>... constants) {
        return Arrays.stream(constants).map(Enum::name).toList();
    }

    @Test
    void words_areThoseOfTheVocabulary_eachOnceAndInOrder() {
        List<String> terms = column(0, "Term", "What it is", "More");

        assertThat(terms).containsAll(WORDS).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void names_ofStatesAndClasses_areThoseOfTheCode() {
        assertThat(column(0, "State", "What it says")).isEqualTo(names(State.values()));
        assertThat(column(0, "Class", "What it does with acknowledged writes")).isEqualTo(names(StoreClass.values()));
        assertThat(column(0, "Policy", "What may end a doubt")).isEqualTo(names(RecoveryTerms.Policy.values()));
        assertThat(column(0, "Class", "What a failure of the call says")).isEqualTo(names(FailureClass.values()));
        assertThat(GLOSSARY.table("Level", "Title"))
                .isEqualTo(Arrays.stream(Guarantee.Level.values())
                        .map(level -> List.of(level.name(), level.title()))
                        .toList());
        assertThat(String.join("\n", GLOSSARY.lines())).contains(names(RecoveryTerms.WhenMissing.values()));
    }

    @Test
    void glossary_isTheOnlyOne_andLinkedFromWhereWordsAreNew() {
        var glossaries = new TreeSet<String>();
        var linking = new TreeSet<String>();
        var heading = Pattern.compile("#+ (Glossary|Vocabulary|Terms)");
        for (Markdown file : Markdown.all()) {
            for (Markdown.Line line : file.prose()) {
                if (heading.matcher(line.text()).matches()) {
                    glossaries.add(file.path());
                }
                if (line.text().contains("glossary.md)")) {
                    linking.add(file.path());
                }
            }
        }

        assertThat(glossaries).containsExactly("docs/glossary.md");
        assertThat(linking)
                .contains(
                        "README.md",
                        "docs/README.md",
                        "docs/concepts.md",
                        "docs/quickstart.md",
                        "docs/guarantees.md",
                        "docs/recovery.md",
                        "docs/state-machine.md",
                        "docs/operations.md",
                        "CONTRIBUTING.md");
    }
}

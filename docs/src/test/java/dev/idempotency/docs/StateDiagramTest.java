package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.State;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The picture of the state machine shows the changes of the table below it, which core's own test holds against the code. */
final class StateDiagramTest {
    private static final Markdown PAGE = Markdown.of("docs/state-machine.md");
    private static final Pattern ARROW = Pattern.compile(" *(\\w+) --> (\\w+): .*");
    private static final List<String> STATES =
            Arrays.stream(State.values()).map(Enum::name).toList();

    private static Set<String> drawn() {
        return PAGE.blocks().stream()
                .filter(block -> block.language().equals("mermaid"))
                .flatMap(block -> block.text().stream())
                .map(ARROW::matcher)
                .filter(arrow -> arrow.matches() && !arrow.group(1).equals(arrow.group(2)))
                .map(arrow -> arrow.group(1) + " to " + arrow.group(2))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> told() {
        var changes = new TreeSet<String>();
        for (List<String> row : PAGE.table("Event", "OPEN", "IN_FLIGHT", "IN_DOUBT", "COMPLETED", "CLOSED")) {
            for (int column = 1; column <= STATES.size(); column++) {
                String from = STATES.get(column - 1);
                for (String outcome : row.get(column).split(" / ")) {
                    // What is forgotten is as if it had never been: open.
                    String to = outcome.strip().replace("forgotten", "OPEN");
                    if (STATES.contains(to) && !to.equals(from)) {
                        changes.add(from + " to " + to);
                    }
                }
            }
        }
        return changes;
    }

    @Test
    void arrows_ofTheDiagram_areTheChangesOfTheTable() {
        assertThat(STATES).containsExactly("OPEN", "IN_FLIGHT", "IN_DOUBT", "COMPLETED", "CLOSED");
        assertThat(drawn()).hasSizeGreaterThan(8).isEqualTo(told());
    }
}

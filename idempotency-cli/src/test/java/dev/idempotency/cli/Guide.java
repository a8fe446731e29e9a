package dev.idempotency.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The page for operators. */
final class Guide {
    private static final Path PAGE = Path.of("..", "docs", "operations.md");
    private static final String PROGRAM = "java -jar idempotency-cli/target/idempotency.jar ";

    private Guide() {}

    private static List<String> lines() {
        try {
            return Files.readAllLines(PAGE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rows of the table with this header, each as its cells without back-ticks. */
    static List<List<String>> table(String... header) {
        var rows = new ArrayList<List<String>>();
        boolean inside = false;
        for (String line : lines()) {
            if (inside && !line.startsWith("|")) {
                break;
            }
            if (inside && !line.startsWith("|---")) {
                rows.add(cells(line));
            }
            inside |= line.startsWith("|") && cells(line).equals(List.of(header));
        }
        if (rows.isEmpty()) {
            throw new AssertionError(PAGE + " has no table with the header " + List.of(header));
        }
        return rows;
    }

    private static List<String> cells(String line) {
        return Arrays.stream(line.substring(1, line.length() - 1).split("\\|"))
                .map(cell -> cell.strip().replace("`", ""))
                .toList();
    }

    /** The commands of this program, as a shell takes them apart, in order. */
    static List<List<String>> commands() {
        return lines().stream()
                .filter(line -> line.startsWith(PROGRAM))
                .map(line -> words(line.substring(PROGRAM.length())))
                .toList();
    }

    /** As a shell takes a line apart that has no quotation marks but single ones. */
    static List<String> words(String line) {
        return Arrays.stream(line.strip().split("\\s+(?=(?:[^']*'[^']*')*[^']*$)"))
                .map(word -> word.replace("'", ""))
                .toList();
    }
}

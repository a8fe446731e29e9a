package dev.idempotency;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table of one of the guides, by its first header. */
final class MarkdownTable {
    private MarkdownTable() {}

    /** The rows below the header, each as its cells without back-ticks around them. */
    static List<List<String>> rows(String guide, String... header) {
        var rows = new ArrayList<List<String>>();
        boolean inside = false;
        for (String line : read(guide).split("\n")) {
            if (inside && !line.startsWith("|")) {
                break;
            }
            if (inside && !line.startsWith("|---")) {
                rows.add(cells(line));
            }
            inside |= line.startsWith("|") && cells(line).equals(List.of(header));
        }
        if (rows.isEmpty()) {
            throw new AssertionError("docs/" + guide + " has no table with the header " + List.of(header));
        }
        return rows;
    }

    static String read(String guide) {
        try {
            return Files.readString(Path.of("..", "docs", guide));
        } catch (IOException e) {
            throw new AssertionError("docs/" + guide + " cannot be read", e);
        }
    }

    private static List<String> cells(String line) {
        String inner = line.strip();
        return Arrays.stream(inner.substring(1, inner.length() - 1).split("\\|"))
                .map(String::strip)
                .map(cell -> cell.replaceAll("^`([^`]*)`$", "$1"))
                .toList();
    }
}

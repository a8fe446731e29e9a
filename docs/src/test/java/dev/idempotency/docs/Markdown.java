package dev.idempotency.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** A Markdown file of this repository. */
record Markdown(String path, List<String> lines) {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Set<String> BUILT = Set.of("target", ".git", "node_modules");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*?) *#*");

    /** A fenced block: its language, its text, the line of its fence from 1, and the line before the fence. */
    record Block(String file, int line, String language, String before, List<String> text) {
        String where() {
            return file + ":" + line;
        }
    }

    /** One line outside the fenced blocks. */
    record Line(String file, int number, String text) {
        String where() {
            return file + ":" + number;
        }
    }

    /** Every Markdown file, by its path from the root. */
    static List<Markdown> all() {
        var found = new ArrayList<Path>();
        try {
            Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    return BUILT.contains(directory.getFileName().toString())
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (file.toString().endsWith(".md")) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found.stream().sorted().map(Markdown::at).toList();
    }

    /** The file of this path from the root. */
    static Markdown of(String path) {
        return at(ROOT.resolve(path));
    }

    private static Markdown at(Path file) {
        return new Markdown(ROOT.relativize(file).toString().replace('\\', '/'), read(file));
    }

    static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path folder() {
        return ROOT.resolve(path).getParent();
    }

    /** The fenced blocks, in order. */
    List<Block> blocks() {
        var blocks = new ArrayList<Block>();
        String before = "";
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.startsWith("```")) {
                int start = i;
                var text = new ArrayList<String>();
                for (i++; i < lines.size() && !lines.get(i).strip().equals("```"); i++) {
                    text.add(lines.get(i));
                }
                if (i == lines.size()) {
                    throw new AssertionError(path + ":" + (start + 1) + " has a fence without an end");
                }
                blocks.add(new Block(path, start + 1, line.substring(3).strip(), before, text));
                before = "";
            } else if (!line.isEmpty()) {
                before = line;
            }
        }
        return blocks;
    }

    /** The lines outside the fenced blocks. */
    List<Line> prose() {
        var prose = new ArrayList<Line>();
        boolean fenced = false;
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).strip().startsWith("```")) {
                fenced = !fenced;
            } else if (!fenced) {
                prose.add(new Line(path, i + 1, lines.get(i)));
            }
        }
        return prose;
    }

    /** The anchors of the headings, as they are made on the usual hosts. */
    Set<String> anchors() {
        Map<String, Integer> seen = new HashMap<>();
        var anchors = new HashSet<String>();
        for (Line line : prose()) {
            var heading = HEADING.matcher(line.text());
            if (heading.matches()) {
                String slug = heading.group(1)
                        .replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-');
                int times = seen.merge(slug, 1, Integer::sum);
                anchors.add(times == 1 ? slug : slug + "-" + (times - 1));
            }
        }
        return anchors;
    }

    /** The rows of the table with this header, each as its cells without back-ticks around them. */
    List<List<String>> table(String... header) {
        var rows = new ArrayList<List<String>>();
        boolean inside = false;
        for (String line : lines) {
            if (inside && !line.startsWith("|")) {
                break;
            }
            if (inside && !line.startsWith("|---")) {
                rows.add(cells(line));
            }
            inside |= line.startsWith("|") && cells(line).equals(List.of(header));
        }
        if (rows.isEmpty()) {
            throw new AssertionError(path + " has no table with the header " + List.of(header));
        }
        return rows;
    }

    private static List<String> cells(String line) {
        String inner = line.strip();
        return Arrays.stream(inner.substring(1, inner.length() - 1).split("\\|"))
                .map(String::strip)
                .map(cell -> cell.replaceAll("^`([^`]*)`$", "$1"))
                .toList();
    }
}

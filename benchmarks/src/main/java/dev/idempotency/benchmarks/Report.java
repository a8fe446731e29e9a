package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Writes what a run has found: a page, a plot of it, its raw data, and where the time went. Every figure is the run's own. */
final class Report {
    static final String PAGE = "performance.md";
    static final String PLOT = "performance.svg";
    static final String DATA = "performance.csv";
    static final String PROFILES = "performance-profile.txt";

    private final Results results;
    private final Map<String, String> run;

    /**
     * A report.
     *
     * @param run how it was run and on what, by name
     */
    Report(Results results, Map<String, String> run) {
        this.results = results;
        this.run = new LinkedHashMap<>(run);
    }

    void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(DATA), data());
        Files.writeString(folder.resolve(PROFILES), profiles());
        if (results.groups().values().stream().anyMatch(outcomes -> outcomes.size() > 1)) {
            Plot.write(results, folder.resolve(PLOT));
        }
        Files.writeString(folder.resolve(PAGE), page());
    }

    private String page() {
        return template()
                .replace("{{targets}}", targets())
                .replace("{{paths}}", paths())
                .replace("{{one key}}", figures(Targets.ONE_KEY))
                .replace("{{memory}}", figures(Memory.AREA))
                .replace("{{growth}}", figures(Targets.GROWTH))
                .replace("{{problems}}", problems())
                .replace("{{run}}", run());
    }

    private static String template() {
        try (var in = Report.class.getResourceAsStream("performance.template")) {
            if (in == null) {
                throw new IllegalStateException("the template is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String targets() {
        var text = new StringBuilder("| What | Target | Median | Quartiles | |\n|---|---|---|---|---|\n");
        for (Targets.Target target : Targets.of(results)) {
            row(
                    text,
                    target.path(),
                    target.target(),
                    target.figure().map(Spread::middle).orElse(""),
                    target.figure().map(Spread::quartiles).orElse(""),
                    target.verdict());
        }
        return text.toString();
    }

    private static void row(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private String paths() {
        var text = new StringBuilder();
        Set<String> stores = new LinkedHashSet<>();
        results.groups().keySet().forEach(group -> stores.add(group.store()));
        for (String store : stores) {
            text.append("### ").append(store).append("\n\n");
            results.groups().forEach((group, outcomes) -> {
                if (group.store().equals(store)) {
                    text.append(path(group, outcomes)).append('\n');
                }
            });
        }
        return text.toString();
    }

    private String path(Group group, List<Outcome> outcomes) {
        var text = new StringBuilder(String.format(
                "| %s, %d %s | Ratio | Quartiles | Operations/s | CPU µs, client | CPU µs, server | Bytes/operation | p50 µs | p99 µs |%n",
                group.path() == Subject.Path.FIRST ? "First execution" : "Replay",
                group.threads(),
                group.threads() == 1 ? "thread" : "threads"));
        text.append("|---|---|---|---|---|---|---|---|---|\n");
        Optional<Outcome> limit = results.limit(group.store(), group.path(), group.threads());
        for (Outcome outcome : outcomes) {
            String name = outcome.subject().kind() == Kind.LIBRARY
                    ? "**" + outcome.subject().name() + "**"
                    : outcome.subject().name();
            if (!outcome.isMeasured()) {
                row(text, name, outcome.failure().orElse("not measured").replace('|', '/'), "", "", "", "", "", "", "");
                continue;
            }
            Optional<Spread> ratio = limit.flatMap(outcome::ratioTo);
            row(
                    text,
                    name,
                    middle(ratio),
                    ratio.map(Spread::quartiles).orElse(""),
                    middle(outcome.spread(Cell::perSecond)),
                    middle(outcome.spread(Cell::clientMicros)),
                    middle(outcome.spread(Cell::serverMicros)),
                    middle(outcome.spread(Cell::bytes)),
                    middle(outcome.spread(cell -> cell.micros(50))),
                    middle(outcome.spread(cell -> cell.micros(99))));
        }
        return text.toString();
    }

    private static String middle(Optional<Spread> spread) {
        return spread.map(Spread::middle).orElse("");
    }

    private String figures(String area) {
        List<Results.Figure> figures = results.figures(area);
        if (figures.isEmpty()) {
            return "Not measured in this run.\n";
        }
        var text = new StringBuilder("| What | Median | Quartiles | Unit | |\n|---|---|---|---|---|\n");
        for (Results.Figure figure : figures) {
            row(
                    text,
                    figure.name(),
                    middle(figure.spread()),
                    figure.spread()
                            .filter(spread -> spread.count() > 1)
                            .map(Spread::quartiles)
                            .orElse(""),
                    figure.unit(),
                    figure.note().replace('|', '/'));
        }
        return text.toString();
    }

    private String problems() {
        List<String> problems = new ArrayList<>(results.problems());
        results.groups()
                .forEach((group, outcomes) -> outcomes.forEach(outcome -> outcome.failure()
                        .ifPresent(why -> problems.add(
                                group.id() + ", " + outcome.subject().name() + ": " + why))));
        if (problems.isEmpty()) {
            return "Nothing failed in this run.\n";
        }
        var text = new StringBuilder("What failed in this run, and is missing above:\n\n");
        problems.forEach(problem -> text.append("- ").append(problem).append('\n'));
        return text.toString();
    }

    private String run() {
        var text = new StringBuilder("| | |\n|---|---|\n");
        row(text, "Day", LocalDate.now(ZoneOffset.UTC).toString());
        run.forEach((name, value) -> row(text, name, value));
        results.others()
                .ifPresent(share -> row(
                        text,
                        "Used by others meanwhile",
                        share.middle() + " % of the machine (quartiles " + share.quartiles() + ")"));
        return text.toString();
    }

    private String data() {
        var text = new StringBuilder(
                "store,path,threads,subject,round,operations_per_second,client_cpu_us,server_cpu_us,bytes,p50_us,p99_us,others_share\n");
        results.groups()
                .forEach((group, outcomes) -> outcomes.forEach(outcome -> {
                    int[] round = {0};
                    for (Cell cell : outcome.cells()) {
                        text.append(String.format(
                                Locale.ROOT,
                                "%s,%s,%d,\"%s\",%d,%.1f,%.3f,%.3f,%.0f,%.2f,%.2f,%.2f%n",
                                group.store(),
                                group.path(),
                                group.threads(),
                                outcome.subject().name(),
                                ++round[0],
                                cell.perSecond(),
                                cell.clientMicros(),
                                cell.serverMicros(),
                                cell.bytes(),
                                cell.micros(50),
                                cell.micros(99),
                                cell.othersShare()));
                    }
                }));
        return text.toString();
    }

    private String profiles() {
        var text = new StringBuilder(
                "Where the library's time and memory went in this run: samples of its callers' threads, by the flight recorder.\n");
        results.profiles()
                .forEach((of, profile) ->
                        text.append("\n== ").append(of).append("\n\n").append(profile));
        return text.toString();
    }
}

package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a run has found so far. */
final class Results {
    /**
     * A figure of something that is not a race between subjects.
     *
     * @param area what it is about
     * @param name which one of that area
     * @param unit what it is counted in
     * @param spread the figure, or nothing if it failed
     * @param note why it failed, or what to know about it; may be empty
     */
    record Figure(String area, String name, String unit, Optional<Spread> spread, String note) {}

    private final Map<Group, List<Outcome>> groups = new LinkedHashMap<>();
    private final List<Figure> figures = new ArrayList<>();
    private final Map<String, String> profiles = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    void add(Group group, List<Outcome> outcomes) {
        groups.put(group, outcomes);
    }

    void add(Figure figure) {
        figures.add(figure);
    }

    void profile(String of, String text) {
        profiles.put(of, text);
    }

    /** A part that could not be measured. */
    void problem(String text) {
        problems.add(text);
    }

    Map<Group, List<Outcome>> groups() {
        return groups;
    }

    List<Figure> figures(String area) {
        return figures.stream().filter(figure -> figure.area().equals(area)).toList();
    }

    Optional<Figure> figure(String area, String name) {
        return figures(area).stream()
                .filter(figure -> figure.name().equals(name))
                .findFirst();
    }

    Map<String, String> profiles() {
        return profiles;
    }

    List<String> problems() {
        return problems;
    }

    Optional<Outcome> limit(String store, Path path, int threads) {
        return outcomes(store, path, threads).stream()
                .filter(outcome -> outcome.subject().kind() == Kind.LIMIT)
                .findFirst();
    }

    List<Outcome> peers(String store, Path path, int threads) {
        return outcomes(store, path, threads).stream()
                .filter(outcome -> outcome.subject().kind() == Kind.PEER)
                .toList();
    }

    Optional<Outcome> named(String store, Path path, int threads, String name) {
        return outcomes(store, path, threads).stream()
                .filter(outcome -> outcome.subject().name().equals(name))
                .findFirst();
    }

    private List<Outcome> outcomes(String store, Path path, int threads) {
        return groups.entrySet().stream()
                .filter(entry -> entry.getKey().store().equals(store)
                        && entry.getKey().path() == path
                        && entry.getKey().threads() == threads)
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(List.of());
    }

    /** What everybody else used of the machine while something was measured, in percent. */
    Optional<Spread> others() {
        double[] shares = groups.values().stream()
                .flatMap(List::stream)
                .flatMap(outcome -> outcome.cells().stream())
                .mapToDouble(Cell::othersShare)
                .filter(share -> share >= 0)
                .map(share -> share * 100)
                .toArray();
        return shares.length == 0 ? Optional.empty() : Optional.of(Spread.of(shares));
    }
}

package dev.idempotency.benchmarks;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What the rounds of one subject in one group have shown. */
final class Outcome {
    private final Subject subject;
    private final Map<Integer, Cell> cells = new TreeMap<>();
    private @Nullable String failure;

    Outcome(Subject subject) {
        this.subject = subject;
    }

    Subject subject() {
        return subject;
    }

    void add(int round, Cell cell) {
        cells.put(round, cell);
    }

    void failed(String why) {
        failure = why;
    }

    /** Why it is not measured, or not any more. */
    Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    boolean isMeasured() {
        return failure == null && !cells.isEmpty();
    }

    Collection<Cell> cells() {
        return List.copyOf(cells.values());
    }

    /** Operations per second, as a multiple of another subject's in the same round. */
    Optional<Spread> ratioTo(Outcome other) {
        double[] ratios = cells.entrySet().stream()
                .filter(entry -> other.cells.containsKey(entry.getKey()))
                .mapToDouble(entry -> entry.getValue().perSecond()
                        / Objects.requireNonNull(other.cells.get(entry.getKey()))
                                .perSecond())
                .toArray();
        return isMeasured() && other.isMeasured() && ratios.length > 0
                ? Optional.of(Spread.of(ratios))
                : Optional.empty();
    }

    Optional<Spread> spread(ToDoubleFunction<Cell> figure) {
        if (!isMeasured()) {
            return Optional.empty();
        }
        double[] figures = cells.values().stream().mapToDouble(figure).toArray();
        for (double one : figures) {
            if (Double.isNaN(one)) {
                return Optional.empty();
            }
        }
        return Optional.of(Spread.of(figures));
    }
}

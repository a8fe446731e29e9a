package dev.idempotency.examples.payments;

import dev.idempotency.IdempotencyEvent;
import dev.idempotency.examples.payments.Callers.Answer;
import dev.idempotency.examples.payments.Callers.Outcome;
import dev.idempotency.examples.payments.Witness.Sight;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Compares what callers were told with what the provider did, and prints it. */
final class Report {
    private static final int LONGEST_LIST = 20;

    private final Orders orders;
    private final List<Answer> answers;
    private final Counts counts;
    private final boolean isWithLibrary;
    private final boolean hasLedger;
    private final int kills;

    /** By order: the charges in the provider's ledger; without one, those that callers were told of. */
    private final Map<String, List<Charge>> effects = new HashMap<>();

    /** By order: the ids of the charges that callers were told of. */
    private final Map<String, Set<String>> told = new HashMap<>();

    /** The orders of which a caller was told for certain that they were not charged. */
    private final Set<String> knownAsNotCharged = new HashSet<>();

    /** By order: why it is not known whether it was charged. */
    private final Map<String, String> inDoubt = new TreeMap<>();

    /**
     * Takes stock.
     *
     * @param ledger what the provider did; null if it does not say
     * @param unresolved the records of the keys in doubt
     * @param kills how often the paying process was killed; below 0 if it is this one
     */
    Report(
            Orders orders,
            Counts counts,
            @Nullable List<Charge> ledger,
            List<IdempotencyRecord> unresolved,
            boolean isWithLibrary,
            int kills) {
        this.orders = orders;
        this.counts = counts;
        this.answers = counts.answers().stream()
                .sorted(Comparator.comparingInt(answer -> answer.row().line()))
                .toList();
        this.isWithLibrary = isWithLibrary;
        this.kills = kills;
        hasLedger = ledger != null;
        var answered = new LinkedHashSet<Charge>();
        for (Answer answer : answers) {
            if (answer.outcome() == Outcome.DECLINED || answer.outcome() == Outcome.NOT_EXECUTED) {
                knownAsNotCharged.add(answer.id());
            }
            if (answer.charge() != null) {
                answered.add(answer.charge());
                told.computeIfAbsent(answer.id(), id -> new HashSet<>())
                        .add(answer.charge().id());
            }
        }
        for (Charge charge : ledger == null ? answered : ledger) {
            if (orders.ids().contains(charge.reference())) {
                effects.computeIfAbsent(charge.reference(), id -> new ArrayList<>())
                        .add(charge);
            }
        }
        unresolved.forEach(record -> inDoubt.put(record.key().value(), lastDoubt(record)));
        if (!isWithLibrary) {
            answers.stream()
                    .filter(answer -> answer.outcome() == Outcome.GAVE_UP && !told.containsKey(answer.id()))
                    .forEach(answer -> inDoubt.put(answer.id(), String.valueOf(answer.failure())));
        }
    }

    private static String lastDoubt(IdempotencyRecord record) {
        String reason = record.state().name();
        for (Evidence line : record.evidence()) {
            reason = line.kind() == Evidence.Kind.IN_DOUBT ? line.detail() : reason;
        }
        return reason;
    }

    long effects() {
        return effects.values().stream().mapToLong(List::size).sum();
    }

    /** Charges beyond the first of each order. */
    long duplicates() {
        return effects() - effects.size();
    }

    /** Orders that somebody believes to be done, and that are not. */
    long lost() {
        return orders.ids().stream()
                .filter(id -> !idsOf(id).containsAll(told.getOrDefault(id, Set.of())) || isForgotten(id))
                .count();
    }

    /** Not charged, and yet neither listed as in doubt nor known to any caller as not charged. */
    private boolean isForgotten(String order) {
        return hasLedger
                && !effects.containsKey(order)
                && !inDoubt.containsKey(order)
                && !knownAsNotCharged.contains(order);
    }

    private Set<String> idsOf(String order) {
        var ids = new HashSet<String>();
        effects.getOrDefault(order, List.of()).forEach(charge -> ids.add(charge.id()));
        return ids;
    }

    /** Charges of an amount that the first row of the order does not name. */
    private long wrongAmounts() {
        return effects.values().stream()
                .flatMap(List::stream)
                .filter(charge -> !charge.isFor(orders.first(charge.reference()).order()))
                .count();
    }

    /** Orders that a caller was told are declined, and that were charged all the same. */
    private long chargedThoughDeclined() {
        return answers.stream()
                .filter(answer -> answer.outcome() == Outcome.DECLINED)
                .map(Answer::id)
                .distinct()
                .filter(effects::containsKey)
                .count();
    }

    private long unknownToCallers() {
        return effects.entrySet().stream()
                .mapToLong(order -> order.getValue().stream()
                        .filter(charge ->
                                !told.getOrDefault(order.getKey(), Set.of()).contains(charge.id()))
                        .count())
                .sum();
    }

    /** Each run tells an event of its end; its callers beyond the first do not. */
    private long shared() {
        Tally events = counts.of(Sight.EVENT);
        long ends = events.of("COMPLETED")
                + events.of("DECLINED")
                + events.of("FOUND")
                + events.of("REPLAYED")
                + events.of("MISMATCHED");
        long definite = answers.stream()
                .filter(answer -> answer.outcome().compareTo(Outcome.MISMATCH) <= 0)
                .count();
        return Math.max(0, definite - ends);
    }

    private long events(IdempotencyEvent.Type type) {
        return counts.of(Sight.EVENT).of(type.name());
    }

    /** Orders of which it is not known whether they were charged. */
    long inDoubt() {
        return inDoubt.size();
    }

    int exitStatus() {
        boolean isRight = duplicates() == 0 && lost() == 0 && wrongAmounts() == 0 && chargedThoughDeclined() == 0;
        return isRight || !isWithLibrary ? 0 : 1;
    }

    /** Prints everything; the last line is for programs. */
    void print(PrintStream out) {
        title(out, "What callers were told", kills < 0 ? "callers" : "answers", "orders");
        for (Outcome outcome : Outcome.values()) {
            List<Answer> such = answers.stream()
                    .filter(answer -> answer.outcome() == outcome)
                    .toList();
            if (!such.isEmpty()) {
                out.printf(
                        "  %-48s %9d %9d%n",
                        outcome.text(),
                        such.size(),
                        such.stream().map(Answer::id).distinct().count());
            }
        }
        line(out, "tried again by callers", counts.of(Sight.RETRY).total());

        title(out, "What the provider answered", "calls", "");
        counts.of(Sight.CALL).all().forEach((answer, count) -> line(out, answer, count));

        if (isWithLibrary) {
            title(out, "What the library did", "times", "");
            for (Happening happening : Happening.values()) {
                line(out, happening.text(), events(happening.event()));
            }
            line(out, "gave callers the outcome of a run under way", shared());
            counts.of(Sight.DOUBT).all().forEach((reason, count) -> line(out, "in doubt: " + shortened(reason), count));
        }

        if (kills >= 0) {
            title(out, "What the kills did", "times", "");
            line(out, "killed the paying process with kill -9", kills);
            if (isWithLibrary) {
                line(out, "left a call whose process is dead (lease lapsed)", events(IdempotencyEvent.Type.LAPSED));
            }
        }

        title(out, "What the provider did" + (hasLedger ? "" : ", as far as it answered"), "charges", "");
        line(out, "charges of these orders", effects());
        line(out, "beyond the first of an order", duplicates());
        line(out, "that no caller was told of", unknownToCallers());
        line(out, "of another amount than the order's first row", wrongAmounts());
        line(out, "of orders that callers were told are declined", chargedThoughDeclined());

        if (!hasLedger) {
            out.println("The provider does not list its charges (GET /charges): effects and duplicates are counted from"
                    + " the answers, and what was lost cannot be known.");
        }
        mismatches(out);
        doubts(out);
        out.println();
        if (kills >= 0) {
            out.println("kills=" + kills);
        }
        out.printf("effects=%d duplicates=%d lost=%d in-doubt=%d%n", effects(), duplicates(), lost(), inDoubt.size());
    }

    private void mismatches(PrintStream out) {
        List<Orders.Row> refused = answers.stream()
                .filter(answer -> answer.outcome() == Outcome.MISMATCH)
                .map(Answer::row)
                .distinct()
                .toList();
        list(
                out,
                "Refused, because an earlier row of the same order says something else:",
                refused.stream()
                        .map(row -> "line " + row.line() + ": " + row.order().id() + ", "
                                + row.order().text() + "; line "
                                + orders.first(row.order().id()).line() + " says "
                                + orders.first(row.order().id()).order().text())
                        .toList());
    }

    private void doubts(PrintStream out) {
        list(
                out,
                "Still in doubt; only a person or a later run can tell:",
                inDoubt.entrySet().stream()
                        .map(order -> order.getKey() + ": " + shortened(order.getValue())
                                + (hasLedger
                                        ? effects.containsKey(order.getKey()) ? " (charged)" : " (not charged)"
                                        : ""))
                        .toList());
    }

    private static void list(PrintStream out, String title, List<String> lines) {
        if (!lines.isEmpty()) {
            out.println();
            out.println(title);
            lines.stream().limit(LONGEST_LIST).forEach(line -> out.println("  " + line));
            if (lines.size() > LONGEST_LIST) {
                out.println("  and " + (lines.size() - LONGEST_LIST) + " more");
            }
        }
    }

    /** Without the packages of exceptions. */
    private static String shortened(String reason) {
        return reason.replaceAll("\\b[a-z]+\\.(?:\\w+[.$])*(?=\\w)", "");
    }

    private static void title(PrintStream out, String title, String first, String second) {
        out.println();
        out.println(String.format("%-50s %9s %9s", title, first, second).stripTrailing());
    }

    private static void line(PrintStream out, String what, long count) {
        out.printf("  %-48s %9d%n", what, count);
    }
}

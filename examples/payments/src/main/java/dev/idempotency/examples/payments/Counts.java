package dev.idempotency.examples.payments;

import dev.idempotency.examples.payments.Callers.Answer;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Counts what a run does, and keeps every answer that a caller was told. Thread-safe. */
final class Counts implements Witness {
    private final PrintStream out;
    private final Map<Sight, Tally> tallies = new EnumMap<>(Sight.class);
    private final List<Answer> answers = new ArrayList<>();
    private final Set<String> answeredOrders = ConcurrentHashMap.newKeySet();

    /**
     * Counts nothing yet.
     *
     * @param out where notes go
     */
    Counts(PrintStream out) {
        this.out = out;
        for (Sight sight : Sight.values()) {
            tallies.put(sight, new Tally());
        }
    }

    @Override
    public void saw(Sight sight, String what) {
        if (sight == Sight.NOTE && of(sight).of(what) == 0) {
            out.println(what);
        }
        of(sight).add(what);
    }

    @Override
    public synchronized void answered(Answer answer) {
        answers.add(answer);
        answeredOrders.add(answer.id());
    }

    /** How often each thing of a kind was seen. */
    Tally of(Sight sight) {
        return Objects.requireNonNull(tallies.get(sight));
    }

    /** Every answer, in the order they were told. */
    synchronized List<Answer> answers() {
        return List.copyOf(answers);
    }

    /** Of how many orders some caller has an answer. */
    int answeredOrders() {
        return answeredOrders.size();
    }
}

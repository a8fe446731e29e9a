package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Path;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets the subjects of a group work in turn, in an order that changes from round to round. The first round warms up and
 * does not count. What is compared was measured in the same round, so that whatever else the machine does meets all alike.
 */
final class Rounds {
    private static final int KNOWN = 400;

    /**
     * How much is measured.
     *
     * @param rounds how many count
     * @param cell how long each subject works in each round
     * @param warmUp how long each subject works before, at most: less if it does not get faster any more
     */
    record Plan(int rounds, Duration cell, Duration warmUp) {}

    private final Plan plan;
    private final Random random;
    private final PrintStream log;

    Rounds(Plan plan, long seed, PrintStream log) {
        this.plan = plan;
        this.random = new Random(seed);
        this.log = log;
    }

    /**
     * Measures.
     *
     * @param subjects the first one of kind LIMIT is what the others are compared with
     * @param downstream what all of them call
     * @param server the CPU time of the server
     * @return one outcome for each subject that does this at all, in their order
     */
    List<Outcome> of(Group group, List<Subject> subjects, Downstream downstream, LongSupplier server) {
        List<Outcome> outcomes = subjects.stream()
                .filter(subject -> subject.does(group.path()))
                .map(Outcome::new)
                .toList();
        Map<Subject, List<Order>> known = new HashMap<>();
        for (Outcome outcome : outcomes) {
            known.put(outcome.subject(), known(group, outcome));
        }
        // In the process callers would keep the compiler waiting.
        try (var crew = new Crew(inProcess(group) ? 1 : group.threads(), group.sampling(), downstream, server)) {
            for (Outcome outcome : outcomes) {
                warmUp(group, outcome, known, crew);
            }
        }
        try (var crew = new Crew(group.threads(), group.sampling(), downstream, server)) {
            for (int round = 0; round <= plan.rounds(); round++) {
                round(group, round, outcomes, known, crew);
            }
        }
        for (Outcome outcome : outcomes) {
            log.printf(
                    "%-22s %-34s %s%n",
                    group.id(),
                    outcome.subject().name(),
                    outcome.failure().orElseGet(() -> line(outcome, limit(outcomes))));
        }
        return outcomes;
    }

    private static String line(Outcome outcome, Optional<Outcome> limit) {
        return outcome.spread(Cell::perSecond).map(Spread::middle).orElse("-") + " ops/s, ratio "
                + limit.flatMap(outcome::ratioTo)
                        .map(ratio -> ratio.middle() + " (" + ratio.quartiles() + ")")
                        .orElse("-")
                + ", " + outcome.spread(Cell::bytes).map(Spread::middle).orElse("-") + " B, CPU us "
                + outcome.spread(Cell::clientMicros).map(Spread::middle).orElse("-") + " + "
                + outcome.spread(Cell::serverMicros).map(Spread::middle).orElse("-") + ", p50 us "
                + outcome.spread(cell -> cell.micros(50)).map(Spread::middle).orElse("-") + ", p99 us "
                + outcome.spread(cell -> cell.micros(99)).map(Spread::middle).orElse("-");
    }

    /** Some orders that this subject has executed. */
    static List<Order> executed(Subject subject) throws Exception {
        List<Order> orders = new ArrayList<>();
        for (int i = 0; i < KNOWN; i++) {
            Order order = Order.fresh();
            subject.first().run(order);
            orders.add(order);
        }
        return orders;
    }

    private static List<Order> known(Group group, Outcome outcome) {
        try {
            return group.path() == Path.REPLAY ? executed(outcome.subject()) : List.of();
        } catch (Exception e) {
            outcome.failed(why(e));
            return List.of();
        }
    }

    private static boolean inProcess(Group group) {
        return group.sampling() > 1;
    }

    /** Until the compiler has done what it does. */
    private void warmUp(Group group, Outcome outcome, Map<Subject, List<Order>> known, Crew crew) {
        long until = System.nanoTime() + plan.warmUp().toNanos();
        long enough = inProcess(group) ? 500_000 : 20_000;
        long operations = 0;
        double best = 0;
        int worse = 0;
        try {
            while (outcome.failure().isEmpty() && (operations < enough || worse < 3) && System.nanoTime() < until) {
                Subject subject = outcome.subject();
                prepare(group, subject);
                Cell cell = crew.work(subject, group.path(), known.getOrDefault(subject, List.of()), plan.cell());
                operations += cell.operations();
                worse = cell.perSecond() > best * 1.05 ? 0 : worse + 1;
                best = Math.max(best, cell.perSecond());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (Exception e) {
            outcome.failed(why(e));
        }
    }

    /** What has been left behind is not collected at the expense of the next. */
    private static void prepare(Group group, Subject subject) {
        if (inProcess(group)) {
            if (group.path() == Path.FIRST) {
                subject.forget().run();
            }
            System.gc();
        }
    }

    private void round(Group group, int round, List<Outcome> outcomes, Map<Subject, List<Order>> known, Crew crew) {
        List<Outcome> shuffled = new ArrayList<>(outcomes);
        Collections.shuffle(shuffled, random);
        Map<Outcome, Cell> cells = new HashMap<>();
        for (Outcome outcome : shuffled) {
            if (outcome.failure().isPresent()) {
                continue;
            }
            Subject subject = outcome.subject();
            try {
                prepare(group, subject);
                cells.put(
                        outcome, crew.work(subject, group.path(), known.getOrDefault(subject, List.of()), plan.cell()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            } catch (Exception e) {
                outcome.failed(why(e));
            }
        }
        if (round == 0) {
            return;
        }
        for (Outcome outcome : outcomes) {
            Cell cell = cells.get(outcome);
            if (cell != null) {
                outcome.add(round, cell);
            }
        }
    }

    static Optional<Outcome> limit(List<Outcome> outcomes) {
        return outcomes.stream()
                .filter(outcome -> outcome.subject().kind() == Kind.LIMIT)
                .findFirst();
    }

    static String why(@Nullable Throwable failure) {
        if (failure instanceof RefusedException) {
            return "refused: " + failure.getMessage();
        }
        String text = failure == null
                ? "unknown"
                : failure.toString().lines().findFirst().orElse("");
        return "failed: " + (text.length() > 160 ? text.substring(0, 160) : text);
    }
}

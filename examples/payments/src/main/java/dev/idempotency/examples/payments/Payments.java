package dev.idempotency.examples.payments;

import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.examples.payments.Callers.Answer;
import dev.idempotency.examples.payments.Callers.Outcome;
import dev.idempotency.examples.payments.Witness.Sight;
import dev.idempotency.store.IdempotencyStore;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** The main class, {@code java -jar payments.jar --help}, and the part of it that an application would have. */
public final class Payments {
    private static final Duration WAIT_FOR_ANOTHER_RUN = Duration.ofSeconds(1);

    private final Options options;
    private final Orders orders;
    private final ChargeClient client;
    private final Witness witness;

    Payments(Options options, Orders orders, URI provider, Witness witness) {
        this.options = options;
        this.orders = orders;
        this.client = new ChargeClient(provider, options.timeout(), answer -> witness.saw(Sight.CALL, answer));
        this.witness = witness;
    }

    /** This is what a reader would copy: the operation on a store, and what ends a doubt. */
    void withLibrary(IdempotencyStore store) {
        try (var idempotency = Idempotency.builder(store).listener(this::heard).build()) {
            Operation<Order, Charge> charge = idempotency
                    .operation("charge", Order.class, Charge.class)
                    .key(Order::id)
                    .recovery(options.recovery().recovery(client, options))
                    .failures(HttpFailures.classifier().notExecuted(429))
                    .lease(options.store().lease())
                    .waitAtMost(WAIT_FOR_ANOTHER_RUN)
                    .calling((order, attempt) -> client.charge(order, attempt.nativeKey()));
            witness.saw(Sight.NOTE, "Recovery " + options.recovery().option() + ". " + charge.explain());
            call(charge::execute, List.of());
        }
    }

    /**
     * The same calls without the library, with a fresh key each, as clients make them that keep no record.
     *
     * @param answered the lines of rows whose callers need no answer any more
     */
    void withoutLibrary(Collection<Integer> answered) {
        witness.saw(
                Sight.NOTE,
                "Without the library: every caller calls the provider itself, with a new Idempotency-Key each time");
        call(order -> client.charge(order, UUID.randomUUID().toString()), answered);
    }

    /** The same calls with what most idempotency libraries do; the key is new each time, for they pass none on. */
    void withBlindTakeover(HikariDataSource pool) {
        witness.saw(
                Sight.NOTE,
                "With a blind takeover: the next caller calls again when a call has failed, or its lease has lapsed");
        call(
                new BlindTakeover(
                        pool,
                        options.store().lease(),
                        order -> client.charge(order, UUID.randomUUID().toString())),
                List.of());
    }

    private void call(Callers.Charging charging, Collection<Integer> answered) {
        try (var callers =
                new Callers(charging, options.workers(), options.recovery().patience(options), witness)) {
            var left = new ArrayList<>(answered);
            List<Answer> answers = callers.call(repeated(orders.agreeing(), left));
            Set<String> unrecorded = unrecorded(answers);
            // Not before their order has a record, or they would be charged in its place.
            callers.call(repeated(
                    orders.contradicting().stream()
                            .filter(row -> !unrecorded.contains(row.order().id()))
                            .toList(),
                    left));
        }
    }

    /** Each row once for each of its callers, without the callers that have their answer. */
    private List<Orders.Row> repeated(List<Orders.Row> rows, List<Integer> answered) {
        var callers = new ArrayList<Orders.Row>();
        for (Orders.Row row : rows) {
            for (int i = 0; i < options.repeat(); i++) {
                if (!answered.remove((Integer) row.line())) {
                    callers.add(row);
                }
            }
        }
        return callers;
    }

    /** The orders whose keys are free again. */
    private static Set<String> unrecorded(List<Answer> answers) {
        var ids = answers.stream().map(Answer::id).collect(Collectors.toCollection(HashSet::new));
        answers.stream()
                .filter(answer -> answer.outcome() != Outcome.NOT_EXECUTED)
                .forEach(answer -> ids.remove(answer.id()));
        return ids;
    }

    private void heard(IdempotencyEvent event) {
        witness.saw(Sight.EVENT, event.type().name());
        if (event.type() == IdempotencyEvent.Type.IN_DOUBT) {
            witness.saw(Sight.DOUBT, event.detail());
        }
    }

    /**
     * Charges the orders of a file.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(System.out, System.err, args));
    }

    static int run(PrintStream out, PrintStream err, String... args) {
        if (List.of(args).contains("--help")) {
            out.print(Options.HELP);
            return 0;
        }
        try {
            if (args.length > 0 && args[0].equals("--compare")) {
                return Comparison.of(args).run(out);
            }
            var options = Options.parse(args);
            return charge(options, out).exitStatus();
        } catch (Options.UsageException e) {
            err.println(e.getMessage() + "; --help lists the options");
            return 2;
        } catch (Orders.UnusableException e) {
            err.println(e.getMessage());
            return 2;
        } catch (RunFailedException e) {
            err.println(e.getMessage());
            return 1;
        } catch (IOException e) {
            err.println("The provider cannot be used: " + e);
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            err.println("Interrupted");
            return 1;
        }
    }

    private static Report charge(Options options, PrintStream out)
            throws IOException, InterruptedException, RunFailedException, Orders.UnusableException {
        var orders = Orders.read(options);
        try (var provider = Provider.of(options)) {
            return options.store().outlivesItsProcess()
                    ? new Crashes(options, orders, provider, out).run()
                    : inThisProcess(options, orders, provider, out);
        }
    }

    private static Report inThisProcess(Options options, Orders orders, Provider provider, PrintStream out)
            throws IOException, InterruptedException {
        var audit = new Audit(options, orders, provider, out);
        audit.before();
        var counts = new Counts(out);
        var payments = new Payments(options, orders, provider.uri(), counts);
        var store = CaffeineIdempotencyStore.create(Math.max(1, orders.rows().size()));
        int all = orders.rows().size() * options.repeat();
        var progress = new Progress(out, () -> progress(counts, all, options.isWithLibrary()));
        try {
            if (options.isWithLibrary()) {
                payments.withLibrary(store);
            } else {
                payments.withoutLibrary(List.of());
            }
            audit.awaitLateEffects();
        } finally {
            progress.close();
        }
        return audit.after(counts, store.listUnresolved(null, Integer.MAX_VALUE), -1);
    }

    private static String progress(Counts counts, int all, boolean isWithLibrary) {
        return counts.answers().size() + " of " + all + " callers have an answer, "
                + counts.of(Sight.CALL).total() + " calls to the provider"
                + (isWithLibrary ? ", " + counts.of(Sight.DOUBT).total() + " came into doubt" : "");
    }
}

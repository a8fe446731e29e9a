package dev.idempotency.examples.payments;

import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.examples.payments.Callers.Answer;
import dev.idempotency.examples.payments.Callers.Outcome;
import dev.idempotency.store.IdempotencyRecord;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The main class: {@code java -jar payments.jar --help}. */
public final class Payments {
    private static final Duration WAIT_FOR_ANOTHER_RUN = Duration.ofSeconds(1);

    private final Options options;
    private final PrintStream out;
    private final ChargeClient client;
    private final Tally events = new Tally();
    private final Tally doubts = new Tally();

    private Payments(Options options, Provider provider, PrintStream out) {
        this.options = options;
        this.out = out;
        this.client = new ChargeClient(provider.uri(), options.timeout());
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
            var options = Options.parse(args);
            var orders = Orders.read(options.orders(), options.limit());
            try (var provider = Provider.of(options)) {
                return new Payments(options, provider, out).run(orders);
            }
        } catch (Options.UsageException e) {
            err.println(e.getMessage() + "; --help lists the options");
            return 2;
        } catch (Orders.UnusableException e) {
            err.println(e.getMessage());
            return 2;
        } catch (IOException e) {
            err.println("The provider cannot be used: " + e);
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            err.println("Interrupted");
            return 1;
        }
    }

    private int run(Orders orders) throws IOException, InterruptedException {
        out.println(orders.rows().size() + " rows with " + orders.ids().size() + " orders, from " + orders.source());
        beforehand(orders, client.ledger());
        return options.isUnprotected() ? withoutLibrary(orders) : withLibrary(orders);
    }

    /** No ledger, no figures: better said before than after. A provider that cannot be reached is not called at all. */
    private void beforehand(Orders orders, @Nullable List<Charge> ledger) {
        if (ledger == null) {
            out.println("The provider does not list its charges (GET /charges): figures will be those of its answers");
            return;
        }
        long earlier = ledger.stream()
                .filter(charge -> orders.ids().contains(charge.reference()))
                .count();
        if (earlier > 0) {
            out.println(
                    "The provider has " + earlier + " charges of these orders already, which count below; the records"
                            + " of the run that made them went with its process");
        }
    }

    /** This is what a reader would copy: the store, the operation, and what ends a doubt. */
    private int withLibrary(Orders orders) throws IOException, InterruptedException {
        var store = CaffeineIdempotencyStore.create(Math.max(1, orders.rows().size()));
        try (var idempotency = Idempotency.builder(store).listener(this::count).build()) {
            Operation<Order, Charge> charge = idempotency
                    .operation("charge", Order.class, Charge.class)
                    .key(Order::id)
                    .recovery(options.recovery().recovery(client, options))
                    .failures(HttpFailures.classifier().notExecuted(429))
                    .waitAtMost(WAIT_FOR_ANOTHER_RUN)
                    .calling((order, attempt) -> client.charge(order, attempt.nativeKey()));
            out.println("Recovery " + options.recovery().option() + ". " + charge.explain());
            return run(orders, charge::execute, store);
        }
    }

    /** The same calls without the library, with a fresh key each, as clients make them that keep no record. */
    private int withoutLibrary(Orders orders) throws IOException, InterruptedException {
        out.println(
                "Without the library: every caller calls the provider itself, with a new Idempotency-Key each time");
        return run(
                orders, order -> client.charge(order, UUID.randomUUID().toString()), CaffeineIdempotencyStore.create());
    }

    private int run(Orders orders, Callers.Charging charging, CaffeineIdempotencyStore store)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        try (var callers =
                new Callers(charging, options.workers(), options.recovery().patience(options))) {
            int all = orders.rows().size() * options.repeat();
            var unused = timer.scheduleAtFixedRate(() -> progress(callers, all, start), 1, 1, TimeUnit.SECONDS);
            var answers = new ArrayList<>(callers.call(orders.agreeing(), options.repeat()));
            answers.addAll(callers.call(contradicting(orders, answers), options.repeat()));
            awaitLateEffects(timer);
            timer.shutdownNow();
            progress(callers, all, start);
            var report = new Report(orders, answers, client.ledger(), unresolved(store), options.isUnprotected());
            report.print(out, events, doubts, client.answers(), callers.retries());
            return report.exitStatus();
        } finally {
            timer.shutdownNow();
        }
    }

    /** The rows that must be refused: not before their order has a record, or they would be charged in its place. */
    private static List<Orders.Row> contradicting(Orders orders, List<Answer> answers) {
        var recorded = new HashSet<String>();
        answers.stream()
                .filter(answer -> answer.outcome() != Outcome.NOT_EXECUTED)
                .forEach(answer -> recorded.add(answer.id()));
        return orders.contradicting().stream()
                .filter(row -> recorded.contains(row.order().id()))
                .toList();
    }

    private void progress(Callers callers, int all, long start) {
        out.printf(
                "%3d s  %d of %d callers have an answer, %d calls to the provider%s%n",
                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start),
                callers.ended(),
                all,
                client.answers().total(),
                options.isUnprotected() ? "" : ", " + doubts.total() + " came into doubt");
    }

    /** What was sent may still take effect for the length of the transit; only then is the ledger final. */
    private void awaitLateEffects(ScheduledExecutorService timer) {
        var settled = new CompletableFuture<Void>();
        var unused =
                timer.schedule(() -> settled.complete(null), options.transit().toMillis(), TimeUnit.MILLISECONDS);
        settled.join();
    }

    private void count(IdempotencyEvent event) {
        events.add(event.type().name());
        if (event.type() == IdempotencyEvent.Type.IN_DOUBT) {
            doubts.add(event.detail());
        }
    }

    private static List<IdempotencyRecord> unresolved(CaffeineIdempotencyStore store) {
        return store.listUnresolved(null, Integer.MAX_VALUE);
    }
}

package dev.idempotency.examples.payments;

import dev.idempotency.store.IdempotencyRecord;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Looks into the provider's ledger, before a run and after it. */
final class Audit {
    private final Options options;
    private final Orders orders;
    private final PrintStream out;
    private final ChargeClient client;

    Audit(Options options, Orders orders, Provider provider, PrintStream out) {
        this.options = options;
        this.orders = orders;
        this.out = out;
        this.client = new ChargeClient(provider.uri(), options.timeout(), answer -> {});
    }

    /** No ledger, no figures: better said before than after. A provider that cannot be reached is not called at all. */
    void before() throws IOException, InterruptedException {
        out.println(orders.rows().size() + " rows with " + orders.ids().size() + " orders, from " + orders.source());
        List<Charge> ledger = client.ledger();
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
                            + (options.store().outlivesItsProcess()
                                    ? " of the run that made them should be in this store"
                                    : " of the run that made them went with its process"));
        }
    }

    /** What was sent may still take effect for the length of the transit; only then is the ledger final. */
    void awaitLateEffects() {
        new CompletableFuture<Void>()
                .completeOnTimeout(null, options.transit().toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    /**
     * Prints what became of the orders.
     *
     * @param unresolved the records that the run left without an outcome
     * @param kills how often the paying process was killed; below 0 if it is this one
     * @return what it printed
     */
    Report after(Counts counts, List<IdempotencyRecord> unresolved, int kills)
            throws IOException, InterruptedException {
        List<IdempotencyRecord> ofThese = unresolved.stream()
                .filter(record -> orders.ids().contains(record.key().value()))
                .toList();
        var report = new Report(orders, counts, client.ledger(), ofThese, options.isWithLibrary(), kills);
        report.print(out);
        return report;
    }
}

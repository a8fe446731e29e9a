package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "list",
        description = "List the keys in flight and in doubt, longest in their state first.",
        footer = {
            "",
            "Keys that nothing but a person ends any more:",
            "  idempotency list --held",
            "Keys of one operation that have been in doubt for an hour:",
            "  idempotency list --state IN_DOUBT --scope charge-card --older-than 1h --limit 50"
        })
final class ListCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Option(
            names = "--state",
            paramLabel = "STATE",
            description = "IN_FLIGHT or IN_DOUBT, which a key is as soon as its lease is over. Default: both.")
    private @Nullable State state;

    @Option(
            names = "--scope",
            paramLabel = "SCOPE",
            description = "An operation's name, for all its tenants too, or name/tenant.")
    private @Nullable String scope;

    @Option(
            names = "--older-than",
            paramLabel = "SPAN",
            converter = SpanConverter.class,
            description = "Only keys that have been in their state for so long, such as 10m.")
    private Duration olderThan = Duration.ZERO;

    @Option(names = "--held", description = "Only keys in doubt under the policy HOLD: a person decides.")
    private boolean held;

    @Option(names = "--limit", paramLabel = "N", description = "How many at most, from 1 to 1000. Default: 100.")
    private int limit = 100;

    @Option(names = "--after", paramLabel = "CURSOR", description = "The next page, as the page before says.")
    private @Nullable String after;

    ListCommand(Environment environment) {
        super(environment);
    }

    @Override
    void run(Output output) {
        Admin.Query query = query();
        try (var open = store.open(environment())) {
            Listing listing = Listing.read(open.admin(), query, held);
            if (output.isJson()) {
                output.document(Json.listing(listing));
            } else {
                print(
                        output,
                        listing,
                        listing.records().isEmpty() ? open.where().get() : "");
            }
        }
    }

    private Admin.Query query() {
        if (held && state == State.IN_FLIGHT) {
            throw Failure.usage("A key in flight is not held: leave out --state or --held");
        }
        IdempotencyRecord last = null;
        if (after != null) {
            try {
                last = Cursors.record(after);
            } catch (RuntimeException e) {
                throw Failure.usage("--after is no cursor of a page before");
            }
        }
        try {
            return new Admin.Query(state, scope == null ? null : Plain.read(scope), olderThan, limit, last);
        } catch (IllegalArgumentException e) {
            throw Failure.usage(String.valueOf(e.getMessage()));
        }
    }

    private static void print(Output output, Listing listing, String where) {
        if (listing.records().isEmpty()) {
            output.line("No such keys. " + where);
            return;
        }
        var table = new Table("STATE", "AGE", "POLICY", "VERSION", "SCOPE", "KEY");
        for (IdempotencyRecord record : listing.records()) {
            Duration age = listing.age(record);
            table.row(
                    Listing.isLeaseOver(record, listing.now())
                            ? "IN_DOUBT (lease over)"
                            : record.state().name(),
                    age == null ? "-" : Spans.text(age),
                    record.terms().policy() + (Listing.isHeld(record, listing.now()) ? " (a person decides)" : ""),
                    Long.toString(record.version()),
                    output.word(record.key().scope()),
                    output.word(record.key().value()));
        }
        output.lines(table.lines());
        if (listing.next() != null) {
            output.line("");
            output.line("There may be more: --after " + listing.next());
        }
    }
}

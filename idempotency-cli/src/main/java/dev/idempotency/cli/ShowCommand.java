package dev.idempotency.cli;

import dev.idempotency.Admin.Review;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "show",
        description = {
            "Show all that is known of a key: the record, its history, the audit trail, override requests that wait, and"
                    + " from when on \"not executed\" may be decided.",
            "The version that it shows is the one that an act asks for."
        },
        footer = {
            "",
            "  idempotency show charge-card ORD-1",
            "With the recorded result, which is as confidential as the provider's answers are:",
            "  idempotency show charge-card ORD-1 --show-result"
        })
final class ShowCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Mixin
    private final KeyParameters key = new KeyParameters();

    @Option(names = "--show-result", description = "Print results too. Without it only their kind, codec and size.")
    private boolean showResult;

    ShowCommand(Environment environment) {
        super(environment);
    }

    @Override
    void run(Output output) {
        IdempotencyKey wanted = key.key();
        try (var open = store.open(environment())) {
            Review review = open.admin().review(wanted);
            if (review == null) {
                boolean acted = !open.admin().audit(wanted, null, 1).isEmpty();
                throw new Failure(
                        ExitCode.UNKNOWN_KEY,
                        "No record stands for the key: it was never used, or is forgotten"
                                + (acted ? "; its audit trail is kept, see: idempotency audit" : ""));
            }
            if (output.isJson()) {
                output.document(Json.review(review, showResult));
            } else {
                print(output, review);
            }
        }
    }

    private void print(Output output, Review review) {
        IdempotencyRecord record = review.record();
        var times = record.times();
        var terms = record.terms();
        var fingerprint = record.fingerprint();
        var request = record.request();

        var facts = new Facts(output);
        facts.fact("scope", output.word(record.key().scope()));
        facts.fact("key", output.word(record.key().value()));
        facts.fact(
                "state",
                record.state() + " for " + Spans.text(Duration.between(times.stateSince(), review.now())) + ", since "
                        + times.stateSince());
        facts.fact("version", record.version() + "   (what --version asks for)");
        facts.fact("generation", Integer.toString(record.generation()));
        facts.fact("attempt", Integer.toString(record.attempt()));
        facts.fact("native key", output.shown(record.nativeKey()));
        facts.fact("fingerprint", fingerprint == null ? "any payload" : output.shown(Payloads.text(fingerprint)));
        facts.fact(
                "policy",
                terms.policy() + ", if the provider has nothing: " + terms.whenMissing()
                        + span(", quiescence ", terms.quiescence())
                        + span(", same native key within ", terms.resendWithin()));
        facts.fact("result", record.result() == null ? "none" : outcome(output, record.result()));
        facts.fact(
                "request",
                request == null
                        ? "not kept"
                        : "kept, " + request.bytes().length + " bytes, codec " + output.shown(request.codec()));
        facts.fact("created", times.createdAt().toString());
        facts.fact("first sent", times.firstSentAt().toString());
        if (times.leaseUntil() != null) {
            facts.fact("lease until", times.leaseUntil() + (record.isLapsed(review.now()) ? " (over)" : ""));
        }
        facts.fact(
                "expires",
                record.state().isUnresolved()
                        ? "not while it is unresolved"
                        : times.expiresAt() + ", forgotten " + times.forgetAt());
        facts.fact("store's time", review.now().toString());
        facts.print();

        output.line("");
        output.line(output.shown(review.recovery()));
        Instant quiescentAt = review.quiescentAt();
        if (record.state() == State.IN_DOUBT && quiescentAt != null) {
            output.line(
                    review.isQuiescent()
                            ? "\"Not executed\" may be decided since " + quiescentAt + "."
                            : "\"Not executed\" may not be decided before " + quiescentAt
                                    + ": what is in flight may take effect until then.");
        }

        history(output, record);
        pending(output, review);
        Trail.print(output, "Audit trail, newest first:", review.audit());
    }

    private void history(Output output, IdempotencyRecord record) {
        output.line("");
        output.line("History, oldest first:");
        if (record.evidence().isEmpty()) {
            output.line("  none");
            return;
        }
        for (Evidence line : record.evidence()) {
            StoredResult result = line.result();
            output.line("  " + line.at() + "  " + line.kind() + ", attempt " + line.attempt()
                    + (line.detail().isEmpty() ? "" : ": " + output.shown(line.detail()))
                    + (result == null ? "" : " [" + outcome(output, result) + "]"));
        }
    }

    private static void pending(Output output, Review review) {
        if (review.pending().isEmpty()) {
            return;
        }
        output.line("");
        output.line("Override requests that wait for a second person:");
        for (AuditEntry request : review.pending()) {
            var wished = request.fingerprint();
            output.line("  " + request.id() + "  by " + output.shown(request.who()) + ", for "
                    + (wished == null ? "-" : output.shown(Payloads.text(wished))) + ": "
                    + output.shown(request.why()));
        }
    }

    private String outcome(Output output, StoredResult result) {
        String what = result.kind() + ", " + result.size() + " bytes, codec " + output.shown(result.codec());
        if (!showResult) {
            return what + ", not shown";
        }
        String text = Json.utf8(result.bytes());
        return what + ": " + (text == null ? "hex " + HexFormat.of().formatHex(result.bytes()) : output.shown(text));
    }

    private static String span(String name, @Nullable Duration span) {
        return span == null ? "" : name + span;
    }
}

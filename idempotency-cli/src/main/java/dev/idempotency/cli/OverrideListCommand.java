package dev.idempotency.cli;

import dev.idempotency.store.AuditEntry;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "list",
        description = "List the requests, of overrides and withdrawals, that wait for a second person, newest first.",
        footer = {"", "For a script that tells the people who may approve:", "  idempotency override list --json"})
final class OverrideListCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    OverrideListCommand(Environment environment) {
        super(environment);
    }

    @Override
    void run(Output output) {
        try (var open = store.open(environment())) {
            Pending pending = Pending.read(open.admin());
            List<AuditEntry> entries =
                    pending.requests().stream().map(Pending.Request::entry).toList();
            if (output.isJson()) {
                output.document(Json.pending(entries, pending.isWhole()));
                return;
            }
            if (entries.isEmpty()) {
                output.line("No request waits.");
            }
            for (AuditEntry entry : entries) {
                print(output, entry);
            }
            if (!pending.isWhole()) {
                output.line(
                        "The audit trail is long: only its latest entries were read, and an older request may wait.");
            }
        }
    }

    private static void print(Output output, AuditEntry entry) {
        var wished = entry.fingerprint();
        String scope = output.word(entry.key().scope());
        String key = output.word(entry.key().value());
        output.line(scope + " " + key + "  version " + entry.version() + ", asked at " + entry.at() + " by "
                + output.shown(entry.who()));
        output.line("  why: " + output.shown(entry.why()));
        output.line("  evidence: " + output.shown(entry.evidence()));
        output.line((entry.act() == AuditEntry.Act.WITHDRAW ? "  to take back, and count again for: " : "  for: ")
                + (wished == null ? "-" : output.shown(Payloads.text(wished))));
        output.line("  Review it:   idempotency show " + scope + " " + key);
        output.line("  Approve it:  idempotency override approve " + scope + " " + key + " " + entry.id()
                + " --version " + entry.version());
    }
}

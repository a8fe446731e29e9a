package dev.idempotency.cli;

import dev.idempotency.store.AuditEntry;
import java.util.List;

/** The audit trail as text. */
final class Trail {
    private Trail() {}

    static void print(Output output, String title, List<AuditEntry> entries) {
        output.line("");
        output.line(title);
        if (entries.isEmpty()) {
            output.line("  none");
        }
        for (AuditEntry entry : entries) {
            var fingerprint = entry.fingerprint();
            output.line("  " + entry.at() + "  " + entry.act() + " " + entry.phase() + "  "
                    + output.word(entry.key().scope()) + " "
                    + output.word(entry.key().value()) + " version " + entry.version() + ", generation "
                    + entry.generation()
                    + (fingerprint == null ? "" : ", for " + output.shown(Payloads.text(fingerprint))));
            output.line(
                    "    id " + entry.id() + ", by " + output.shown(entry.who()) + ": " + output.shown(entry.why()));
            output.line("    evidence: " + output.shown(entry.evidence())
                    + (entry.detail().isEmpty() ? "" : "; " + output.shown(entry.detail())));
        }
    }
}

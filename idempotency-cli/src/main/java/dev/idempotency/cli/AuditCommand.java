package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "audit",
        description =
                "Read the audit trail, newest first: of one key, or of all. It is kept when records are forgotten.",
        footer = {
            "",
            "  idempotency audit charge-card ORD-1",
            "What people did last, whatever the key:",
            "  idempotency audit --limit 20"
        })
final class AuditCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Parameters(index = "0", arity = "0..1", paramLabel = "SCOPE", description = "With KEY: of this key only.")
    private @Nullable String scope;

    @Parameters(index = "1", arity = "0..1", paramLabel = "KEY", description = "The key's value.")
    private @Nullable String value;

    @Option(names = "--limit", paramLabel = "N", description = "How many at most, from 1 to 1000. Default: 100.")
    private int limit = 100;

    @Option(names = "--before", paramLabel = "CURSOR", description = "The next page, as the page before says.")
    private @Nullable String before;

    AuditCommand(Environment environment) {
        super(environment);
    }

    @Override
    void run(Output output) {
        IdempotencyKey key = key();
        if (limit < 1 || limit > 1000) {
            throw Failure.usage("--limit must be from 1 to 1000");
        }
        AuditEntry last = last();
        try (var open = store.open(environment())) {
            List<AuditEntry> page = open.admin().audit(key, last, limit);
            String next = page.size() < limit ? null : Cursors.of(page.get(page.size() - 1));
            if (output.isJson()) {
                output.document(Json.trail(page, next));
                return;
            }
            Trail.print(output, "Audit trail, newest first:", page);
            if (next != null) {
                output.line("");
                output.line("There may be more: --before " + next);
            }
        }
    }

    private @Nullable IdempotencyKey key() {
        if (scope == null) {
            return null;
        }
        if (value == null) {
            throw Failure.usage("SCOPE goes with KEY; without both it is the trail of all keys");
        }
        try {
            return new IdempotencyKey(Plain.read(scope), Plain.read(value));
        } catch (IllegalArgumentException e) {
            throw Failure.usage("SCOPE or KEY: " + e.getMessage());
        }
    }

    private @Nullable AuditEntry last() {
        if (before == null) {
            return null;
        }
        try {
            return Cursors.entry(before);
        } catch (RuntimeException e) {
            throw Failure.usage("--before is no cursor of a page before");
        }
    }
}

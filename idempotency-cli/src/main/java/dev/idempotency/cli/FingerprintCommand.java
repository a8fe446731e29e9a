package dev.idempotency.cli;

import dev.idempotency.Fingerprint;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "fingerprint",
        description = {
            "Print the fingerprint of a payload: of a request's whole JSON, or of what the operation's fingerprint(..)"
                    + " takes of it. Asks no store."
        },
        footer = {"", "  idempotency fingerprint corrected.json"})
final class FingerprintCommand extends OperatorCommand {
    @Parameters(index = "0", paramLabel = "FILE", description = "The payload, one JSON value.")
    private Path file = Path.of("");

    FingerprintCommand(Environment environment) {
        super(environment);
    }

    @Override
    void run(Output output) {
        Fingerprint fingerprint;
        try {
            fingerprint = Payloads.fingerprint(InputFile.read("FILE", file));
        } catch (IllegalArgumentException e) {
            throw Failure.usage("FILE: " + e.getMessage());
        }
        if (output.isJson()) {
            output.document(Json.fingerprint(fingerprint));
        } else {
            output.line(Payloads.text(fingerprint));
        }
    }
}

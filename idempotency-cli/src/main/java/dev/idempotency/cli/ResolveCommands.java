package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.StoredResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The acts of one person. */
final class ResolveCommands {
    private ResolveCommands() {}

    /** An act that changes the record. */
    private record Change(
            AuditEntry.Act act,
            Function<IdempotencyRecord, String> consequence,
            Function<Admin, IdempotencyRecord> doing,
            Output output)
            implements ActCommand.Act {
        @Override
        public String consequence(Review review) {
            return consequence.apply(review.record());
        }

        @Override
        public void on(Admin admin) {
            IdempotencyRecord after = doing.apply(admin);
            if (output.isJson()) {
                output.document(Json.done(act, after));
            } else {
                output.line("Done: " + output.word(after.key().scope()) + " "
                        + output.word(after.key().value()) + " is " + after.state() + ", version " + after.version()
                        + ", generation " + after.generation() + ".");
            }
        }
    }

    @Command(
            name = "executed",
            description = "The write has happened. Needs no waiting.",
            footer = {
                "",
                "With the result that every caller is to get, as the operation's codec writes it:",
                "  idempotency resolve executed charge-card ORD-1 --version 2 --result result.json --codec json \\",
                "      --by ada --why 'customer waits' --evidence 'ch-1 at the provider'",
                "Without it, every caller gets ResultUnavailableException:",
                "  idempotency resolve executed charge-card ORD-1 --version 2 --result-unknown \\",
                "      --by ada --why 'customer waits' --evidence 'ch-1 at the provider'"
            })
    static final class Executed extends ActCommand {
        @ArgGroup(multiplicity = "1")
        private Result result = new Result();

        /** Known or not: one of both has to be said. */
        static final class Result {
            @Option(names = "--result", paramLabel = "FILE", description = "The encoded result, such as a JSON file.")
            private @Nullable Path file;

            @Option(names = "--result-unknown", description = "What came of it is not known.")
            @SuppressWarnings("UnusedVariable") // the parser acts on it
            private boolean unknown;
        }

        @Option(
                names = "--codec",
                paramLabel = "ID",
                description =
                        "The operation's codec, which wrote the file: json, unless the operation sets one. Needed with"
                                + " --result. The file is stored as it is: JSON can be read by whoever reads the store.")
        private @Nullable String codec;

        Executed(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            StoredResult known = result.file == null ? null : read(result.file, codec);
            return new Change(
                    AuditEntry.Act.EXECUTED,
                    record -> Consequences.executed(known),
                    admin -> {
                        OwnCodec.require(admin, key, known);
                        return admin.resolveExecuted(key, version, known, ruling);
                    },
                    output);
        }

        private static StoredResult read(Path file, @Nullable String codec) {
            if (codec == null) {
                throw Failure.usage(
                        "--result needs --codec: json for an operation that sets none. With an operation that encrypts"
                                + " its results, no caller could read what JSON says, and everybody else could: say"
                                + " --result-unknown there");
            }
            byte[] bytes = InputFile.read("--result", file);
            if (codec.equals(OwnCodec.JSON)) {
                try {
                    Payloads.requireJson(bytes);
                } catch (IllegalArgumentException e) {
                    throw Failure.usage("--result: " + e.getMessage());
                }
            }
            return new StoredResult(StoredResult.Kind.RESULT, codec, bytes);
        }
    }

    @Command(
            name = "declined",
            description = "The provider has declined the write, for good.",
            footer = {
                "",
                "  idempotency resolve declined charge-card ORD-1 --version 2 --reason 'card expired' \\",
                "      --by ada --why 'customer waits' --evidence 'decline 51 at the provider'"
            })
    static final class Declined extends ActCommand {
        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why, in the provider's terms: every caller gets it.")
        private String reason = "";

        Declined(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            StoredResult decline = Declines.of(reason);
            return new Change(
                    AuditEntry.Act.EXECUTED,
                    record -> Consequences.executed(decline),
                    admin -> admin.resolveExecuted(key, version, decline, ruling),
                    output);
        }
    }

    @Command(
            name = "not-executed",
            description = {
                "The write has not happened, and will not: the key is closed.",
                "Refused until the key is quiescent; show says from when on."
            },
            footer = {
                "",
                "  idempotency resolve not-executed charge-card ORD-1 --version 2 \\",
                "      --by ada --why 'order cancelled' --evidence 'no charge for ORD-1 at the provider'"
            })
    static final class NotExecuted extends ActCommand {
        NotExecuted(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Change(
                    AuditEntry.Act.NOT_EXECUTED,
                    record -> Consequences.notExecuted(),
                    admin -> admin.resolveNotExecuted(key, version, ruling),
                    output);
        }
    }

    @Command(
            name = "reexecute",
            description = {
                "The write has not happened, and is to be made: the next execution of the same payload makes the call.",
                "Refused until the key is quiescent; show says from when on. Makes no call itself."
            },
            footer = {
                "",
                "  idempotency reexecute charge-card ORD-1 --version 2 \\",
                "      --by ada --why 'customer waits' --evidence 'no charge for ORD-1 at the provider'"
            })
    static final class ReExecute extends ActCommand {
        ReExecute(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Change(
                    AuditEntry.Act.REEXECUTE,
                    record -> Consequences.reExecute(),
                    admin -> admin.reExecute(key, version, ruling),
                    output);
        }
    }

    @Command(
            name = "reopen",
            description = "Open a closed key for its own payload: its next execution makes the call.",
            footer = {
                "",
                "  idempotency reopen charge-card ORD-1 --version 3 \\",
                "      --by ada --why 'ordered after all' --evidence 'ticket 17'"
            })
    static final class Reopen extends ActCommand {
        Reopen(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Change(
                    AuditEntry.Act.REOPEN,
                    record -> Consequences.reopen(),
                    admin -> admin.reopen(key, version, ruling),
                    output);
        }
    }

    /** Declines as operations store them. */
    static final class Declines {
        private Declines() {}

        static StoredResult of(String reason) {
            if (reason.isBlank()) {
                throw Failure.usage("--reason is blank: every caller gets it");
            }
            try {
                String valid = new DeclinedException(reason).reason();
                return new StoredResult(StoredResult.Kind.DECLINED, "text", valid.getBytes(StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                throw Failure.usage(String.valueOf(e.getMessage()));
            }
        }
    }
}

package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The acts that take two people. */
final class OverrideCommands {
    private OverrideCommands() {}

    /** The request of this id among those that wait; null if there is none. */
    static @Nullable AuditEntry pending(@Nullable Review review, String id) {
        return review == null
                ? null
                : review.pending().stream()
                        .filter(request -> request.id().equals(id))
                        .findFirst()
                        .orElse(null);
    }

    /** The API holds a request to the version that it was made for; this holds it to the one that the second person saw. */
    static void requireReviewed(Admin admin, IdempotencyKey key, String id, long version) {
        AuditEntry request = pending(admin.review(key), id);
        if (request != null && request.version() != version) {
            throw Failure.changed("The request is for version " + request.version() + ", and you reviewed version "
                    + version + "; review it again");
        }
    }

    /** Approves what was asked for; a request that does not wait any more is refused as an override is. */
    static IdempotencyRecord approve(Admin admin, IdempotencyKey key, String id, Ruling ruling) {
        return isWithdrawal(admin, key, id)
                ? admin.approveWithdrawal(key, id, ruling)
                : admin.approveOverride(key, id, ruling);
    }

    /** Refuses what was asked for. */
    static AuditEntry refuse(Admin admin, IdempotencyKey key, String id, Ruling ruling) {
        return isWithdrawal(admin, key, id)
                ? admin.refuseWithdrawal(key, id, ruling)
                : admin.refuseOverride(key, id, ruling);
    }

    /** Looked for in the trail, and not among what waits: a repeated act finds out how the first one ended. */
    private static boolean isWithdrawal(Admin admin, IdempotencyKey key, String id) {
        Review review = admin.review(key);
        return review != null
                && review.audit().stream()
                        .anyMatch(entry -> entry.id().equals(id) && entry.act() == AuditEntry.Act.WITHDRAW);
    }

    private static void tell(Output output, AuditEntry entry, String text) {
        if (output.isJson()) {
            output.document(Json.entry(entry));
        } else {
            output.line(text);
        }
    }

    @Command(
            name = "request",
            description = {
                "Ask that another payload takes over a completed or closed key. Nothing but the audit trail is written.",
                "Void as soon as anything happens to the record."
            },
            footer = {
                "",
                "By the payload's JSON, where the fingerprint is made of the whole request:",
                "  idempotency override request charge-card ORD-1 --version 3 --payload corrected.json \\",
                "      --by ada --why 'wrong amount' --evidence 'ch-1 is refunded'",
                "By the fingerprint that a refused caller was told (MismatchException.offered()):",
                "  idempotency override request charge-card ORD-1 --version 3 \\",
                "      --fingerprint jcs-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \\",
                "      --by ada --why 'wrong amount' --evidence 'ch-1 is refunded'"
            })
    static final class Request extends ActCommand {
        @ArgGroup(multiplicity = "1")
        private Payload payload = new Payload();

        /** One of both. */
        static final class Payload {
            @Option(names = "--fingerprint", paramLabel = "ALGORITHM:DIGEST", description = "The new payload's.")
            private @Nullable String fingerprint;

            @Option(names = "--payload", paramLabel = "FILE", description = "The new payload as JSON.")
            private @Nullable Path file;
        }

        Request(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            Fingerprint wished = wished();
            return new Act() {
                @Override
                public String consequence(Review review) {
                    return Consequences.request(wished);
                }

                @Override
                public void on(Admin admin) {
                    AuditEntry request = admin.requestOverride(key, version, wished, ruling);
                    tell(
                            output,
                            request,
                            "Requested. A second person approves it with: idempotency override approve "
                                    + output.word(key.scope()) + " " + output.word(key.value()) + " " + request.id()
                                    + " --version " + version);
                }
            };
        }

        private Fingerprint wished() {
            try {
                return payload.file != null
                        ? Payloads.fingerprint(InputFile.read("--payload", payload.file))
                        : Payloads.parse(String.valueOf(payload.fingerprint));
            } catch (IllegalArgumentException e) {
                throw Failure.usage("--fingerprint or --payload: " + e.getMessage());
            }
        }
    }

    @Command(
            name = "withdraw",
            description = {
                "Ask to take back an override or a reopening that nobody has used yet: what the key had come to before counts",
                "again. Nothing but the audit trail is written; somebody else approves it with: override approve."
            },
            footer = {
                "",
                "  idempotency override withdraw charge-card ORD-1 --version 4 \\",
                "      --by ada --why 'the new amount was wrong' --evidence 'ticket 19'"
            })
    static final class Withdraw extends ActCommand {
        Withdraw(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Act() {
                @Override
                public String consequence(Review review) {
                    return Consequences.withdraw();
                }

                @Override
                public void on(Admin admin) {
                    AuditEntry request = admin.requestWithdrawal(key, version, ruling);
                    tell(
                            output,
                            request,
                            "Requested. A second person approves it with: idempotency override approve "
                                    + output.word(key.scope()) + " " + output.word(key.value()) + " " + request.id()
                                    + " --version " + version);
                }
            };
        }
    }

    @Command(
            name = "approve",
            description = {
                "Approve an override that somebody else has asked for: the key is open for that payload alone.",
                "Undo the old write at the provider first: an override does not.",
                "Or approve a withdrawal: what the key had come to before it was opened counts again."
            },
            footer = {
                "",
                "  idempotency override approve charge-card ORD-1 3f2a90c1d4e5f60718293a4b5c6d7e8f --version 3 \\",
                "      --by grace --why 'seen with ada' --evidence 'refund re-1'"
            })
    static final class Approve extends ActCommand {
        @Parameters(index = "2", paramLabel = "REQUEST", description = "The id of the request, as show prints it.")
        private String request = "";

        Approve(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Act() {
                @Override
                public String consequence(Review review) {
                    return Consequences.approve(pending(review, request));
                }

                @Override
                public void on(Admin admin) {
                    requireReviewed(admin, key, request, version);
                    IdempotencyRecord after = approve(admin, key, request, ruling);
                    if (output.isJson()) {
                        output.document(Json.done(
                                after.state() == State.OPEN ? AuditEntry.Act.OVERRIDE : AuditEntry.Act.WITHDRAW,
                                after));
                    } else {
                        output.line("Done: " + output.word(key.scope()) + " " + output.word(key.value()) + " is "
                                + after.state()
                                + (after.state() == State.OPEN
                                        ? " for the requested payload"
                                        : " as before it was opened")
                                + ", generation " + after.generation() + ".");
                    }
                }
            };
        }
    }

    @Command(
            name = "refuse",
            description = "Refuse an override or a withdrawal, or take your own request back.",
            footer = {
                "",
                "  idempotency override refuse charge-card ORD-1 3f2a90c1d4e5f60718293a4b5c6d7e8f --version 3 \\",
                "      --by grace --why 'not refunded yet' --evidence 'ch-1 at the provider'"
            })
    static final class Refuse extends ActCommand {
        @Parameters(index = "2", paramLabel = "REQUEST", description = "The id of the request, as show prints it.")
        private String request = "";

        Refuse(Environment environment) {
            super(environment);
        }

        @Override
        Act act(IdempotencyKey key, long version, Ruling ruling, Output output) {
            return new Act() {
                @Override
                public String consequence(Review review) {
                    return Consequences.refuse();
                }

                @Override
                public void on(Admin admin) {
                    requireReviewed(admin, key, request, version);
                    AuditEntry refused = refuse(admin, key, request, ruling);
                    tell(output, refused, "Refused: " + refused.id() + ".");
                }
            };
        }
    }
}

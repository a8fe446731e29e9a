package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.IdempotencyKey;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that decides something: who, why, on what evidence, about which version; and only after a confirmation. */
abstract class ActCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Mixin
    private final KeyParameters key = new KeyParameters();

    @Option(
            names = "--version",
            required = true,
            paramLabel = "N",
            description = "The version that you reviewed, as show prints it.")
    private long version;

    @Option(names = "--by", required = true, paramLabel = "NAME", description = "Who decides: you.")
    private String by = "";

    @Option(names = "--why", required = true, paramLabel = "TEXT", description = "For what reason.")
    private String why = "";

    @Option(
            names = "--evidence",
            required = true,
            paramLabel = "TEXT",
            description = "On what evidence, such as a reference at the provider. No secret, no payload.")
    private String evidence = "";

    @Option(names = "--yes", description = "Do not ask for a confirmation.")
    private boolean yes;

    ActCommand(Environment environment) {
        super(environment);
    }

    /** What is done, and what it does. */
    interface Act {
        /** In words that a person confirms. */
        String consequence(Review review);

        void on(Admin admin);
    }

    /** Checks what only this command has. Nothing was asked of the store yet. */
    abstract Act act(IdempotencyKey key, long version, Ruling ruling, Output output);

    @Override
    final boolean isAct() {
        return true;
    }

    @Override
    final void run(Output output) {
        IdempotencyKey wanted = key.key();
        if (version < 1) {
            throw Failure.usage("--version must be at least 1");
        }
        Act act = act(wanted, version, ruling(), output);
        try (var open = store.open(environment())) {
            if (!yes) {
                confirm(output, open.admin(), wanted, act);
            }
            act.on(open.admin());
        }
    }

    private Ruling ruling() {
        try {
            return new Ruling(by, why, evidence);
        } catch (IllegalArgumentException e) {
            throw Failure.usage("--by, --why or --evidence: " + e.getMessage());
        }
    }

    private void confirm(Output output, Admin admin, IdempotencyKey wanted, Act act) {
        @Nullable Review review = admin.review(wanted);
        if (review == null) {
            throw new Failure(ExitCode.UNKNOWN_KEY, "No record stands for the key: it was never used, or is forgotten");
        }
        var record = review.record();
        output.note(output.word(wanted.scope()) + " " + output.word(wanted.value()) + " is " + record.state()
                + " since " + record.times().stateSince() + ", version " + record.version() + ", generation "
                + record.generation() + ".");
        output.note(act.consequence(review));
        output.note("By " + by + ": " + why + "; evidence: " + evidence);
        String answer = output.ask("Type yes to go on: ");
        if (answer == null) {
            throw new Failure(ExitCode.NOT_CONFIRMED, "Nobody is there to confirm it: nothing was done. Use --yes");
        }
        if (!answer.strip().equalsIgnoreCase("yes")) {
            throw new Failure(ExitCode.NOT_CONFIRMED, "Not confirmed: nothing was done");
        }
    }
}

package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.RefusedException;
import dev.idempotency.store.StoreException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What all commands have in common: their output, and how their failures end. */
abstract class OperatorCommand implements Callable<Integer> {
    private final Environment environment;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser acts on it
    private boolean help;

    OperatorCommand(Environment environment) {
        this.environment = environment;
    }

    /** Which key. */
    static final class KeyParameters {
        @Parameters(index = "0", paramLabel = "SCOPE", description = "The operation's name, or name/tenant.")
        private String scope = "";

        @Parameters(
                index = "1",
                paramLabel = "KEY",
                description =
                        "The key's value. Write both as other commands print them; put -- before a KEY that begins"
                                + " with a hyphen.")
        private String value = "";

        IdempotencyKey key() {
            try {
                return new IdempotencyKey(Plain.read(scope), Plain.read(value));
            } catch (IllegalArgumentException e) {
                throw Failure.usage("SCOPE or KEY: " + e.getMessage());
            }
        }
    }

    final Environment environment() {
        return environment;
    }

    /** Does it, and says what came of it. */
    abstract void run(Output output);

    /** Tells whether a store that failed may have written something. */
    boolean isAct() {
        return false;
    }

    @Override
    public final Integer call() {
        var output = new Output(environment, json);
        try {
            run(output);
            return ExitCode.DONE.code();
        } catch (Failure failure) {
            return end(output, failure);
        } catch (RefusedException refused) {
            return end(output, Failure.of(refused));
        } catch (StoreException failed) {
            return end(output, isAct() ? Failure.of(failed) : Failure.ofRead(failed));
        } catch (RuntimeException fault) {
            int code = end(output, new Failure(ExitCode.FAULT, "Unexpected: " + fault));
            fault.printStackTrace(environment.err());
            return code;
        }
    }

    private static int end(Output output, Failure failure) {
        output.failed(failure);
        return failure.code().code();
    }
}

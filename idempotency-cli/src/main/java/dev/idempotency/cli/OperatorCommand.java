package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.RefusedException;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What all commands have in common: their output, and how their failures end. */
abstract class OperatorCommand implements Callable<Integer> {
    private Environment environment;

    @Option(
            names = "--time-limit",
            paramLabel = "SPAN",
            converter = SpanConverter.class,
            description = "How long it may take, without the time that you take to answer. Default: 1m.")
    private Duration timeLimit = Duration.ofMinutes(1);

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

    /** Whether it ends by itself. */
    boolean isBounded() {
        return true;
    }

    @Override
    public final Integer call() {
        if (!isBounded()) {
            return end(new Output(environment, json));
        }
        Environment world = environment;
        if (timeLimit.isNegative() || timeLimit.isZero()) {
            return end(new Output(world, json), Failure.usage("--time-limit must be more than zero"));
        }
        var limit = new TimeLimit(timeLimit);
        environment = limit.around(world);
        var output = new Output(environment, json);
        try {
            return limit.call(() -> end(output));
        } catch (TimeoutException late) {
            output.end();
            return end(new Output(world, json), Failure.late(timeLimit, isAct()));
        } catch (InterruptedException e) {
            output.end();
            Thread.currentThread().interrupt();
            return end(new Output(world, json), Failure.late(timeLimit, isAct()));
        } catch (ExecutionException e) {
            int code = end(new Output(world, json), new Failure(ExitCode.FAULT, "Unexpected: " + e.getCause()));
            new Output(world, json).trace(e);
            return code;
        }
    }

    private Integer end(Output output) {
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
            output.trace(fault);
            return code;
        }
    }

    private static int end(Output output, Failure failure) {
        output.failed(failure);
        return failure.code().code();
    }
}

package dev.idempotency.testkit.app;

import dev.idempotency.testkit.StoreFault;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What happens to an application, step by step. Immutable. Prints itself for people, one step per line.
 *
 * @param requests the requests that the steps are about, each a write of its own
 * @param steps what happens
 * @param <I> the request
 * @since 0.1.0
 */
public record Program<I>(List<I> requests, List<Step> steps) {
    /** How many processes of the application there are. */
    public static final int PROCESSES = 2;

    /** What becomes of one request on its way to the provider, in it, or on the way back. */
    public enum Fate {
        /** The provider does it and answers. */
        ANSWERED,
        /** The provider does it and answers, and meanwhile another process executes the same request. */
        ANSWERED_MEANWHILE_ANOTHER,
        /** The provider declines. */
        DECLINED,
        /** The provider says 429 before it looks at anything. */
        REFUSED_429,
        /** No connection: nothing is sent. */
        NO_CONNECTION,
        /** The connection breaks before the request is there. */
        REQUEST_LOST,
        /** The provider does it; the connection breaks. */
        REPLY_LOST,
        /** The provider does it; no answer comes in time. */
        TIMED_OUT,
        /** The provider does it; no answer comes in time, and meanwhile another process executes the same request. */
        TIMED_OUT_MEANWHILE_ANOTHER,
        /** No answer comes in time; the request arrives as late as it may. */
        ARRIVES_LATE,
        /** The provider does it and says 500. */
        ERROR_AFTER,
        /** The provider says 500 and has done nothing. */
        ERROR_BEFORE,
        /** The process stands still before the first byte, for as long as it may; then all is well. */
        PAUSED_BEFORE,
        /** The process dies before the first byte. */
        DIES_BEFORE,
        /** The provider does it; the process dies before it hears of it. */
        DIES_AFTER
    }

    /**
     * What goes wrong with one step at the store.
     *
     * @param nth which step of the execution, from 1
     * @param fault what
     * @param lasting whether it goes on with all later steps of the execution
     */
    public record Trouble(int nth, StoreFault fault, boolean lasting) {}

    /** One thing that happens. */
    public sealed interface Step {
        /**
         * A process executes a request.
         *
         * @param process which, from 0
         * @param request which, from 0
         * @param fates what becomes of its sends, one after the other; after the last one all is well
         * @param failingLookups how many of its lookups get no answer
         * @param trouble what goes wrong with the store; null for nothing
         */
        record Execute(
                int process,
                int request,
                List<Fate> fates,
                int failingLookups,
                @Nullable Trouble trouble) implements Step {
            @Override
            public String toString() {
                return "process " + process + " executes request " + request + (fates.isEmpty() ? "" : " " + fates)
                        + (failingLookups == 0 ? "" : ", " + failingLookups + " lookups fail")
                        + (trouble == null
                                ? ""
                                : ", store: " + trouble.fault() + (trouble.lasting() ? " from step " : " at step ")
                                        + trouble.nth());
            }
        }

        /**
         * Time passes.
         *
         * @param duration how long
         */
        record Elapse(Duration duration) implements Step {
            @Override
            public String toString() {
                return duration + " pass";
            }
        }

        /**
         * A process is killed; it starts again when it is next needed.
         *
         * @param process which, from 0
         */
        record Kill(int process) implements Step {
            @Override
            public String toString() {
                return "process " + process + " is killed";
            }
        }
    }

    /**
     * Checks and copies.
     *
     * @param requests as described above
     * @param steps as described above
     * @throws NullPointerException if an argument or an element is null
     * @throws IllegalArgumentException if there is no request, or a step speaks of a process that is not there
     * @throws IndexOutOfBoundsException if a step speaks of a request that is not there
     */
    public Program {
        requests = List.copyOf(requests);
        steps = List.copyOf(steps);
        if (requests.isEmpty()) {
            throw new IllegalArgumentException("requests is empty");
        }
        for (Step step : steps) {
            if (step instanceof Step.Execute execute) {
                Objects.checkIndex(execute.request(), requests.size());
                requireProcess(execute.process());
            } else if (step instanceof Step.Kill kill) {
                requireProcess(kill.process());
            }
        }
    }

    private static void requireProcess(int process) {
        if (process < 0 || process >= PROCESSES) {
            throw new IllegalArgumentException("process is " + process + "; there are " + PROCESSES);
        }
    }

    /**
     * Runs it on an application in a new world. When it is over, the faults stop, and every request is executed again until it is
     * resolved or time is up.
     *
     * @param app the application
     * @param <O> the result
     * @return what happened, one line each, for people
     * @throws MistakeError if a promise was broken; the message names the mistake, and has the program and what happened
     */
    public <O> List<String> run(App<I, O> app) {
        return new World<>(app, this).run();
    }

    /** One step per line. */
    @Override
    public String toString() {
        var text = new StringBuilder("Program");
        for (int i = 0; i < requests.size(); i++) {
            text.append("\n  request ").append(i).append(" is ").append(requests.get(i));
        }
        for (int i = 0; i < steps.size(); i++) {
            text.append("\n  ").append(i + 1).append(". ").append(steps.get(i));
        }
        return text.toString();
    }
}

package dev.idempotency.examples.payments;

import dev.idempotency.DeclinedException;
import dev.idempotency.InDoubtException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ResultUnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The part of an application that calls: several callers for each row at the same time, all of which try again after every
 * failure that is not definite. They know nothing of keys, doubts or duplicates. Thread-safe.
 */
final class Callers implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int LEAST_TRIES = 3;

    /** What a caller calls: an operation of the library, or the provider itself. */
    interface Charging {
        Charge charge(Order order) throws Exception;
    }

    /** What a caller ended with. */
    enum Outcome {
        CHARGED("charged"),
        DECLINED("declined"),
        MISMATCH("refused: the order has another payload"),
        NOT_EXECUTED("not executed"),
        IN_DOUBT("in doubt"),
        GAVE_UP("no answer");

        private final String text;

        Outcome(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /**
     * The end of one caller.
     *
     * @param charge null unless the outcome is {@link Outcome#CHARGED}
     * @param failure what it met instead, for people; null if it is charged
     */
    record Answer(
            Orders.Row row,
            Outcome outcome,
            @Nullable Charge charge,
            @Nullable String failure) {
        /** The order's id. */
        String id() {
            return row.order().id();
        }
    }

    private record Caller(Orders.Row row, long since, CompletableFuture<Answer> answer) {}

    private final ScheduledExecutorService workers;
    private final Charging charging;
    private final Duration patienceInDoubt;
    private final Witness witness;

    Callers(Charging charging, int workers, Duration patienceInDoubt, Witness witness) {
        this.charging = charging;
        this.workers = Executors.newScheduledThreadPool(workers);
        this.patienceInDoubt = patienceInDoubt;
        this.witness = witness;
    }

    /** Lets one caller call for each row, all at the same time, and waits for all of them. */
    List<Answer> call(List<Orders.Row> rows) {
        var answers = new ArrayList<CompletableFuture<Answer>>();
        for (Orders.Row row : rows) {
            var answer = new CompletableFuture<Answer>();
            answers.add(answer);
            workers.execute(() -> attempt(new Caller(row, System.nanoTime(), answer), 1));
        }
        return answers.stream().map(CompletableFuture::join).toList();
    }

    /** A caller that waits holds no thread. */
    private void after(Duration delay, Caller caller, int tries) {
        var unused = workers.schedule(() -> attempt(caller, tries), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void attempt(Caller caller, int tries) {
        try {
            end(caller, Outcome.CHARGED, charging.charge(caller.row().order()), null);
        } catch (DeclinedException e) {
            end(caller, Outcome.DECLINED, null, e);
        } catch (MismatchException e) {
            end(caller, Outcome.MISMATCH, null, e);
        } catch (ResultUnavailableException e) {
            end(caller, Outcome.GAVE_UP, null, e);
        } catch (NotExecutedException e) {
            if (e.isClosed()) {
                end(caller, Outcome.NOT_EXECUTED, null, e);
            } else {
                again(caller, tries, e, Outcome.NOT_EXECUTED);
            }
        } catch (InDoubtException e) {
            again(caller, tries, e, Outcome.IN_DOUBT);
        } catch (Exception e) {
            again(caller, tries, e, Outcome.GAVE_UP);
        } catch (Error e) {
            caller.answer().completeExceptionally(e);
            throw e;
        }
    }

    private void again(Caller caller, int tries, Exception failure, Outcome otherwise) {
        Duration patience = otherwise == Outcome.IN_DOUBT ? patienceInDoubt : PATIENCE;
        if (tries >= LEAST_TRIES && System.nanoTime() - caller.since() > patience.toNanos()) {
            end(caller, otherwise, null, failure);
        } else {
            witness.saw(Witness.Sight.RETRY, otherwise.name());
            after(delay(failure, tries), caller, tries + 1);
        }
    }

    /** Twice as long each time, from 50 ms to a second; at once a second where the library has to wait anyway. */
    private static Duration delay(Exception failure, int tries) {
        boolean isWaiting = failure instanceof InDoubtException doubt
                && doubt.resolvableAt().isPresent();
        return Duration.ofMillis(isWaiting ? 1000 : Math.min(1000, 25L << Math.min(tries, 10)));
    }

    private void end(Caller caller, Outcome outcome, @Nullable Charge charge, @Nullable Exception failure) {
        var answer = new Answer(caller.row(), outcome, charge, failure == null ? null : failure.toString());
        witness.answered(answer);
        caller.answer().complete(answer);
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}

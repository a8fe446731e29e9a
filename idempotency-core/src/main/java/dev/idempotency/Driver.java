package dev.idempotency;

import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.WakingStore;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what executions want done: in the caller's thread, or in no thread in particular. Whatever the user's code, the store or
 * an executor throws ends the step that it was thrown in, and with it, if need be, the run; a run that cannot go on leaves its
 * lease to lapse.
 */
final class Driver {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final Audience audience;
    private final IdempotencyStore store;
    private final Workers workers;

    Driver(Audience audience, IdempotencyStore store, Workers workers) {
        this.audience = audience;
        this.store = store;
        this.workers = workers;
    }

    /** Where tasks of runs that are under way are run. */
    Executor threads() {
        return workers.goingOn();
    }

    /** Where tasks are run that must not wait until a call has ended. */
    Executor threadsSoon() {
        return workers.goingOnSoon();
    }

    /** Begins to watch a run. */
    Watch watch(IdempotencyListener.Run run, IdempotencyKey key) {
        return audience.watch(run, key);
    }

    /**
     * Runs to the end in this thread. An interrupt ends a wait; it reaches the call like any interrupt, never ends a step of
     * the store, and is there again afterwards.
     */
    <R> R run(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> first) {
        boolean interrupted = false;
        try {
            Step<R> step = first;
            while (true) {
                interrupted |= Thread.interrupted();
                if (step instanceof Step.Done<R> done) {
                    continueAfterwards(spec, execution, done);
                    return done.answer();
                }
                if (step instanceof Step.Ask<R> ask) {
                    step = ask.then().apply(ask(ask.request()));
                } else if (step instanceof Step.Pause<R> pause) {
                    boolean called = pause(execution, pause, interrupted);
                    interrupted |= called;
                    step = called && pause.onInterrupt() != null
                            ? pause.onInterrupt().get()
                            : pause.then().get();
                } else if (step instanceof Step.Transact<R> transact) {
                    Step.Ending ending = interruptibly(interrupted, () -> transact(spec, execution, transact));
                    interrupted |= ending.failure() instanceof InterruptedException;
                    step = transact.then().apply(ending);
                } else if (step instanceof Step.Call<R> call && spec.call() != null) {
                    Step.Outcome outcome = interruptibly(interrupted, () -> call(spec, execution, call));
                    interrupted |= outcome.failure() instanceof InterruptedException;
                    step = call.then().apply(outcome);
                } else {
                    CompletableFuture<Supplier<Step<R>>> next = begin(spec, execution, step);
                    Waits.endsUninterruptibly(next, Long.MAX_VALUE);
                    step = ended(next).get();
                }
            }
        } catch (Throwable e) {
            execution.abandon();
            throw e;
        } finally {
            execution.stopWaiting();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** An interrupt that came before is there when the user's code runs. */
    private static <T> T interruptibly(boolean interrupted, Supplier<T> code) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return code.get();
    }

    private static <T> T ended(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    /**
     * Runs to the end, holding a thread only while code of the user's runs, or the store is asked and needs one for it.
     *
     * @param result ends in any case; exceptionally if a step could not be begun
     * @throws RuntimeException if no thread can be had, as {@link Error} may be thrown; nothing was done then
     */
    <R> void start(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> first, CompletableFuture<R> result) {
        var unused = result.whenComplete((answer, failure) -> execution.stopWaiting());
        if (first instanceof Step.Ask && store instanceof AsyncStore) {
            goOn(begin(spec, execution, first), spec, execution, result);
        } else {
            workers.begin(() -> advance(spec, execution, () -> first, result));
        }
    }

    private <R> void goOn(
            CompletableFuture<Supplier<Step<R>>> next,
            OperationSpec<?, ?> spec,
            Execution<?, ?> execution,
            CompletableFuture<R> result) {
        // Where no thread can be had, the stage fails that it should have run.
        var unused = next.thenAcceptAsync(then -> advance(spec, execution, then, result), threads())
                .whenComplete((nothing, failure) -> {
                    if (failure != null) {
                        fail(execution, failure, result);
                    }
                });
    }

    private <R> void advance(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Supplier<Step<R>> first, CompletableFuture<R> result) {
        try {
            Step.Done<R> done = asFarAsThisThreadGets(spec, execution, first, result);
            if (done != null) {
                continueAfterwards(spec, execution, done);
                result.complete(done.answer());
            }
        } catch (Throwable e) {
            fail(execution, e, result);
        }
    }

    /** The end, or null if it goes on in another thread. */
    private <R> Step.@Nullable Done<R> asFarAsThisThreadGets(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Supplier<Step<R>> first, CompletableFuture<R> result) {
        Idempotency.Tracing.Scope scope = execution.watch().enter();
        try {
            Step<R> step = first.get();
            while (true) {
                if (step instanceof Step.Done<R> done) {
                    return done;
                }
                CompletableFuture<Supplier<Step<R>>> next = begin(spec, execution, step);
                if (!next.isDone()) {
                    goOn(next, spec, execution, result);
                    return null;
                }
                step = ended(next).get();
            }
        } finally {
            scope.close();
        }
    }

    private static void fail(Execution<?, ?> execution, Throwable failure, CompletableFuture<?> result) {
        execution.abandon();
        result.completeExceptionally(
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure);
    }

    /** The caller gets his answer in any case. */
    private <R> void continueAfterwards(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Done<R> done) {
        Step<?> afterwards = done.afterwards();
        if (afterwards == null) {
            return;
        }
        try {
            goOnWithoutCaller(spec, execution, afterwards);
        } catch (Throwable e) {
            LOG.error(
                    "What is left to be recorded for {} is given up, because no thread can be had; the key comes into doubt",
                    execution.key(),
                    e);
        }
    }

    private <R> void goOnWithoutCaller(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> step) {
        var result = new CompletableFuture<R>();
        workers.goOn(() -> advance(spec, execution, () -> step, result));
    }

    /** Begins a step. What it completes with tells what follows, in the thread that goes on. */
    private <R> CompletableFuture<Supplier<Step<R>>> begin(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> step) {
        if (step instanceof Step.Ask<R> ask) {
            return asking(ask.request()).thenApply(reply -> () -> ask.then().apply(reply));
        }
        if (step instanceof Step.Pause<R> pause) {
            return elapsed(execution, pause).thenApply(nothing -> pause.then());
        }
        if (step instanceof Step.Call<R> call) {
            return spec.asyncCall() == null
                    ? CompletableFuture.completedFuture(() -> call.then().apply(call(spec, execution, call)))
                    : callAsync(spec, execution, call)
                            .thenApply(outcome -> () -> call.then().apply(outcome));
        }
        if (step instanceof Step.Transact<R> transact) {
            return CompletableFuture.completedFuture(() -> transact.then().apply(transact(spec, execution, transact)));
        }
        if (step instanceof Step.Investigate<R> investigate) {
            return investigate(spec, execution, investigate)
                    .thenApply(outcome -> () -> investigate.then().apply(outcome));
        }
        throw new IllegalStateException("nothing follows " + step);
    }

    /** Asks the store; without a thread that waits for it, where the store can do that. Never fails. */
    CompletableFuture<Step.Reply> asking(Step.Request request) {
        return store instanceof AsyncStore async
                ? askAsync(async, request)
                : CompletableFuture.completedFuture(ask(request));
    }

    private CompletableFuture<Step.Reply> askAsync(AsyncStore asked, Step.Request request) {
        long from = audience.isListening() ? audience.nanoTime() : 0;
        CompletionStage<Snapshot> stage;
        try {
            stage = Objects.requireNonNull(request.start().apply(asked), "the store returned null instead of a stage");
        } catch (RuntimeException | VirtualMachineError | LinkageError | AssertionError e) {
            // As below.
            stage = CompletableFuture.failedStage(e);
        }
        var reply = new CompletableFuture<Step.Reply>();
        stage.whenComplete((snapshot, failure) -> {
            // A listener may throw what nobody catches for it, and the run waits for the reply.
            try {
                if (audience.isListening()) {
                    audience.tellStep(request.name(), from, failure != null);
                }
            } finally {
                reply.complete(failure == null ? reply(snapshot) : new Step.Reply(null, storeException(failure)));
            }
        });
        return reply;
    }

    Step.Reply ask(Step.Request request) {
        if (!audience.isListening()) {
            return asked(request);
        }
        long from = audience.nanoTime();
        Step.Reply reply = asked(request);
        audience.tellStep(request.name(), from, reply.failure() != null);
        return reply;
    }

    private Step.Reply asked(Step.Request request) {
        try {
            return reply(request.run().apply(store));
        } catch (RuntimeException | VirtualMachineError | LinkageError | AssertionError e) {
            // An error that is neither the JVM's nor an assertion's says that this process is to end here.
            return new Step.Reply(null, storeException(e));
        }
    }

    private static Step.Reply reply(@Nullable Snapshot snapshot) {
        return snapshot == null
                ? new Step.Reply(null, new StoreException("The store returned null", true, null))
                : new Step.Reply(snapshot, null);
    }

    private static StoreException storeException(Throwable failure) {
        Throwable reason =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return reason instanceof StoreException known
                ? known
                : new StoreException("The store failed unexpectedly", true, reason);
    }

    private static <R> Step.Outcome call(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Call<R> call) {
        try {
            return new Step.Outcome(untyped(spec).requireCall().call(execution.request(), call.attempt()), null);
        } catch (Throwable t) {
            return new Step.Outcome(null, t);
        }
    }

    private static <R> Step.Ending transact(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Transact<R> step) {
        return untyped(spec).requireSameTransaction().run(execution.request(), step.attempt(), step.recording());
    }

    private static <R> CompletableFuture<Step.Outcome> callAsync(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Call<R> call) {
        try {
            CompletionStage<?> stage = untyped(spec).requireAsyncCall().call(execution.request(), call.attempt());
            if (stage == null) {
                throw new NullPointerException("the call returned null instead of a stage");
            }
            var outcome = new CompletableFuture<Step.Outcome>();
            stage.whenComplete((value, failure) -> outcome.complete(new Step.Outcome(value, failure)));
            return outcome;
        } catch (Throwable t) {
            return CompletableFuture.completedFuture(new Step.Outcome(null, t));
        }
    }

    /** A lookup or seal, on a thread of its own: one that hangs is interrupted and given up. */
    private <R> CompletableFuture<Step.Outcome> investigate(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Investigate<R> step) {
        var outcome = new CompletableFuture<Step.Outcome>();
        Watch watch =
                execution.watch().within(step.seal() ? IdempotencyListener.Run.SEAL : IdempotencyListener.Run.LOOKUP);
        var task = new FutureTask<@Nullable Void>(
                () -> outcome.complete(investigated(watch, spec, execution, step)), null);
        long limit = spec.recoveryTimeout().toNanos();
        var noAnswer = new TimeoutException("no answer after " + Durations.text(spec.recoveryTimeout()));
        var late = new Step.Outcome(null, noAnswer);
        ScheduledFuture<?> timeout;
        try {
            timeout = workers.after(limit, () -> outcome.complete(late));
            workers.goOn(task);
        } catch (Throwable e) {
            watch.ended(e);
            return CompletableFuture.completedFuture(new Step.Outcome(null, e));
        }
        if (workers.hasTimerOfTheUsers()) {
            outcome.completeOnTimeout(late, Workers.forgottenAfter(limit), TimeUnit.NANOSECONDS);
        }
        return outcome.whenComplete((value, failure) -> {
            timeout.cancel(false);
            if (value != null && value.failure() == noAnswer) {
                task.cancel(true);
            }
            watch.answered(value);
        });
    }

    private static <R> Step.Outcome investigated(
            Watch watch, OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Investigate<R> step) {
        Idempotency.Tracing.Scope scope = watch.enter();
        try {
            return new Step.Outcome(untyped(spec).investigate(execution.request(), step.attempt(), step.seal()), null);
        } catch (Throwable t) {
            return new Step.Outcome(null, t);
        } finally {
            scope.close();
        }
    }

    @SuppressWarnings("unchecked") // execution and spec belong together
    private static OperationSpec<Object, @Nullable Object> untyped(OperationSpec<?, ?> spec) {
        return (OperationSpec<Object, @Nullable Object>) spec;
    }

    private CompletableFuture<@Nullable Void> elapsed(Execution<?, ?> execution, Step.Pause<?> pause) {
        long nanos = Waits.nanos(pause.duration());
        var elapsed = new CompletableFuture<@Nullable Void>();
        var unused = workers.after(nanos, () -> elapsed.complete(null));
        wake(execution, pause, elapsed);
        return workers.hasTimerOfTheUsers()
                ? elapsed.completeOnTimeout(null, Workers.forgottenAfter(nanos), TimeUnit.NANOSECONDS)
                : elapsed;
    }

    private void wake(Execution<?, ?> execution, Step.Pause<?> pause, CompletableFuture<@Nullable Void> elapsed) {
        if (pause.mayBeWoken() && store instanceof WakingStore waking) {
            var unused = execution.woken(waking).thenRun(() -> elapsed.complete(null));
        }
    }

    /**
     * Waits in this thread, and needs no other: a timer of the user's can end the pause earlier, but need not.
     *
     * @return whether this thread was interrupted; a pause that may be ends then
     */
    private <R> boolean pause(Execution<?, ?> execution, Step.Pause<R> pause, boolean alreadyInterrupted) {
        if (alreadyInterrupted && pause.onInterrupt() != null) {
            return true;
        }
        long nanos = Waits.nanos(pause.duration());
        var elapsed = new CompletableFuture<@Nullable Void>();
        wake(execution, pause, elapsed);
        ScheduledFuture<?> early = workers.early(nanos, () -> elapsed.complete(null));
        try {
            if (pause.onInterrupt() == null) {
                Waits.endsUninterruptibly(elapsed, nanos);
                return Thread.interrupted();
            }
            Waits.ends(elapsed, nanos);
            return false;
        } catch (InterruptedException e) {
            return true;
        } finally {
            if (early != null) {
                early.cancel(false);
            }
        }
    }
}

package dev.idempotency;

import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.WakingStore;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Does what executions want done: in the caller's thread, or in no thread in particular. */
final class Driver {
    private final Audience audience;
    private final IdempotencyStore store;
    private final ExecutorService executor;
    private final ScheduledExecutorService scheduler;

    Driver(Audience audience, IdempotencyStore store, ExecutorService executor, ScheduledExecutorService scheduler) {
        this.audience = audience;
        this.store = store;
        this.executor = executor;
        this.scheduler = scheduler;
    }

    /** Begins to watch a run. */
    Watch watch(IdempotencyListener.Run run, IdempotencyKey key) {
        return audience.watch(run, key);
    }

    /**
     * Runs to the end in this thread. An interrupt ends a wait for somebody else; it never ends a step of the store, and
     * is there again afterwards.
     *
     * @throws InterruptedException if a pause that may be interrupted was; the execution owned nothing by then
     */
    <R> R run(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> first) throws InterruptedException {
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
                    interrupted |= pause(execution, pause, interrupted);
                    step = pause.then().get();
                } else if (step instanceof Step.Transact<R> transact) {
                    Step.Ending ending = transact(spec, execution, transact);
                    interrupted |= ending.failure() instanceof InterruptedException;
                    step = transact.then().apply(ending);
                } else if (step instanceof Step.Call<R> call && spec.call() != null) {
                    Step.Outcome outcome = call(spec, execution, call);
                    interrupted |= outcome.failure() instanceof InterruptedException;
                    step = call.then().apply(outcome);
                } else {
                    step = uninterruptibly(begin(spec, execution, step)).get();
                }
            }
        } catch (RuntimeException | Error e) {
            execution.abandon();
            throw e;
        } finally {
            execution.stopWaiting();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Runs to the end, holding a thread only while code of the user's runs, or the store is asked and needs one for it. */
    <R> CompletableFuture<R> start(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> first) {
        var result = new CompletableFuture<R>();
        if (first instanceof Step.Ask && store instanceof AsyncStore) {
            goOn(begin(spec, execution, first), spec, execution, result);
        } else {
            executor.execute(() -> advance(spec, execution, () -> first, result));
        }
        var unused = result.whenComplete((answer, failure) -> execution.stopWaiting());
        return result;
    }

    private <R> void goOn(
            CompletableFuture<Supplier<Step<R>>> next,
            OperationSpec<?, ?> spec,
            Execution<?, ?> execution,
            CompletableFuture<R> result) {
        // An executor that refuses fails the stage that it should have run.
        var unused = next.thenAcceptAsync(then -> advance(spec, execution, then, result), executor)
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
        } catch (RuntimeException | Error e) {
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
                step = next.join().get();
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

    private <R> void continueAfterwards(OperationSpec<?, ?> spec, Execution<?, ?> execution, Step.Done<R> done) {
        if (done.afterwards() != null) {
            var unused = start(spec, execution, done.afterwards());
        }
    }

    /** Begins a step. What it completes with tells what follows, in the thread that goes on. */
    private <R> CompletableFuture<Supplier<Step<R>>> begin(
            OperationSpec<?, ?> spec, Execution<?, ?> execution, Step<R> step) {
        if (step instanceof Step.Ask<R> ask) {
            return store instanceof AsyncStore async
                    ? askAsync(async, ask.request())
                            .thenApply(reply -> () -> ask.then().apply(reply))
                    : CompletableFuture.completedFuture(() -> ask.then().apply(ask(ask.request())));
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

    private CompletableFuture<Step.Reply> askAsync(AsyncStore asked, Step.Request request) {
        long from = audience.isListening() ? audience.nanoTime() : 0;
        CompletionStage<Snapshot> stage;
        try {
            stage = Objects.requireNonNull(request.start().apply(asked), "the store returned null instead of a stage");
        } catch (RuntimeException e) {
            stage = CompletableFuture.failedStage(e);
        }
        var reply = new CompletableFuture<Step.Reply>();
        stage.whenComplete((snapshot, failure) -> {
            if (audience.isListening()) {
                audience.tellStep(request.name(), from, failure != null);
            }
            reply.complete(
                    failure == null ? new Step.Reply(snapshot, null) : new Step.Reply(null, storeException(failure)));
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
            return new Step.Reply(request.run().apply(store), null);
        } catch (RuntimeException e) {
            return new Step.Reply(null, storeException(e));
        }
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
        Future<?> running = executor.submit(() -> outcome.complete(investigated(watch, spec, execution, step)));
        Duration limit = spec.recoveryTimeout();
        ScheduledFuture<?> timeout = scheduler.schedule(
                () -> {
                    var late = new TimeoutException("no answer after " + limit);
                    if (outcome.complete(new Step.Outcome(null, late))) {
                        running.cancel(true);
                    }
                },
                limit.toNanos(),
                TimeUnit.NANOSECONDS);
        return outcome.whenComplete((value, failure) -> {
            timeout.cancel(false);
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

    private CompletableFuture<@Nullable Void> after(Duration duration) {
        var elapsed = new CompletableFuture<@Nullable Void>();
        var unused = scheduler.schedule(() -> elapsed.complete(null), duration.toNanos(), TimeUnit.NANOSECONDS);
        return elapsed;
    }

    private CompletableFuture<@Nullable Void> elapsed(Execution<?, ?> execution, Step.Pause<?> pause) {
        CompletableFuture<@Nullable Void> elapsed = after(pause.duration());
        if (pause.mayBeWoken() && store instanceof WakingStore waking) {
            var unused = execution.woken(waking).thenRun(() -> elapsed.complete(null));
        }
        return elapsed;
    }

    /** Tells whether this thread was interrupted meanwhile; the pause is then shorter, or over at once. */
    private <R> boolean pause(Execution<?, ?> execution, Step.Pause<R> pause, boolean alreadyInterrupted)
            throws InterruptedException {
        CompletableFuture<@Nullable Void> elapsed = elapsed(execution, pause);
        if (pause.mayBeInterrupted()) {
            if (alreadyInterrupted) {
                throw new InterruptedException();
            }
            try {
                elapsed.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            }
            return false;
        }
        boolean interrupted = false;
        while (true) {
            try {
                elapsed.get();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static <R> R uninterruptibly(CompletableFuture<R> future) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException failure) {
                        throw failure;
                    }
                    if (e.getCause() instanceof Error error) {
                        throw error;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

package dev.idempotency;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Many runs, so many of them at the same time: whenever one ends, the next begins. */
final class Batch<I, O extends @Nullable Object> {
    private final List<I> requests;
    private final int atOnce;
    private final Function<I, CompletableFuture<O>> run;
    private final List<CompletableFuture<O>> outcomes;
    private final AtomicInteger begun = new AtomicInteger();

    Batch(List<I> requests, int atOnce, Function<I, CompletableFuture<O>> run) {
        if (atOnce < 1) {
            throw new IllegalArgumentException("atOnce is " + atOnce + "; it must be at least 1");
        }
        this.requests = requests;
        this.atOnce = atOnce;
        this.run = run;
        this.outcomes = Stream.generate(CompletableFuture<O>::new)
                .limit(requests.size())
                .toList();
    }

    List<CompletableFuture<O>> start() {
        for (int i = 0; i < Math.min(atOnce, requests.size()); i++) {
            goOn();
        }
        return outcomes;
    }

    /** One after the other, until there is one to be waited for. */
    private void goOn() {
        int i;
        while ((i = begun.getAndIncrement()) < requests.size()) {
            CompletableFuture<O> outcome = outcomes.get(i);
            CompletableFuture<O> running = begin(requests.get(i));
            boolean ended = running.isDone();
            var unused = running.whenComplete((result, failure) -> {
                // The next begins first: what depends on an outcome is code of the caller's, and may wait for the next.
                if (!ended) {
                    goOn();
                }
                if (failure == null) {
                    outcome.complete(result);
                } else {
                    outcome.completeExceptionally(failure);
                }
            });
            if (!ended) {
                return;
            }
        }
    }

    private CompletableFuture<O> begin(I request) {
        try {
            return run.apply(request);
        } catch (Throwable e) {
            // One request that cannot be begun must not keep the others from it.
            return CompletableFuture.failedFuture(e);
        }
    }
}

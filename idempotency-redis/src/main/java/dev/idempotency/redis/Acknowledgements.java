package dev.idempotency.redis;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How many replicas have the writes of one connection. A WAIT keeps the whole connection waiting, so there is one at a time, and
 * whatever was written before it shares its answer: without that, each write would wait for the WAITs of all before it.
 * Thread-safe.
 */
final class Acknowledgements {
    private @Nullable CompletableFuture<Long> underWay;
    private @Nullable CompletableFuture<Long> next;

    /** The answer to a WAIT that is sent after this call. */
    CompletableFuture<Long> next(Supplier<CompletableFuture<Long>> ask) {
        CompletableFuture<Long> mine;
        synchronized (this) {
            if (next != null) {
                return next.copy();
            }
            mine = new CompletableFuture<>();
            if (underWay != null) {
                next = mine;
                var unused = underWay.whenComplete((acknowledged, failure) -> send(mine, ask));
                return mine.copy();
            }
            underWay = mine;
        }
        start(mine, ask);
        return mine.copy();
    }

    private void send(CompletableFuture<Long> waiting, Supplier<CompletableFuture<Long>> ask) {
        synchronized (this) {
            underWay = waiting;
            next = null;
        }
        start(waiting, ask);
    }

    private void start(CompletableFuture<Long> mine, Supplier<CompletableFuture<Long>> ask) {
        CompletableFuture<Long> answer;
        try {
            answer = ask.get();
        } catch (RuntimeException | Error e) {
            answer = CompletableFuture.failedFuture(e);
        }
        var unused = answer.whenComplete((acknowledged, failure) -> {
            synchronized (this) {
                if (underWay == mine && next == null) {
                    underWay = null;
                }
            }
            if (failure == null) {
                mine.complete(acknowledged);
            } else {
                mine.completeExceptionally(failure);
            }
        });
    }
}

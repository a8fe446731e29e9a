package dev.idempotency;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Waits of a caller in its own thread. Each has a deadline of its own, and none runs anybody's tasks meanwhile:
 * {@link CompletableFuture#get} does on a thread of a fork-join pool, and such a task would find itself inside the
 * transaction that this thread has joined.
 */
final class Waits {
    private Waits() {}

    /**
     * Waits for a future to end.
     *
     * @return whether it has ended; false when the time is over
     */
    static boolean ends(CompletableFuture<?> future, long atMostNanos) throws InterruptedException {
        if (future.isDone()) {
            return true;
        }
        var ended = new CountDownLatch(1);
        var unused = future.whenComplete((value, failure) -> ended.countDown());
        return ended.await(atMostNanos, TimeUnit.NANOSECONDS);
    }

    /** As {@link #ends}; an interrupt does not end the wait, and is there again afterwards. */
    static boolean endsUninterruptibly(CompletableFuture<?> future, long atMostNanos) {
        long until = System.nanoTime() + atMostNanos;
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return ends(future, atMostNanos == Long.MAX_VALUE ? atMostNanos : until - System.nanoTime());
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** In nanoseconds; a duration of more than 292 years is as long as can be. */
    static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }
}

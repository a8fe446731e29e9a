package dev.idempotency.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * How long a command may take, without the time in which it waits for the person who gave it. A server that accepts a
 * connection and never answers would keep it for ever otherwise. Thread-safe.
 */
final class TimeLimit {
    private static final long LOOK_AGAIN = TimeUnit.SECONDS.toNanos(1);

    private final long allowed;
    private long spent;
    private long since = System.nanoTime();
    private boolean isPaused;

    TimeLimit(Duration span) {
        this.allowed = span.compareTo(Duration.ofDays(36_500)) > 0 ? Long.MAX_VALUE : span.toNanos();
    }

    /**
     * Runs a task in a thread of its own, which is left behind when time is over.
     *
     * @throws TimeoutException if the task does not end in time
     * @throws InterruptedException if the caller is interrupted; the task is then, too
     */
    <T> T call(Callable<T> task) throws TimeoutException, InterruptedException, ExecutionException {
        var running = new FutureTask<>(task);
        var thread = new Thread(running, "idempotency-command");
        thread.setDaemon(true);
        thread.start();
        try {
            while (true) {
                try {
                    return running.get(Math.max(0, left()), TimeUnit.NANOSECONDS);
                } catch (TimeoutException late) {
                    if (left() <= 0) {
                        throw late;
                    }
                } catch (CancellationException e) {
                    throw new ExecutionException(e);
                }
            }
        } finally {
            running.cancel(true);
        }
    }

    private synchronized long left() {
        return isPaused ? LOOK_AGAIN : allowed - spent - (System.nanoTime() - since);
    }

    private synchronized void pause() {
        spent += System.nanoTime() - since;
        isPaused = true;
    }

    private synchronized void goOn() {
        since = System.nanoTime();
        isPaused = false;
    }

    /** The same world, in which time stands still while somebody is asked. */
    Environment around(Environment world) {
        return new Environment(
                world.out(), world.err(), world.charset(), world.variables(), new Environment.Terminal() {
                    @Override
                    public @Nullable String ask(String question) {
                        pause();
                        try {
                            return world.terminal().ask(question);
                        } finally {
                            goOn();
                        }
                    }

                    @Override
                    public char @Nullable [] askSecret(String question) {
                        pause();
                        try {
                            return world.terminal().askSecret(question);
                        } finally {
                            goOn();
                        }
                    }
                });
    }
}

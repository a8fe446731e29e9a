package dev.idempotency.redis;

import dev.idempotency.store.StoreException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs scripts, each in one command: by its SHA, and by its text only where the server does not know it. Whoever waits for
 * the reply waits as long as is allowed, whatever interrupts him. Thread-safe.
 */
final class Steps {
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(10);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(200);

    /** What takes longer to send than a reply may take would be sent again and again, in the way of all other steps. */
    private static final long LARGEST = 32L << 20;

    private final Link link;
    private final Duration timeout;
    private final int replicas;
    private final Duration replicasTimeout;
    private final Map<StatefulConnection<byte[], byte[]>, Acknowledgements> acknowledgements =
            Collections.synchronizedMap(new WeakHashMap<>());
    private volatile long largest = LARGEST;

    Steps(Link link, Duration timeout, int replicas, Duration replicasTimeout) {
        this.link = link;
        this.timeout = timeout;
        this.replicas = replicas;
        this.replicasTimeout = replicasTimeout;
    }

    /** The server takes no value that is larger: it would break the connection, and with it the steps of all others. */
    void sendNothingLargerThan(long bytes) {
        largest = Math.min(largest, bytes);
    }

    /** Sends a script where it is to go at present. */
    private interface Way {
        StatefulConnection<byte[], byte[]> find();
    }

    /** What is not to be waited for: a caller has something else to try first. */
    enum Patience {
        /** What Redis refuses only for a while is sent again, for as long as the step may take. */
        WAITS,
        /** A refusal is one. */
        NONE
    }

    /** A script that was sent, and its reply to come. */
    final class Running {
        private final Way way;
        private final boolean replicated;
        private final Patience patience;
        private final Script script;
        private final List<byte[]> keys;
        private final byte[][] args;
        private final Duration atMost;
        private final long until;
        private final CompletableFuture<List<Object>> outcome;
        private volatile CompletableFuture<?> latest = CompletableFuture.completedFuture(null);
        private volatile boolean isGivenUp;

        private Running(
                Way way, boolean replicated, Patience patience, Script script, List<byte[]> keys, byte[]... args) {
            this.way = way;
            this.replicated = replicated;
            this.patience = patience;
            this.script = script;
            this.keys = keys;
            this.args = args;
            this.atMost = replicated ? timeout.multipliedBy(2).plus(replicasTimeout) : timeout;
            this.until = System.nanoTime() + atMost.toNanos();
            this.outcome = attempt(SHORTEST_PAUSE);
        }

        /** What was certainly not written, and is refused only for a while, is sent again after a pause. */
        private CompletableFuture<List<Object>> attempt(Duration pause) {
            return once().exceptionallyCompose(failure -> {
                StoreException refused = known(failure);
                if (patience == Patience.NONE
                        || isGivenUp
                        || !isPassing(refused)
                        || System.nanoTime() + pause.toNanos() - until > 0) {
                    return CompletableFuture.failedFuture(refused);
                }
                Executor later = CompletableFuture.delayedExecutor(pause.toNanos(), TimeUnit.NANOSECONDS);
                Duration next = pause.multipliedBy(2);
                return CompletableFuture.runAsync(() -> {}, later)
                        .thenCompose(passed -> attempt(next.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : next));
            });
        }

        private CompletableFuture<List<Object>> once() {
            for (byte[] arg : args) {
                if (arg.length > largest) {
                    return CompletableFuture.failedFuture(StoreException.notRetryable(
                            "It takes " + arg.length + " bytes, and Redis is sent at most " + largest
                                    + " at once; nothing was written. Store less: the identifier of a document, say, in the"
                                    + " place of the document",
                            null));
                }
            }
            StatefulConnection<byte[], byte[]> connection;
            try {
                connection = way.find();
            } catch (StoreException e) {
                return CompletableFuture.failedFuture(e);
            } catch (RedisException e) {
                return CompletableFuture.failedFuture(
                        new StoreException("Redis cannot be reached; nothing was sent", false, e));
            }
            CompletableFuture<List<Object>> reply = send(connection, CommandType.EVALSHA, script.sha())
                    .exceptionallyCompose(failure -> known(failure).getCause() instanceof RedisNoScriptException
                            ? sendText(connection, known(failure))
                            : CompletableFuture.failedFuture(failure));
            CompletableFuture<List<Object>> all =
                    replicated ? reply.thenCompose(written -> replicated(connection, written)) : reply;
            return all.exceptionally(failure -> {
                StoreException refused = known(failure);
                if (isRefusal(refused, "READONLY") && link.leave(connection)) {
                    throw new StoreException(
                            "Redis has another master, which is not found yet; nothing was written. "
                                    + refused.getMessage(),
                            false,
                            new Moving(refused));
                }
                throw refused;
            });
        }

        private CompletableFuture<List<Object>> sendText(
                StatefulConnection<byte[], byte[]> connection, StoreException unknown) {
            return send(connection, CommandType.EVAL, script.text()).exceptionally(failure -> {
                // The server that does not know the script need not be the only one that got it.
                throw unknown.mayHaveWritten() && !known(failure).mayHaveWritten()
                        ? new StoreException("Redis failed after an earlier sending", true, known(failure))
                        : known(failure);
            });
        }

        private CompletableFuture<List<Object>> send(
                StatefulConnection<byte[], byte[]> connection, CommandType type, String which) {
            CommandArgs<byte[], byte[]> all =
                    arguments().add(Layout.bytes(which)).add(keys.size());
            keys.forEach(all::addKey);
            for (byte[] arg : args) {
                all.add(arg);
            }
            return dispatch(connection, type, CountedCommand::scriptOutput, all);
        }

        private CompletableFuture<List<Object>> replicated(
                StatefulConnection<byte[], byte[]> connection, List<Object> reply) {
            return acknowledgements
                    .computeIfAbsent(connection, same -> new Acknowledgements())
                    .next(() -> dispatch(
                                    connection,
                                    CommandType.WAIT,
                                    refusals -> new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                                    arguments().add(replicas).add(replicasTimeout.toMillis()))
                            .orTimeout(timeout.plus(replicasTimeout).toNanos(), TimeUnit.NANOSECONDS))
                    .thenApply(acknowledged -> {
                        if (acknowledged < replicas) {
                            throw new StoreException(
                                    acknowledged + " of " + replicas + " replicas have the write after "
                                            + replicasTimeout,
                                    true,
                                    null);
                        }
                        return reply;
                    });
        }

        private <T> CompletableFuture<T> dispatch(
                StatefulConnection<byte[], byte[]> connection,
                CommandType type,
                Function<AtomicInteger, CommandOutput<byte[], byte[], T>> output,
                CommandArgs<byte[], byte[]> args) {
            var refusals = new AtomicInteger();
            var command = new CountedCommand<>(new Command<>(type, output.apply(refusals), args), refusals);
            if (type != CommandType.WAIT) {
                latest = command;
            }
            try {
                connection.dispatch(command);
            } catch (RedisException e) {
                command.completeExceptionally(e);
            }
            return command.handle((reply, failure) -> {
                if (failure != null) {
                    throw command.failed(reason(failure));
                }
                return reply;
            });
        }

        /** Waits for it. */
        List<Object> reply() {
            long until = System.nanoTime() + atMost.toNanos();
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return outcome.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } catch (TimeoutException e) {
                throw late(e);
            } catch (ExecutionException e) {
                throw known(e.getCause() == null ? e : e.getCause());
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        /** Waits in no thread. */
        CompletableFuture<List<Object>> eventualReply() {
            return outcome.orTimeout(atMost.toNanos(), TimeUnit.NANOSECONDS).exceptionally(failure -> {
                throw reason(failure) instanceof TimeoutException timedOut ? late(timedOut) : known(failure);
            });
        }

        /** Cancelled commands are not sent later, but this one may be on its way. A WAIT is not cancelled: others share it. */
        private StoreException late(TimeoutException cause) {
            isGivenUp = true;
            latest.cancel(true);
            return new StoreException("Redis has not answered within " + atMost, true, cause);
        }
    }

    /** Sends a script that writes nothing that must last. */
    Running start(Script script, List<byte[]> keys, byte[]... args) {
        return new Running(() -> link.to(keys.get(0)), false, Patience.WAITS, script, keys, args);
    }

    /** Sends a script whose reply is to come when the replicas have what it wrote, if that is wanted. */
    Running startWriting(Patience patience, Script script, List<byte[]> keys, byte[]... args) {
        return new Running(() -> wayOfAWrite(keys.get(0)), replicas > 0, patience, script, keys, args);
    }

    private StatefulConnection<byte[], byte[]> wayOfAWrite(byte[] key) {
        if (link.isHeld()) {
            throw new StoreException(
                    "A failover of Redis is under way, and nothing was sent: the master that would take it is about to be"
                            + " replaced",
                    false,
                    new Moving(null));
        }
        return replicas == 0 ? link.to(key) : link.directlyTo(key);
    }

    /** Runs a script that writes nothing that must last. */
    List<Object> run(Script script, List<byte[]> keys, byte[]... args) {
        return start(script, keys, args).reply();
    }

    /** Runs a script, and waits for the replicas if that is wanted. */
    List<Object> write(Script script, List<byte[]> keys, byte[]... args) {
        return startWriting(Patience.WAITS, script, keys, args).reply();
    }

    // ---- refusals

    /** Why nothing was written: the master changes. */
    private static final class Moving extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        Moving(@Nullable Throwable cause) {
            super("the master changes", cause);
        }
    }

    /** Whether the server, or this class in its place, has answered that it does not do that, and nothing was written. */
    static boolean isRefusal(StoreException failure) {
        return !failure.mayHaveWritten()
                && (failure.getCause() instanceof RedisCommandExecutionException
                        || failure.getCause() instanceof Moving);
    }

    /** Whether the server has refused it with that word, and nothing was written. */
    static boolean isRefusal(StoreException failure, String word) {
        return isRefusal(failure)
                && failure.getCause() instanceof RedisCommandExecutionException refused
                && String.valueOf(refused.getMessage()).startsWith(word);
    }

    /** Whether what was refused is likely to be taken soon: when a slot has moved, or the master has. */
    static boolean isPassing(StoreException failure) {
        return isRefusal(failure, "TRYAGAIN") || (isRefusal(failure) && failure.getCause() instanceof Moving);
    }

    private static CommandArgs<byte[], byte[]> arguments() {
        return new CommandArgs<>(ByteArrayCodec.INSTANCE);
    }

    private static Throwable reason(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** Every failure of a command is one by the time that anybody hears of it. */
    static StoreException known(Throwable failure) {
        return reason(failure) instanceof StoreException known
                ? known
                : new StoreException("Redis failed unexpectedly", true, failure);
    }
}

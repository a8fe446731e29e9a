package dev.idempotency.redis;

import dev.idempotency.store.StoreException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.NestedMultiOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs scripts, each in one command: by its SHA, and by its text only where the server does not know it. Whoever waits for
 * the reply waits as long as is allowed, whatever interrupts him. Thread-safe.
 */
final class Steps {
    private final Link link;
    private final Duration timeout;
    private final int replicas;
    private final Duration replicasTimeout;

    Steps(Link link, Duration timeout, int replicas, Duration replicasTimeout) {
        this.link = link;
        this.timeout = timeout;
        this.replicas = replicas;
        this.replicasTimeout = replicasTimeout;
    }

    /** A script that was sent, and its reply to come. */
    final class Running {
        private final StatefulConnection<byte[], byte[]> connection;
        private final CompletableFuture<List<Object>> outcome;
        private final Duration atMost;
        private volatile CompletableFuture<?> latest = CompletableFuture.completedFuture(null);

        private Running(
                StatefulConnection<byte[], byte[]> connection,
                boolean replicated,
                Script script,
                List<byte[]> keys,
                byte[]... args) {
            this.connection = connection;
            this.atMost = replicated ? timeout.multipliedBy(2).plus(replicasTimeout) : timeout;
            CompletableFuture<List<Object>> reply = send(CommandType.EVALSHA, script.sha(), keys, args)
                    .exceptionallyCompose(failure -> known(failure).getCause() instanceof RedisNoScriptException
                            ? sendText(known(failure), script, keys, args)
                            : CompletableFuture.failedFuture(failure));
            this.outcome = replicated ? reply.thenCompose(this::replicated) : reply;
        }

        private CompletableFuture<List<Object>> sendText(
                StoreException unknown, Script script, List<byte[]> keys, byte[]... args) {
            return send(CommandType.EVAL, script.text(), keys, args).exceptionally(failure -> {
                // The server that does not know the script need not be the only one that got it.
                throw unknown.mayHaveWritten() && !known(failure).mayHaveWritten()
                        ? new StoreException("Redis failed after an earlier sending", true, known(failure))
                        : known(failure);
            });
        }

        private CompletableFuture<List<Object>> send(
                CommandType type, String which, List<byte[]> keys, byte[]... args) {
            CommandArgs<byte[], byte[]> all =
                    arguments().add(Layout.bytes(which)).add(keys.size());
            keys.forEach(all::addKey);
            for (byte[] arg : args) {
                all.add(arg);
            }
            return dispatch(type, new NestedMultiOutput<>(ByteArrayCodec.INSTANCE), all);
        }

        private CompletableFuture<List<Object>> replicated(List<Object> reply) {
            return dispatch(
                            CommandType.WAIT,
                            new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                            arguments().add(replicas).add(replicasTimeout.toMillis()))
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
                CommandType type, CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
            var command = new CountedCommand<>(new Command<>(type, output, args));
            latest = command;
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

        /** Cancelled commands are not sent later, but this one may be on its way. */
        private StoreException late(TimeoutException cause) {
            latest.cancel(true);
            return new StoreException("Redis has not answered within " + atMost, true, cause);
        }
    }

    /** Sends a script that writes nothing that must last. */
    Running start(Script script, List<byte[]> keys, byte[]... args) {
        return new Running(link.to(keys.get(0)), false, script, keys, args);
    }

    /** Sends a script whose reply is to come when the replicas have what it wrote, if that is wanted. */
    Running startWriting(Script script, List<byte[]> keys, byte[]... args) {
        return replicas == 0
                ? start(script, keys, args)
                : new Running(link.directlyTo(keys.get(0)), true, script, keys, args);
    }

    /** Runs a script that writes nothing that must last. */
    List<Object> run(Script script, List<byte[]> keys, byte[]... args) {
        return start(script, keys, args).reply();
    }

    /** Runs a script, and waits for the replicas if that is wanted. */
    List<Object> write(Script script, List<byte[]> keys, byte[]... args) {
        return startWriting(script, keys, args).reply();
    }

    private static CommandArgs<byte[], byte[]> arguments() {
        return new CommandArgs<>(ByteArrayCodec.INSTANCE);
    }

    private static Throwable reason(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** Every failure of a command is one by the time that anybody hears of it. */
    private static StoreException known(Throwable failure) {
        return reason(failure) instanceof StoreException known
                ? known
                : new StoreException("Redis failed unexpectedly", true, failure);
    }
}

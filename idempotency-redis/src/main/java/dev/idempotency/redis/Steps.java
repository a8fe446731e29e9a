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
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs scripts, each in one command: by its SHA, and by its text only where the server does not know it. Waits for the reply
 * as long as is allowed, whatever interrupts it. Thread-safe.
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
        private final Script script;
        private final List<byte[]> keys;
        private final byte[][] args;
        private final CountedCommand<List<Object>> command;

        private Running(
                StatefulConnection<byte[], byte[]> connection, Script script, List<byte[]> keys, byte[]... args) {
            this.connection = connection;
            this.script = script;
            this.keys = keys;
            this.args = args;
            this.command = send(CommandType.EVALSHA, script.sha());
        }

        private CountedCommand<List<Object>> send(CommandType type, String which) {
            CommandArgs<byte[], byte[]> all =
                    arguments().add(Layout.bytes(which)).add(keys.size());
            keys.forEach(all::addKey);
            for (byte[] arg : args) {
                all.add(arg);
            }
            return dispatch(connection, type, new NestedMultiOutput<>(ByteArrayCodec.INSTANCE), all);
        }

        List<Object> reply() {
            try {
                return await(command, timeout);
            } catch (StoreException unknown) {
                if (!(unknown.getCause() instanceof RedisNoScriptException)) {
                    throw unknown;
                }
                try {
                    return await(send(CommandType.EVAL, script.text()), timeout);
                } catch (StoreException failure) {
                    // The server that does not know the script need not be the only one that got it.
                    throw unknown.mayHaveWritten() && !failure.mayHaveWritten()
                            ? new StoreException("Redis failed after an earlier sending", true, failure)
                            : failure;
                }
            }
        }
    }

    /** Sends a script without waiting for its reply. */
    Running start(Script script, List<byte[]> keys, byte[]... args) {
        return new Running(link.to(keys.get(0)), script, keys, args);
    }

    /** Runs a script that writes nothing that must last. */
    List<Object> run(Script script, List<byte[]> keys, byte[]... args) {
        return start(script, keys, args).reply();
    }

    /** Runs a script, and waits for the replicas if that is wanted. */
    List<Object> write(Script script, List<byte[]> keys, byte[]... args) {
        if (replicas == 0) {
            return run(script, keys, args);
        }
        StatefulConnection<byte[], byte[]> connection = link.directlyTo(keys.get(0));
        List<Object> reply = new Running(connection, script, keys, args).reply();
        long acknowledged = await(
                dispatch(
                        connection,
                        CommandType.WAIT,
                        new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                        arguments().add(replicas).add(replicasTimeout.toMillis())),
                timeout.plus(replicasTimeout));
        if (acknowledged < replicas) {
            throw new StoreException(
                    acknowledged + " of " + replicas + " replicas have the write after " + replicasTimeout, true, null);
        }
        return reply;
    }

    private static CommandArgs<byte[], byte[]> arguments() {
        return new CommandArgs<>(ByteArrayCodec.INSTANCE);
    }

    private static <T> CountedCommand<T> dispatch(
            StatefulConnection<byte[], byte[]> connection,
            CommandType type,
            CommandOutput<byte[], byte[], T> output,
            CommandArgs<byte[], byte[]> args) {
        var command = new CountedCommand<>(new Command<>(type, output, args));
        try {
            connection.dispatch(command);
        } catch (RedisException e) {
            command.completeExceptionally(e);
        }
        return command;
    }

    private static <T> T await(CountedCommand<T> command, Duration atMost) {
        long until = System.nanoTime() + atMost.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return command.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (TimeoutException e) {
            // Cancelled commands are not sent later, but this one may be on its way.
            command.cancel(true);
            throw new StoreException("Redis has not answered within " + atMost, true, e);
        } catch (ExecutionException e) {
            throw command.failed(e.getCause() == null ? e : e.getCause());
        } catch (CancellationException e) {
            throw command.failed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

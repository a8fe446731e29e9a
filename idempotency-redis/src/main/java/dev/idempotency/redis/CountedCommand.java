package dev.idempotency.redis;

import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.buffer.ByteBuf;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A command that knows how often it was put on the wire: Lettuce sends a command once more by itself after a reconnect or a
 * redirect. Only so can be told what a failure means: of a command that was never sent nothing was written, and a refusal
 * counts as one only if it answers the only time that the command was sent.
 */
final class CountedCommand<T> extends AsyncCommand<byte[], byte[], T> {
    /** What a server says when it has not begun with a command. */
    private static final Set<String> REFUSALS = Set.of(
            "ASK",
            "BUSY",
            "CLUSTERDOWN",
            "CROSSSLOT",
            "LOADING",
            "MASTERDOWN",
            "MISCONF",
            "MOVED",
            "NOAUTH",
            "NOPERM",
            "NOREPLICAS",
            "NOSCRIPT",
            "OOM",
            "READONLY",
            "TRYAGAIN",
            "WRONGPASS");

    /** What a script says that has found a record of a newer format, before it writes anything. */
    private static final String FORMAT = "IDEMPOTENCYFORMAT";

    private final AtomicInteger sent = new AtomicInteger();

    CountedCommand(RedisCommand<byte[], byte[], T> command) {
        super(command);
    }

    @Override
    public void encode(ByteBuf buffer) {
        sent.incrementAndGet();
        super.encode(buffer);
    }

    /** What it means that this command failed. */
    StoreException failed(Throwable cause) {
        if (cause instanceof RedisCommandExecutionException
                && String.valueOf(cause.getMessage()).startsWith(FORMAT)) {
            return new UnknownFormatException("The record", sent.get() > 1, cause);
        }
        return new StoreException("Redis failed: " + cause.getMessage(), mayHaveWritten(cause), cause);
    }

    private boolean mayHaveWritten(Throwable cause) {
        if (sent.get() == 0) {
            // A command that has timed out may be about to be sent.
            return cause instanceof RedisCommandTimeoutException;
        }
        return sent.get() > 1 || !isRefusal(cause);
    }

    private static boolean isRefusal(Throwable cause) {
        if (!(cause instanceof RedisCommandExecutionException) || cause.getMessage() == null) {
            return false;
        }
        String message = cause.getMessage();
        // A script that was refused something had begun.
        return REFUSALS.contains(message.split(" ", 2)[0]) && !message.contains("user_script");
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}

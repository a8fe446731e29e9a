package dev.idempotency.redis;

import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.NestedMultiOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A command that knows how often it was put on the wire: Lettuce sends a command once more by itself after a reconnect or a
 * redirect. Only so can be told what a failure means: of a command that was never sent nothing was written, and neither of one
 * that was refused each time that it was sent.
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
    private final AtomicInteger refused;

    /**
     * A command that was not sent yet.
     *
     * @param refused how many of its sendings were answered by a refusal; counted by its output
     */
    CountedCommand(RedisCommand<byte[], byte[], T> command, AtomicInteger refused) {
        super(command);
        this.refused = refused;
    }

    /** The reply of a script. A redirect is a refusal, too: Lettuce sends the command to where it points. */
    static CommandOutput<byte[], byte[], List<Object>> scriptOutput(AtomicInteger refused) {
        return new NestedMultiOutput<>(ByteArrayCodec.INSTANCE) {
            @Override
            public void setError(ByteBuffer error) {
                super.setError(error);
                if (isRefusal(String.valueOf(getError()))) {
                    refused.incrementAndGet();
                }
            }
        };
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
            return new UnknownFormatException("The record", sent.get() - refused.get() > 1, cause);
        }
        return new StoreException("Redis failed: " + cause.getMessage(), mayHaveWritten(cause), cause);
    }

    private boolean mayHaveWritten(Throwable cause) {
        if (sent.get() == 0) {
            // A command that has timed out may be about to be sent.
            return cause instanceof RedisCommandTimeoutException;
        }
        return sent.get() > refused.get() || !(cause instanceof RedisCommandExecutionException);
    }

    private static boolean isRefusal(String error) {
        // A script that was refused something had begun.
        return REFUSALS.contains(error.split(" ", 2)[0]) && !error.contains("user_script");
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

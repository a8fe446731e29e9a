package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyStore;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.time.InstantSource;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A real Redis without records whose scripts take a test's clock for the server's. One at a time. */
public final class SimulatedTime {
    private static @Nullable SteppedClock latest;

    private SimulatedTime() {}

    private static final class Standalone {
        static final RedisClusterAsyncCommands<String, String> COMMANDS =
                Redises.Standalone.CLIENT.connect().async();
    }

    private static final class Clustered {
        static final RedisClusterAsyncCommands<String, String> COMMANDS =
                Redises.Clustered.CLIENT.connect().async();
    }

    /** With a prefix of its own; closes the one before. */
    public static IdempotencyStore standalone(InstantSource clock) {
        return next(Redises.standalone(), Standalone.COMMANDS, clock);
    }

    /** With a prefix of its own; closes the one before. */
    public static IdempotencyStore clustered(InstantSource clock) {
        return next(Redises.clustered(), Clustered.COMMANDS, clock);
    }

    private static synchronized IdempotencyStore next(
            RedisIdempotencyStore.Builder builder,
            RedisClusterAsyncCommands<String, String> commands,
            InstantSource clock) {
        close();
        latest = new SteppedClock(builder.withoutWakeUps(), "test:" + UUID.randomUUID(), commands, clock);
        return latest;
    }

    public static synchronized void close() {
        if (latest != null) {
            latest.close();
            latest = null;
        }
    }
}

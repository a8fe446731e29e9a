package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The store as it is, but for one line of its scripts: they read the time from a key beside the record instead of asking for
 * it, and before each step on a shard a manual clock's time is put there. Not thread-safe.
 */
final class SteppedClock extends ForwardingStore {
    private static final String TIME = "redis.call('TIME')";

    private final RedisIdempotencyStore store;
    private final Layout layout;
    private final RedisClusterAsyncCommands<String, String> commands;
    private InstantSource clock;
    private final @Nullable Instant[] told = new Instant[Layout.SHARDS];

    SteppedClock(
            RedisIdempotencyStore.Builder builder,
            String prefix,
            RedisClusterAsyncCommands<String, String> commands,
            InstantSource clock) {
        this(builder.prefix(prefix).scripts(Script.All.load(SteppedClock::edit)).build(), prefix, commands, clock);
    }

    private SteppedClock(
            RedisIdempotencyStore store,
            String prefix,
            RedisClusterAsyncCommands<String, String> commands,
            InstantSource clock) {
        super(store);
        this.store = store;
        this.layout = new Layout(prefix);
        this.commands = commands;
        this.clock = clock;
    }

    private static String edit(String script) {
        if (!script.contains(TIME)) {
            throw new IllegalStateException("the script asks for the time otherwise");
        }
        return script.replace(
                TIME,
                "{0, tonumber(redis.call('GET', string.sub(KEYS[1], 1, string.find(KEYS[1], '}', 1, true)) .. ':clock'))}");
    }

    void follow(InstantSource other) {
        clock = other;
    }

    @Override
    public Snapshot reserve(Write write) {
        return at(write.next().key()).reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return at(expected.key()).replace(expected, write);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return at(key).find(key);
    }

    private IdempotencyStore at(IdempotencyKey key) {
        int shard = layout.shardOf(key);
        tell(shard, shard + 1);
        return store;
    }

    /** A step on all shards. */
    @Override
    protected IdempotencyStore store() {
        tell(0, Layout.SHARDS);
        return store;
    }

    private void tell(int from, int to) {
        var now = clock.instant();
        var replies = new ArrayList<Future<String>>();
        for (var shard = from; shard < to; shard++) {
            if (!now.equals(told[shard])) {
                told[shard] = now;
                var micros = Long.toString(RecordFormat.micros(now));
                replies.add(commands.set("{" + layout.tagOf(shard) + "}:clock", micros));
            }
        }
        for (var reply : replies) {
            try {
                reply.get(Duration.ofMinutes(1).toMillis(), TimeUnit.MILLISECONDS);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    void close() {
        store.close();
    }
}

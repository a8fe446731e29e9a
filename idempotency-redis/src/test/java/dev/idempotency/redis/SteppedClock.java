package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The store as it is, but for one line of its scripts: they read the time from a key beside the record instead of asking for
 * it, and before each step a manual clock's time is put there. Not thread-safe.
 */
final class SteppedClock implements IdempotencyStore {
    private static final String TIME = "redis.call('TIME')";

    private final RedisIdempotencyStore store;
    private final Layout layout;
    private final RedisClusterAsyncCommands<String, String> commands;
    private InstantSource clock;
    private @Nullable Instant told;

    SteppedClock(
            RedisIdempotencyStore.Builder builder,
            String prefix,
            RedisClusterAsyncCommands<String, String> commands,
            InstantSource clock) {
        this.store = builder.prefix(prefix)
                .scripts(Script.All.load(SteppedClock::edit))
                .build();
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

    private RedisIdempotencyStore now() {
        if (!clock.instant().equals(told)) {
            told = clock.instant();
            var micros = Long.toString(RecordFormat.micros(told));
            var replies = new ArrayList<Future<String>>();
            for (var shard = 0; shard < Layout.SHARDS; shard++) {
                replies.add(commands.set("{" + layout.tagOf(shard) + "}:clock", micros));
            }
            for (var reply : replies) {
                try {
                    reply.get(Duration.ofMinutes(1).toMillis(), TimeUnit.MILLISECONDS);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        return store;
    }

    void close() {
        store.close();
    }

    @Override
    public StoreClass storeClass() {
        return store.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        return now().reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return now().replace(expected, write);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return now().find(key);
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return now().listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return now().purge(limit);
    }
}

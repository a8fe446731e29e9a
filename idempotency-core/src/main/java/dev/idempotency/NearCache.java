package dev.idempotency;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Weigher;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Recorded outcomes in this process, in front of a store: a request that was executed before, here or elsewhere, is answered
 * without asking the store again. Only outcomes are kept, no reservation ever, and each for no longer than its record says.
 * Thread-safe.
 *
 * <p>An outcome that a person overrides is dropped at once by an {@link Admin} that has the same cache. One that is overridden
 * in another process goes on being given out here until it has been kept for the time that {@link #create} was given.
 *
 * <pre>{@code
 * var near = NearCache.create(64 << 20, Duration.ofMinutes(1));
 * var idempotency = Idempotency.builder(store).nearCache(near).build();
 * var admin = Admin.builder(store).nearCache(near).build();
 * }</pre>
 *
 * @apiNote Experimental: may change or go in any version.
 * @since 0.1.0
 */
public final class NearCache {
    private static final Duration LONGEST = Duration.ofDays(1);

    /** About what an entry takes beside its result: key, record and the cache's own. */
    private static final int OVERHEAD = 1_000;

    /**
     * An outcome.
     *
     * @param readAt the store's time when it was read
     * @param askedAt this process's time before that, in nanoseconds
     */
    private record Entry(IdempotencyRecord record, Instant readAt, long askedAt) {}

    private final Cache<IdempotencyKey, Entry> entries;

    /** Not among the entries: a cache that is full would evict them. There are as many as people override outcomes. */
    private final Cache<IdempotencyKey, Boolean> dropped;

    private final long atMostNanos;

    private NearCache(long maximumBytes, Duration atMost) {
        this.atMostNanos = atMost.toNanos();
        this.entries = Caffeine.newBuilder()
                .maximumWeight(maximumBytes)
                .weigher((Weigher<IdempotencyKey, Entry>) (key, entry) -> weight(entry.record()))
                .expireAfterWrite(atMost)
                .executor(Runnable::run)
                .build();
        this.dropped = Caffeine.newBuilder()
                .expireAfterWrite(atMost)
                .executor(Runnable::run)
                .build();
    }

    /**
     * Makes a cache.
     *
     * @param maximumBytes about how much memory it may take, in bytes, from 1
     * @param atMost how long an outcome is kept without asking the store again: 1 millisecond to 1 day
     * @return a new, empty cache; for one store, and for any number of {@link Idempotency} and {@link Admin} on it
     * @throws IllegalArgumentException if an argument is out of range
     * @throws NullPointerException if {@code atMost} is null
     */
    public static NearCache create(long maximumBytes, Duration atMost) {
        if (maximumBytes < 1) {
            throw new IllegalArgumentException("maximumBytes is " + maximumBytes + "; it must be at least 1");
        }
        return new NearCache(maximumBytes, Settings.between("atMost", atMost, Duration.ofMillis(1), LONGEST));
    }

    /**
     * Drops the outcome of a key, and keeps none of it for as long as this cache keeps outcomes: what is being read at this
     * moment may be the one that is to go.
     *
     * @param key which key; need not be here
     * @throws NullPointerException if {@code key} is null
     */
    public void drop(IdempotencyKey key) {
        dropped.put(Objects.requireNonNull(key, "key"), true);
        entries.invalidate(key);
    }

    /** What the store would say of the key, if that is known here. */
    @Nullable
    Snapshot find(IdempotencyKey key, long nanoTime) {
        Entry entry = entries.getIfPresent(key);
        if (entry == null) {
            return null;
        }
        long age = nanoTime - entry.askedAt();
        Instant now = entry.readAt().plusNanos(age);
        if (age >= atMostNanos || entry.record().isExpired(now)) {
            entries.asMap().remove(key, entry);
            return null;
        }
        return new Snapshot(false, entry.record(), now);
    }

    /** Keeps an outcome that the store has just told of. Does nothing with any other record. */
    void keep(IdempotencyRecord record, Instant readAt, long askedAt) {
        if (record.state() != State.COMPLETED || record.result() == null) {
            return;
        }
        var entry = new Entry(record.with().evidence(List.of()).build(), readAt, askedAt);
        // A read that took long must not replace what was recorded meanwhile.
        entries.asMap()
                .merge(
                        record.key(),
                        entry,
                        (kept, read) ->
                                kept.record().isSameWriteAs(record) || readAt.isBefore(kept.readAt()) ? kept : read);
        if (dropped.getIfPresent(record.key()) != null) {
            entries.invalidate(record.key());
        }
    }

    private static int weight(IdempotencyRecord record) {
        StoredResult result = record.result();
        return OVERHEAD + (result == null ? 0 : result.size());
    }
}

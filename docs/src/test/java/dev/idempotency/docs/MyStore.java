package dev.idempotency.docs;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicReference;

/** The tutorial's store: on a map with compare-and-set, such as data grids offer. */
final class MyStore implements IdempotencyStore {
    // tag::state[]
    private static final Comparator<IdempotencyRecord> LONGEST_IN_STATE = Comparator.comparing(
                    (IdempotencyRecord record) -> record.times().stateSince())
            .thenComparing(record -> record.key().scope())
            .thenComparing(record -> record.key().value());

    private final ConcurrentMap<IdempotencyKey, IdempotencyRecord> map;
    private final InstantSource clock;
    private final AtomicReference<Instant> latest = new AtomicReference<>(Instant.MIN);

    MyStore(ConcurrentMap<IdempotencyKey, IdempotencyRecord> map, InstantSource clock) {
        this.map = map;
        this.clock = clock;
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.PROCESS; // what this map holds is gone with its process
    }

    /** The store's time: its own, and never earlier than it has told anybody. */
    private Instant now() {
        return latest.accumulateAndGet(clock.instant(), (told, now) -> now.isAfter(told) ? now : told);
    }
    // end::state[]

    // tag::reserve[]
    @Override
    public Snapshot reserve(Write write) {
        Instant now = now();
        IdempotencyRecord next = write.at(now);
        IdempotencyRecord standing = map.putIfAbsent(next.key(), next);
        return standing == null ? new Snapshot(true, next, now) : new Snapshot(false, standing, now);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return new Snapshot(false, map.get(key), now());
    }
    // end::reserve[]

    // tag::replace[]
    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        while (true) {
            Instant now = now();
            IdempotencyRecord standing = map.get(expected.key());
            if (!expected.isSameWriteAs(standing)) {
                return new Snapshot(false, standing, now);
            }
            IdempotencyRecord next = write.at(now);
            if (map.replace(expected.key(), standing, next)) {
                return new Snapshot(true, next, now);
            }
        }
    }
    // end::replace[]

    // tag::rest[]
    @Override
    public List<IdempotencyRecord> listUnresolved(IdempotencyRecord after, int limit) {
        requireLimit(limit);
        return map.values().stream()
                .filter(record -> record.state().isUnresolved())
                .filter(record -> after == null || LONGEST_IN_STATE.compare(record, after) > 0)
                .sorted(LONGEST_IN_STATE)
                .limit(limit)
                .toList();
    }

    @Override
    public int purge(int limit) {
        requireLimit(limit);
        int done = 0;
        for (Map.Entry<IdempotencyKey, IdempotencyRecord> entry : map.entrySet()) {
            if (done == limit) {
                break;
            }
            done += purged(entry.getKey(), entry.getValue()) ? 1 : 0;
        }
        return done;
    }

    /** Compares again when it writes: the key may have been reserved anew. */
    private boolean purged(IdempotencyKey key, IdempotencyRecord record) {
        Instant now = now();
        if (record.isForgettable(now)) {
            return map.remove(key, record);
        }
        return record.isExpired(now)
                && record.result() != null
                && map.replace(key, record, record.with().result(null).build());
    }

    private static void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }
    // end::rest[]
}

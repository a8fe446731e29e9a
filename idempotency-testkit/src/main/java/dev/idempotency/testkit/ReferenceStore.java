package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The plainest store there can be: a map, one step at a time, on a {@link ManualClock}. What another store answers can be
 * compared with what this one answers. Nothing leaves it but through {@link #purge} and {@link #forget}. Thread-safe.
 *
 * @since 0.1.0
 */
public sealed class ReferenceStore implements AuditedStore permits FaultyStore {
    static final Comparator<IdempotencyRecord> LONGEST_IN_STATE = Comparator.comparing(
                    (IdempotencyRecord record) -> record.times().stateSince())
            .thenComparing(record -> record.key().scope())
            .thenComparing(record -> record.key().value());

    private final ManualClock clock;
    private final Map<Object, IdempotencyRecord> records = new LinkedHashMap<>();
    private final ReferenceTrail trail = new ReferenceTrail();
    private Instant latest = Instant.MIN;

    /**
     * Creates an empty store.
     *
     * @param clock the store's clock; the store's time stands still while the clock is turned back
     * @throws NullPointerException if the clock is null
     */
    public ReferenceStore(ManualClock clock) {
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.PROCESS;
    }

    @Override
    public Snapshot reserve(Write write) {
        synchronized (records) {
            var now = now();
            var standing = records.get(identity(write.next().key()));
            if (standing != null) {
                return new Snapshot(false, standing, now);
            }
            return new Snapshot(true, put(write, now), now);
        }
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        synchronized (records) {
            var now = now();
            var standing = records.get(identity(expected.key()));
            if (standing == null || !matches(expected, standing)) {
                return new Snapshot(false, standing, now);
            }
            return new Snapshot(true, put(write, now), now);
        }
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        synchronized (records) {
            return new Snapshot(false, records.get(identity(key)), now());
        }
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        requireLimit(limit);
        return unresolved().stream()
                .filter(record -> after == null || LONGEST_IN_STATE.compare(record, after) > 0)
                .limit(limit)
                .toList();
    }

    @Override
    public int purge(int limit) {
        requireLimit(limit);
        synchronized (records) {
            var now = now();
            var done = 0;
            for (var entry : List.copyOf(records.entrySet())) {
                if (done == limit) {
                    break;
                }
                var record = entry.getValue();
                if (isForgettable(record, now)) {
                    records.remove(entry.getKey());
                    done++;
                } else if (isExpired(record, now) && record.result() != null) {
                    records.put(entry.getKey(), record.with().result(null).build());
                    done++;
                }
            }
            return done;
        }
    }

    @Override
    public AuditEntry append(AuditEntry entry) {
        return trail.append(entry, this::now);
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        return trail.page(key, before, limit);
    }

    /**
     * Removes a record whose time is over, as a store may do by itself.
     *
     * @param key which key
     * @return true if a record stood and was {@link IdempotencyRecord#isForgettable forgettable}; otherwise nothing changed
     * @throws NullPointerException if the key is null
     */
    public boolean forget(IdempotencyKey key) {
        synchronized (records) {
            var standing = records.get(identity(key));
            if (standing == null || !standing.isForgettable(now())) {
                return false;
            }
            records.remove(identity(key));
            return true;
        }
    }

    /**
     * Drops a result whose time is over, as {@link #purge} does for one key.
     *
     * @param key which key
     * @return true if a record stood with a result that had {@linkplain IdempotencyRecord#isExpired expired}; otherwise
     *     nothing changed
     * @throws NullPointerException if the key is null
     */
    public boolean dropResult(IdempotencyKey key) {
        synchronized (records) {
            var standing = records.get(identity(key));
            if (standing == null || standing.result() == null || !standing.isExpired(now())) {
                return false;
            }
            records.put(identity(key), standing.with().result(null).build());
            return true;
        }
    }

    /**
     * Returns all that stands.
     *
     * @return the records in the order in which their keys were first reserved; a copy
     */
    public List<IdempotencyRecord> records() {
        synchronized (records) {
            return List.copyOf(records.values());
        }
    }

    static void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }

    // What follows is for the faulty stores, each of which gets one of these wrong.

    Instant now() {
        synchronized (records) {
            var read = clock.instant();
            latest = read.isAfter(latest) ? read : latest;
            return latest;
        }
    }

    Object identity(IdempotencyKey key) {
        return key;
    }

    boolean matches(IdempotencyRecord expected, IdempotencyRecord standing) {
        return expected.isSameWriteAs(standing);
    }

    IdempotencyRecord written(Write write, Instant now) {
        return write.at(now);
    }

    boolean isForgettable(IdempotencyRecord record, Instant now) {
        return record.isForgettable(now);
    }

    boolean isExpired(IdempotencyRecord record, Instant now) {
        return record.isExpired(now);
    }

    final IdempotencyRecord put(Write write, Instant now) {
        synchronized (records) {
            var record = written(write, now);
            records.put(identity(record.key()), record);
            return record;
        }
    }

    final void remove(IdempotencyKey key) {
        synchronized (records) {
            records.remove(identity(key));
        }
    }

    final @Nullable IdempotencyRecord standing(IdempotencyKey key) {
        synchronized (records) {
            return records.get(identity(key));
        }
    }

    /** Every unresolved record, longest in its state first. */
    final List<IdempotencyRecord> unresolved() {
        return records().stream()
                .filter(record -> record.state().isUnresolved())
                .sorted(LONGEST_IN_STATE)
                .toList();
    }

    final Map<Object, IdempotencyRecord> copy() {
        synchronized (records) {
            return new LinkedHashMap<>(records);
        }
    }

    final void restore(Map<Object, IdempotencyRecord> copy) {
        synchronized (records) {
            records.clear();
            records.putAll(copy);
        }
    }
}

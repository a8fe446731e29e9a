package dev.idempotency.caffeine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records in this process, on Caffeine. {@link StoreClass#PROCESS}: nothing survives the process, and no other process
 * sees it. Thread-safe.
 *
 * <p>Unresolved records are never evicted and never expire. The others are bounded in number; when there are more, some go
 * before their retention is over, which is logged and {@link #evicted() counted}: give it room for all that your retention
 * keeps. The audit trail is bounded too, at a million entries; when the oldest go, that is logged as an error.
 *
 * @since 0.1.0
 */
public final class CaffeineIdempotencyStore implements AuditedStore {
    private static final Logger LOG = LoggerFactory.getLogger(CaffeineIdempotencyStore.class);
    private static final long DEFAULT_MAXIMUM = 100_000;
    private static final int MAXIMUM_ENTRIES = 1_000_000;
    private static final Comparator<IdempotencyRecord> LONGEST_IN_STATE = Comparator.comparing(
                    (IdempotencyRecord record) -> record.times().stateSince())
            .thenComparing(record -> record.key().scope())
            .thenComparing(record -> record.key().value());

    private final Ticker ticker;
    private final long startTick;
    private final Instant startTime;
    private final LongAdder evicted = new LongAdder();
    private final Cache<IdempotencyKey, IdempotencyRecord> cache;
    private final ConcurrentMap<IdempotencyKey, IdempotencyRecord> records;
    private final Trail trail = new Trail(MAXIMUM_ENTRIES);
    private final InboxStore inbox;
    private final VersionGuard versionGuard;

    private CaffeineIdempotencyStore(long maximumResults, Ticker ticker, Instant startTime) {
        this.ticker = ticker;
        this.startTick = ticker.read();
        this.startTime = startTime;
        this.cache = Caffeine.newBuilder()
                .ticker(ticker)
                .executor(Runnable::run)
                .maximumWeight(maximumResults)
                // Weight 0 keeps an entry out of eviction by size: a bounded cache of reservations would lose some.
                .weigher((IdempotencyKey key, IdempotencyRecord record) ->
                        record.state().isUnresolved() ? 0 : 1)
                .expireAfter(new ExpiryAfterWrite<>((IdempotencyKey key, IdempotencyRecord record) -> timeLeft(record)))
                .evictionListener(
                        (@Nullable IdempotencyKey key, @Nullable IdempotencyRecord record, RemovalCause cause) -> {
                            if (cause == RemovalCause.SIZE) {
                                onEviction();
                            }
                        })
                .build();
        this.records = cache.asMap();
        this.inbox = new CaffeineInbox(ticker, this::now);
        this.versionGuard = new CaffeineVersionGuard(ticker, this::now);
    }

    /**
     * A store for up to 100,000 results.
     *
     * @return a new, empty store
     */
    public static CaffeineIdempotencyStore create() {
        return create(DEFAULT_MAXIMUM);
    }

    /**
     * A store for a number of results.
     *
     * @param maximumResults how many completed, closed and released keys are kept, from 1
     * @return a new, empty store
     * @throws IllegalArgumentException if {@code maximumResults} is below 1
     */
    public static CaffeineIdempotencyStore create(long maximumResults) {
        return create(maximumResults, Ticker.systemTicker(), Instant.now());
    }

    /**
     * A store on a clock of your own.
     *
     * @param maximumResults how many completed, closed and released keys are kept, from 1
     * @param ticker the store's clock, in nanoseconds; must not go back
     * @param startTime what the ticker's present reading means; only for people to read
     * @return a new, empty store
     * @throws IllegalArgumentException if {@code maximumResults} is below 1
     * @throws NullPointerException if an argument is null
     */
    public static CaffeineIdempotencyStore create(long maximumResults, Ticker ticker, Instant startTime) {
        if (maximumResults < 1) {
            throw new IllegalArgumentException("maximumResults is " + maximumResults + "; it must be at least 1");
        }
        return new CaffeineIdempotencyStore(
                maximumResults,
                Objects.requireNonNull(ticker, "ticker"),
                Objects.requireNonNull(startTime, "startTime"));
    }

    private void onEviction() {
        evicted.increment();
        if (Long.bitCount(evicted.sum()) == 1) {
            LOG.warn(
                    "{} results were evicted before their retention was over: requests that are retried now run again."
                            + " Raise maximumResults.",
                    evicted.sum());
        }
    }

    private Instant now() {
        return startTime.plusNanos(ticker.read() - startTick);
    }

    private Duration timeLeft(IdempotencyRecord record) {
        return record.state().isUnresolved()
                ? Duration.ofNanos(Long.MAX_VALUE)
                : Duration.between(now(), record.times().forgetAt());
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.PROCESS;
    }

    @Override
    public Snapshot reserve(Write write) {
        Instant now = now();
        IdempotencyRecord record = write.at(now);
        IdempotencyRecord standing = records.putIfAbsent(record.key(), record);
        return standing == null ? new Snapshot(true, record, now) : new Snapshot(false, standing, now);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        var applied = new boolean[1];
        var at = new Instant[] {now()};
        IdempotencyRecord standing = records.computeIfPresent(expected.key(), (key, current) -> {
            applied[0] = expected.isSameWriteAs(current);
            at[0] = now();
            return applied[0] ? write.at(at[0]) : current;
        });
        return new Snapshot(applied[0], standing, at[0]);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return new Snapshot(false, cache.getIfPresent(key), now());
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        Bounds.requireLimit(limit);
        return records.values().stream()
                .filter(record -> record.state().isUnresolved())
                .filter(record -> after == null || LONGEST_IN_STATE.compare(record, after) > 0)
                .sorted(LONGEST_IN_STATE)
                .limit(limit)
                .toList();
    }

    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        Instant now = now();
        int[] done = {0};
        for (IdempotencyKey key : records.keySet()) {
            if (done[0] == limit) {
                break;
            }
            records.computeIfPresent(key, (same, record) -> {
                if (record.isForgettable(now)) {
                    done[0]++;
                    return null;
                }
                if (record.isExpired(now) && record.result() != null) {
                    done[0]++;
                    return record.with().result(null).build();
                }
                return record;
            });
        }
        return done[0];
    }

    @Override
    public AuditEntry append(AuditEntry entry) {
        return trail.append(entry, this::now);
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        Bounds.requireLimit(limit);
        return trail.page(key, before, limit);
    }

    /**
     * An inbox in this process, on this store's clock.
     *
     * @return the same inbox each time; nothing of it survives the process
     */
    public InboxStore inbox() {
        return inbox;
    }

    /**
     * A version guard in this process, on this store's clock.
     *
     * @return the same guard each time; nothing of it survives the process
     */
    public VersionGuard versionGuard() {
        return versionGuard;
    }

    /**
     * How many results were evicted before their retention was over.
     *
     * @return 0 unless there was too little room
     */
    public long evicted() {
        return evicted.sum();
    }
}

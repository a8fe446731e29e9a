package dev.idempotency.metrics;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How many keys are in doubt, and since when: as it was when the store was read. Thread-safe. */
final class DoubtReader {
    /** Records in one step of the store. */
    static final int PAGE = 500;

    /** Where a reading ends: what it says is then "at least". */
    static final int MOST = 10_000;

    private static final int TRIES = 5;

    private record Doubts(int count, double oldestSeconds) {
        static final Doubts NONE = new Doubts(0, 0);

        Doubts and(Duration age) {
            return new Doubts(count + 1, Math.max(oldestSeconds, Math.max(0, age.toNanos() / 1e9)));
        }
    }

    private final IdempotencyStore store;
    private final OperationNames names;
    private volatile @Nullable Map<String, Doubts> byOperation;

    DoubtReader(IdempotencyStore store, OperationNames names) {
        this.store = store;
        this.names = names;
    }

    /** Reads the store; until that succeeds again, nothing is known. */
    void read() {
        Map<String, Doubts> found = null;
        try {
            found = found();
        } finally {
            byOperation = found;
        }
    }

    private Map<String, Doubts> found() {
        var found = new HashMap<String, Doubts>();
        List<IdempotencyRecord> page = store.listUnresolved(null, PAGE);
        if (page.isEmpty()) {
            return found;
        }
        Instant now = now(page);
        for (int seen = page.size(); ; seen += page.size()) {
            for (IdempotencyRecord record : page) {
                Instant since = inDoubtSince(record, now);
                if (since != null) {
                    String name = names.read(record.key().operation());
                    found.put(name, found.getOrDefault(name, Doubts.NONE).and(Duration.between(since, now)));
                }
            }
            if (page.size() < PAGE || seen >= MOST) {
                return found;
            }
            page = store.listUnresolved(page.get(page.size() - 1), PAGE);
        }
    }

    /** The store's time comes with a key; where one cannot be read, the next one serves. */
    private Instant now(List<IdempotencyRecord> page) {
        RuntimeException last = new IllegalStateException("no key");
        for (IdempotencyRecord record : page.subList(0, Math.min(TRIES, page.size()))) {
            try {
                return store.find(record.key()).now();
            } catch (RuntimeException e) {
                last = e;
            }
        }
        throw last;
    }

    /** A lapsed attempt is in doubt, although nobody has met it yet. */
    private static @Nullable Instant inDoubtSince(IdempotencyRecord record, Instant now) {
        if (record.state() == State.IN_DOUBT) {
            return record.times().stateSince();
        }
        return record.isLapsed(now) ? record.times().leaseUntil() : null;
    }

    double count(String operation) {
        var known = byOperation;
        return known == null
                ? Double.NaN
                : known.getOrDefault(operation, Doubts.NONE).count();
    }

    double oldestSeconds(String operation) {
        var known = byOperation;
        return known == null
                ? Double.NaN
                : known.getOrDefault(operation, Doubts.NONE).oldestSeconds();
    }
}

package dev.idempotency.caffeine;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people have decided, in the order in which it was appended. Thread-safe. */
final class Trail {
    private static final Logger LOG = LoggerFactory.getLogger(Trail.class);

    private record Place(String id, AuditEntry.Phase phase) {
        static Place of(AuditEntry entry) {
            return new Place(entry.id(), entry.phase());
        }
    }

    private final int maximum;
    private final Map<Place, AuditEntry> entries = new LinkedHashMap<>();
    private long dropped;

    Trail(int maximum) {
        this.maximum = maximum;
    }

    synchronized AuditEntry append(AuditEntry entry, Supplier<Instant> now) {
        AuditEntry standing = entries.get(Place.of(entry));
        if (standing != null) {
            return standing;
        }
        AuditEntry written = entry.at(now.get());
        entries.put(Place.of(entry), written);
        if (entries.size() > maximum) {
            dropOldest();
        }
        return written;
    }

    private void dropOldest() {
        Iterator<AuditEntry> oldest = entries.values().iterator();
        oldest.next();
        oldest.remove();
        dropped++;
        if (Long.bitCount(dropped) == 1) {
            LOG.error(
                    "{} entries of the audit trail are lost: a store in this process has room for {}",
                    dropped,
                    maximum);
        }
    }

    synchronized List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        List<AuditEntry> newestFirst = new ArrayList<>(entries.values());
        Collections.reverse(newestFirst);
        AuditEntry cursor = before == null ? null : entries.get(Place.of(before));
        int from = cursor == null ? 0 : newestFirst.indexOf(cursor) + 1;
        if (before != null && cursor == null) {
            // It was dropped, and so was all that is older.
            return List.of();
        }
        return newestFirst.subList(from, newestFirst.size()).stream()
                .filter(entry -> key == null || key.equals(entry.key()))
                .limit(limit)
                .toList();
    }
}

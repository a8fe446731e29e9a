package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The plainest audit trail there can be: a list. Thread-safe. */
class ReferenceTrail {
    private final List<AuditEntry> entries = new ArrayList<>();

    AuditEntry append(AuditEntry entry, InstantSource clock) {
        synchronized (entries) {
            var standing = standing(entry);
            return standing == null ? add(entry.at(clock.instant())) : standing;
        }
    }

    List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        ReferenceStore.requireLimit(limit);
        var all = newestFirst();
        return all.subList(after(before, all), all.size()).stream()
                .filter(entry -> key == null || isOf(key, entry))
                .limit(limit)
                .toList();
    }

    /** Called when a purge has run. */
    void purged() {}

    // What follows is for the broken trails.

    boolean isOf(IdempotencyKey key, AuditEntry entry) {
        return key.equals(entry.key());
    }

    /** Where a page begins. */
    int after(@Nullable AuditEntry before, List<AuditEntry> newestFirst) {
        for (var i = 0; i < newestFirst.size(); i++) {
            if (newestFirst.get(i).isSamePhaseAs(before)) {
                return i + 1;
            }
        }
        return 0;
    }

    final @Nullable AuditEntry standing(AuditEntry entry) {
        synchronized (entries) {
            return entries.stream().filter(entry::isSamePhaseAs).findFirst().orElse(null);
        }
    }

    final AuditEntry add(AuditEntry entry) {
        synchronized (entries) {
            entries.add(entry);
            return entry;
        }
    }

    final void remove(AuditEntry entry) {
        synchronized (entries) {
            entries.removeIf(entry::isSamePhaseAs);
        }
    }

    final void clear() {
        synchronized (entries) {
            entries.clear();
        }
    }

    final List<AuditEntry> newestFirst() {
        synchronized (entries) {
            var all = new ArrayList<>(entries);
            Collections.reverse(all);
            return all;
        }
    }
}

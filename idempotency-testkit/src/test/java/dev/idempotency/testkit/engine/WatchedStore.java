package dev.idempotency.testkit.engine;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store that tells before and after each of its writes, so that a test or a crash can come in between. */
final class WatchedStore extends ForwardingStore implements AuditedStore {
    /** Where an act stands. */
    enum Point {
        BEFORE_REQUESTED,
        AFTER_REQUESTED,
        BEFORE_INTENDED,
        AFTER_INTENDED,
        BEFORE_RECORD,
        AFTER_RECORD,
        BEFORE_APPLIED,
        AFTER_APPLIED,
        BEFORE_REFUSED,
        AFTER_REFUSED
    }

    /** What happens there. */
    @FunctionalInterface
    interface Reaction {
        void at(Point point);
    }

    private final AuditedStore store;
    private final Reaction reaction;

    WatchedStore(AuditedStore store, Reaction reaction) {
        super(store);
        this.store = store;
        this.reaction = reaction;
    }

    @Override
    public AuditEntry append(AuditEntry entry) {
        reaction.at(Point.valueOf("BEFORE_" + entry.phase()));
        AuditEntry appended = store.append(entry);
        reaction.at(Point.valueOf("AFTER_" + entry.phase()));
        return appended;
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        reaction.at(Point.BEFORE_RECORD);
        Snapshot snapshot = super.replace(expected, write);
        reaction.at(Point.AFTER_RECORD);
        return snapshot;
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        return store.audit(key, before, limit);
    }
}

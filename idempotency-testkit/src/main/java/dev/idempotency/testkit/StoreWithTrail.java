package dev.idempotency.testkit;

import dev.idempotency.Admin;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyStore;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Any store, with an audit trail beside it in this process: so that an {@link Admin} can be put on a store that a test has
 * wrapped. Not for production, where the trail must be as durable as the records. Thread-safe if the store is.
 *
 * @since 0.1.0
 */
public final class StoreWithTrail extends ForwardingStore implements AuditedStore {
    private final ReferenceTrail trail;

    /**
     * Puts an empty trail beside a store.
     *
     * @param store where the records stand; its time is the trail's too
     * @throws NullPointerException if the store is null
     */
    public StoreWithTrail(IdempotencyStore store) {
        this(store, new ReferenceTrail());
    }

    /**
     * Puts the trail of one store beside the records of another: of one that a test has wrapped around it, for instance.
     *
     * @param store where the records stand
     * @param trail where the trail stands
     * @throws NullPointerException if an argument is null
     */
    public StoreWithTrail(IdempotencyStore store, AuditedStore trail) {
        this(store, of(Objects.requireNonNull(trail, "trail")));
    }

    private static ReferenceTrail of(AuditedStore store) {
        return new ReferenceTrail() {
            @Override
            AuditEntry append(AuditEntry entry, InstantSource clock) {
                return store.append(entry);
            }

            @Override
            List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                return store.audit(key, before, limit);
            }
        };
    }

    StoreWithTrail(IdempotencyStore store, ReferenceTrail trail) {
        super(store);
        this.trail = trail;
    }

    @Override
    public int purge(int limit) {
        int purged = super.purge(limit);
        trail.purged();
        return purged;
    }

    @Override
    public AuditEntry append(AuditEntry entry) {
        return trail.append(entry, () -> find(entry.key()).now());
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        return trail.page(key, before, limit);
    }
}

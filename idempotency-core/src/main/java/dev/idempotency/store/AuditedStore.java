package dev.idempotency.store;

import dev.idempotency.IdempotencyKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A store that keeps, beside its records, the trail of what people have decided about them. The trail is append-only: no
 * entry is ever changed, removed, purged or evicted, except as far as the store's {@link StoreClass} goes. Thread-safe.
 *
 * <p>What it must do is written down, clause by clause, in {@code docs/store-contract.md}.
 *
 * @since 0.1.0
 */
public interface AuditedStore extends IdempotencyStore {
    /**
     * Appends an entry, at the store's time. The same phase of the same act once more, after a lost reply, changes nothing.
     *
     * @param entry what to append; its time is set by the store
     * @return the entry as it stands, with its time: this one, or the one that was appended before
     * @throws StoreException if the store failed; says whether the entry may have been appended
     */
    AuditEntry append(AuditEntry entry);

    /**
     * Reads the trail, newest first.
     *
     * @param key which key; null for all
     * @param before the last entry of the page before; null for the first page
     * @param limit how many at most, from 1
     * @return a page; less than {@code limit} only when it is the last
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit);
}

package dev.idempotency.store;

import dev.idempotency.IdempotencyKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where records stand. Implementations are thread-safe, and safe to share between processes as far as their
 * {@link StoreClass} goes.
 *
 * <p>Each method is one atomic step on one key. A step is acknowledged only when it is as durable as the store's class
 * says, in a transaction of its own, whatever transaction the caller is in. What each step must do is written down,
 * clause by clause, in {@code docs/store-contract.md}, and the test kit has a test for each clause.
 *
 * @since 0.1.0
 */
public interface IdempotencyStore {
    /**
     * What this store does with acknowledged writes.
     *
     * @return the class; the same for the lifetime of the store
     */
    StoreClass storeClass();

    /**
     * Writes the first record of a key, if no record stands for it.
     *
     * @param write the record to be written; one that is {@linkplain Write#created() created} now
     * @return {@code applied} and the written record with its times; or not applied, and the record that stands,
     *     whatever its state or age
     * @throws StoreException if the store failed; says whether the write may have happened
     */
    Snapshot reserve(Write write);

    /**
     * Replaces one record by another, if the expected one still stands
     * ({@link IdempotencyRecord#isSameWriteAs same token and version}).
     *
     * @param expected what must stand
     * @param write what replaces it; same key, higher version
     * @return {@code applied} and the written record with its times; or not applied, and what stands instead
     * @throws StoreException if the store failed; says whether the write may have happened
     */
    Snapshot replace(IdempotencyRecord expected, Write write);

    /**
     * Reads a key. Never reads a replica.
     *
     * @param key which key
     * @return never {@code applied}; the record that stands, or null
     * @throws StoreException if the store failed
     */
    Snapshot find(IdempotencyKey key);

    /**
     * Lists the records that are {@link State#isUnresolved unresolved}, longest in their state first.
     *
     * @param after the last record of the page before; null for the first page
     * @param limit how many at most, from 1
     * @return a page; records that change meanwhile may be missed or come as they now are
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit);

    /**
     * Drops results whose retention is over, and removes records that are {@link IdempotencyRecord#isForgettable
     * forgettable}. Never touches an unresolved record. Safe to run on every node at any time.
     *
     * @param limit how many records at most, from 1
     * @return how many records were removed or lost their result; less than {@code limit} when nothing is left to do
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    int purge(int limit);
}

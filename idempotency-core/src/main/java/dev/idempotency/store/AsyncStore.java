package dev.idempotency.store;

import dev.idempotency.IdempotencyKey;
import java.util.concurrent.CompletionStage;

/**
 * A store whose steps can be taken without a thread that waits for each. Thread-safe, as every store is.
 *
 * <p>Each method is the same step as its namesake, with the same guarantees, and returns at once. Stages may complete in any
 * thread: the library goes on in one of its own.
 *
 * @apiNote Experimental: may change or go in any version.
 * @since 0.1.0
 */
public interface AsyncStore extends IdempotencyStore {
    /**
     * {@link #reserve}, without waiting.
     *
     * @param write the record to be written
     * @return completes with what {@link #reserve} returns, or exceptionally with the {@link StoreException} that it throws
     */
    CompletionStage<Snapshot> reserveAsync(Write write);

    /**
     * {@link #replace}, without waiting.
     *
     * @param expected what must stand
     * @param write what replaces it; same key, higher version
     * @return completes with what {@link #replace} returns, or exceptionally with the {@link StoreException} that it throws
     */
    CompletionStage<Snapshot> replaceAsync(IdempotencyRecord expected, Write write);

    /**
     * {@link #find}, without waiting.
     *
     * @param key which key
     * @return completes with what {@link #find} returns, or exceptionally with the {@link StoreException} that it throws
     */
    CompletionStage<Snapshot> findAsync(IdempotencyKey key);
}

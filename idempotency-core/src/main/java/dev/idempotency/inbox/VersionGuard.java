package dev.idempotency.inbox;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreException;
import java.time.Duration;

/**
 * Remembers the latest version of things, so that messages that come late or in another order undo nothing. Thread-safe, and
 * shared between processes as far as the {@link dev.idempotency.store.StoreClass class of its store} goes.
 *
 * <p>What it must do is written down, clause by clause, in {@code docs/inbox-contract.md}.
 *
 * @since 0.1.0
 */
public interface VersionGuard {
    /** How a version compares with the one that stands. */
    enum Verdict {
        /** It is greater, or none was remembered: it stands from now on. */
        NEWER,
        /** It is the one that stands: told once more, or by whoever did not come to the end the first time. */
        SAME,
        /** It is smaller: too late. */
        STALE
    }

    /**
     * Compares a version with the one that stands, and lets it stand if it is greater, in one step. A deletion is remembered
     * like any other version: what is older or of the same number is stale after it, and does not bring the thing back.
     *
     * <p>Whoever handles a message more than once, as after a crash, meets {@link Verdict#SAME} the second time: only
     * {@link Verdict#STALE} is a reason to drop it.
     *
     * @param entity which thing
     * @param version which state of it
     * @param retention how long from now the version is remembered, if it is newer; more than zero. Longer than messages are
     *     late
     * @return how it compares
     * @throws IllegalArgumentException if {@code retention} is not more than zero
     * @throws StoreException if the store failed; says whether the version may stand now
     */
    Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention);

    /**
     * Compares a version with the one that stands, and changes nothing. Whoever lets a version stand only after handling it
     * compares before, and {@link #advance advances} after.
     *
     * @param entity which thing
     * @param version which state of it
     * @return what {@link #advance} would have answered at this moment
     * @throws StoreException if the store failed
     */
    Verdict compare(IdempotencyKey entity, EntityVersion version);

    /**
     * Forgets versions whose retention is over. Safe to run on every node at any time.
     *
     * @param limit how many at most, from 1
     * @return how many were removed; less than {@code limit} when nothing is left to do. Always 0 where the store forgets by
     *     itself
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    int purge(int limit);
}

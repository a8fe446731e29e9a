package dev.idempotency.store;

import dev.idempotency.store.IdempotencyRecord.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One record to be written, and which of its times the store sets from its own clock in the same atomic step. No
 * instant ever travels to a store: only durations do.
 *
 * <p>{@link #at} says what the store must end up with; a store that cannot call Java (SQL, Lua) does the same.
 *
 * @param next the record; its times are those of the record that it replaces
 * @param created whether the time of creation becomes now and the old retention is dropped: a key's first record
 * @param firstSent whether the time of the first send becomes now
 * @param newState whether the time of the state becomes now
 * @param lease how long from now the lease of an unresolved record lasts; null keeps it on a record in flight and clears it
 *     on any other
 * @param retention how long from now the result is kept at least; null leaves {@code expiresAt} as it is
 * @param tombstone how long after {@code expiresAt} the record is still remembered without its result
 * @since 0.1.0
 */
public record Write(
        IdempotencyRecord next,
        boolean created,
        boolean firstSent,
        boolean newState,
        @Nullable Duration lease,
        @Nullable Duration retention,
        Duration tombstone) {

    /**
     * Checks the write.
     *
     * @param next as described above
     * @param created as described above
     * @param firstSent as described above
     * @param newState as described above
     * @param lease as described above
     * @param retention as described above
     * @param tombstone as described above
     * @throws NullPointerException if {@code next} or {@code tombstone} is null
     */
    public Write {
        Objects.requireNonNull(next, "next");
        Objects.requireNonNull(tombstone, "tombstone");
    }

    /**
     * The record as it stands once the write is done.
     *
     * @param now the store's time of the write
     * @return the record with its times set
     */
    public IdempotencyRecord at(Instant now) {
        Times old = next.times();
        Instant leaseUntil = next.state() == State.IN_FLIGHT ? old.leaseUntil() : null;
        if (lease != null && next.state().isUnresolved()) {
            leaseUntil = now.plus(lease);
        }
        Instant expiresAt = old.expiresAt();
        Instant forgetAt = old.forgetAt();
        if (retention != null) {
            Instant wanted = now.plus(retention);
            expiresAt = created || wanted.isAfter(expiresAt) ? wanted : expiresAt;
            forgetAt = expiresAt.plus(tombstone);
        }
        return next.with()
                .times(new Times(
                        created ? now : old.createdAt(),
                        firstSent ? now : old.firstSentAt(),
                        newState ? now : old.stateSince(),
                        leaseUntil,
                        expiresAt,
                        forgetAt))
                .build();
    }
}

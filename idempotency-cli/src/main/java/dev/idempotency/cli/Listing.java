package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of unresolved keys.
 *
 * @param records the keys, longest in their state first
 * @param next where the next page begins; null when this is the last
 * @param now the store's time; null when there is no key to ask it with
 */
record Listing(
        List<IdempotencyRecord> records,
        @Nullable String next,
        @Nullable Instant now) {
    private static final int READ_AT_ONCE = 200;

    /** Which of the keys that a query finds. */
    private interface Wanted {
        boolean is(IdempotencyRecord record, @Nullable Instant now);
    }

    /** A key in flight whose lease is over is in doubt, although nobody has written that into its record yet. */
    static Listing read(Admin admin, Admin.Query query, boolean heldOnly) {
        State state = query.state();
        if (heldOnly) {
            return read(admin, query, Listing::isHeld);
        }
        if (state == null) {
            List<IdempotencyRecord> found = admin.unresolved(query);
            return page(query, found, now(admin, found));
        }
        return read(
                admin,
                query,
                (record, now) -> isInDoubt(record, now) ? state == State.IN_DOUBT : state == record.state());
    }

    private static Listing read(Admin admin, Admin.Query query, Wanted wanted) {
        List<IdempotencyRecord> found = new ArrayList<>();
        Instant now = null;
        var read = new Admin.Query(null, query.scope(), query.atLeast(), READ_AT_ONCE, query.after());
        while (true) {
            List<IdempotencyRecord> some = admin.unresolved(read);
            now = now == null ? now(admin, some) : now;
            for (IdempotencyRecord record : some) {
                if (wanted.is(record, now)) {
                    found.add(record);
                }
                if (found.size() == query.limit()) {
                    return page(query, found, now);
                }
            }
            if (some.size() < READ_AT_ONCE) {
                return page(query, found, now);
            }
            read = read.next(some.get(some.size() - 1));
        }
    }

    private static Listing page(Admin.Query query, List<IdempotencyRecord> found, @Nullable Instant now) {
        boolean isFull = found.size() == query.limit();
        return new Listing(
                found, isFull ? Cursors.of(found.get(found.size() - 1)) : null, found.isEmpty() ? null : now);
    }

    /** Whether the write may have happened, and nobody knows. */
    static boolean isInDoubt(IdempotencyRecord record, @Nullable Instant now) {
        return record.state() == State.IN_DOUBT || isLeaseOver(record, now);
    }

    /** Whether it stands as in flight, and whoever had it is dead or cut off. */
    static boolean isLeaseOver(IdempotencyRecord record, @Nullable Instant now) {
        return now != null && record.isLapsed(now);
    }

    /** Nothing but a late answer or a person ends it. */
    static boolean isHeld(IdempotencyRecord record, @Nullable Instant now) {
        return isInDoubt(record, now) && record.terms().policy() == RecoveryTerms.Policy.HOLD;
    }

    /** Only the store knows its time, and it tells with each review. */
    private static @Nullable Instant now(Admin admin, List<IdempotencyRecord> records) {
        for (IdempotencyRecord record : records) {
            var review = admin.review(record.key());
            if (review != null) {
                return review.now();
            }
        }
        return null;
    }

    @Nullable
    Duration age(IdempotencyRecord record) {
        return now == null ? null : Duration.between(record.times().stateSince(), now);
    }
}

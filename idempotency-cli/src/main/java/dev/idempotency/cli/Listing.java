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

    static Listing read(Admin admin, Admin.Query query, boolean heldOnly) {
        List<IdempotencyRecord> found = heldOnly ? held(admin, query) : admin.unresolved(query);
        boolean isFull = found.size() == query.limit();
        return new Listing(found, isFull ? Cursors.of(found.get(found.size() - 1)) : null, now(admin, found));
    }

    private static List<IdempotencyRecord> held(Admin admin, Admin.Query query) {
        List<IdempotencyRecord> held = new ArrayList<>();
        var read = new Admin.Query(State.IN_DOUBT, query.scope(), query.atLeast(), READ_AT_ONCE, query.after());
        while (true) {
            List<IdempotencyRecord> some = admin.unresolved(read);
            for (IdempotencyRecord record : some) {
                if (isHeld(record)) {
                    held.add(record);
                }
                if (held.size() == query.limit()) {
                    return held;
                }
            }
            if (some.size() < READ_AT_ONCE) {
                return held;
            }
            read = read.next(some.get(some.size() - 1));
        }
    }

    /** Nothing but a late answer or a person ends it. */
    static boolean isHeld(IdempotencyRecord record) {
        return record.state() == State.IN_DOUBT && record.terms().policy() == RecoveryTerms.Policy.HOLD;
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

package dev.idempotency.testkit.jqwik;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store and the reference store, side by side: the state of {@link StoreModelProperties}' sequences. Each step is taken on
 * the store first, and on the reference at the time that the store's answer has. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class StoreComparison {
    static final int KEYS = 4;
    private static final Duration MICROSECOND = Duration.ofNanos(1_000);

    private final IdempotencyStore store;
    private final Consumer<Duration> elapse;
    private final ManualClock clock;
    private final ReferenceStore reference;
    private final List<IdempotencyKey> keys;
    private final Map<IdempotencyKey, IdempotencyRecord> earlier = new HashMap<>();

    StoreComparison(IdempotencyStore store, Consumer<Duration> elapse) {
        this.store = store;
        this.elapse = elapse;
        var scope = "model-" + UUID.randomUUID();
        keys = List.of(
                new IdempotencyKey(scope, "a:b"),
                new IdempotencyKey(scope + ":a", "b"),
                new IdempotencyKey(scope, "A:b"),
                new IdempotencyKey(scope, "\u6f22\ud83d\ude80"));
        clock = new ManualClock(store.find(keys.get(0)).now());
        reference = new ReferenceStore(clock);
    }

    void reserve(int which, IdempotencyRecord content, Duration lease, Duration retention, Duration tombstone) {
        var first = StoreModelProperties.first(keys.get(which), content);
        var write = new Write(first, true, true, true, lease, retention, tombstone);
        var answer = store.reserve(write);
        settle(first.key(), answer);
        check("reserve", reference.reserve(write), answer);
        checkAll();
    }

    void replace(
            int which,
            IdempotencyRecord content,
            StoreModelProperties.Flags how,
            @Nullable Duration lease,
            @Nullable Duration retention,
            Duration tombstone) {
        var key = keys.get(which);
        var standing = store.find(key).record();
        var known = standing == null ? StoreModelProperties.first(key, content) : standing;
        var expected = switch (how.expected()) {
            case STANDING, STANDING_TOO, STANDING_AS_WELL -> known;
            case AN_EARLIER_ONE -> Objects.requireNonNullElse(earlier.get(key), known);
            case ANOTHER_VERSION -> known.with().version(known.version() + 1).build();
            case ANOTHER_TOKEN -> known.with().token(content.token()).build();
        };
        var write = how.write(StoreModelProperties.successor(expected, content), lease, retention, tombstone);
        var answer = store.replace(expected, write);
        settle(key, answer);
        check("replace", reference.replace(expected, write), answer);
        earlier.put(key, known);
        checkAll();
    }

    void find(int which) {
        var answer = store.find(keys.get(which));
        settle(keys.get(which), answer);
        check("find", reference.find(keys.get(which)), answer);
    }

    void elapse(Duration pause) {
        var before = store.find(keys.get(0)).now();
        elapse.accept(pause);
        var now = store.find(keys.get(0)).now();
        if (Duration.between(before, now).compareTo(pause.dividedBy(2)) < 0) {
            throw new AssertionError(
                    "the store's time went from " + before + " to " + now + " while " + pause + " passed");
        }
        checkAll();
    }

    void purge(int limit) {
        checkAll();
        var due = shownAsDue();
        var done = store.purge(limit);
        if (done < 0 || done > limit) {
            throw new AssertionError("purge(" + limit + ") says " + done);
        }
        for (var key : keys) {
            var answer = store.find(key);
            advance(answer.now());
            var found = answer.record();
            if (found == null) {
                reference.forget(key);
            } else if (found.result() == null) {
                reference.dropResult(key);
            }
        }
        checkAll();
        var left = due(clock.instant());
        left.retainAll(due);
        if (due.size() - left.size() > done || (done < limit && !left.isEmpty())) {
            throw new AssertionError("purge(" + limit + ") says " + done + "; due were " + due + ", left are " + left);
        }
    }

    /** What a purge must deal with: due records that still stand. Others the store may remove by itself meanwhile. */
    private Set<IdempotencyKey> shownAsDue() {
        var due = new HashSet<IdempotencyKey>();
        for (var key : keys) {
            var answer = store.find(key);
            settle(key, answer);
            var record = answer.record();
            if (record != null && isDue(record, answer.now())) {
                due.add(key);
            }
        }
        return due;
    }

    private static boolean isDue(IdempotencyRecord record, Instant now) {
        return record.isForgettable(now) || (record.isExpired(now) && record.result() != null);
    }

    private Set<IdempotencyKey> due(Instant now) {
        var due = new HashSet<IdempotencyKey>();
        for (var record : reference.records()) {
            if (isDue(record, now)) {
                due.add(record.key());
            }
        }
        return due;
    }

    void list(int limit) {
        var expected = reference.listUnresolved(null, KEYS);
        var found = new ArrayList<IdempotencyRecord>();
        IdempotencyRecord cursor = null;
        for (var pages = 0; pages < 100_000; pages++) {
            var page = store.listUnresolved(cursor, limit);
            if (page.size() > limit) {
                throw new AssertionError("a page of " + limit + " has " + page.size() + " records");
            }
            if (page.isEmpty()) {
                break;
            }
            page.stream().filter(record -> keys.contains(record.key())).forEach(found::add);
            cursor = page.get(page.size() - 1);
            if (found.size() > expected.size()) {
                break;
            }
        }
        if (found.size() != expected.size()) {
            throw new AssertionError("listed are " + found + ", not " + expected);
        }
        for (var i = 0; i < found.size(); i++) {
            var record = found.get(i);
            check("list", reference.find(record.key()).record(), record);
            if (i > 0
                    && record.times()
                            .stateSince()
                            .isBefore(found.get(i - 1).times().stateSince())) {
                throw new AssertionError("listed out of order are " + found);
            }
        }
    }

    /**
     * Moves the reference to the time of an answer, and lets go what the store has let go by then: a record that is due may
     * be gone, and then a reservation is applied, and anything else finds nothing.
     */
    private void settle(IdempotencyKey key, Snapshot answer) {
        advance(answer.now());
        var record = answer.record();
        if (record == null || (answer.applied() && record.version() == 1)) {
            reference.forget(key);
        }
    }

    private void advance(Instant now) {
        if (now.isBefore(clock.instant())) {
            throw new AssertionError("the store's time went back from " + clock.instant() + " to " + now);
        }
        clock.set(now);
    }

    private void checkAll() {
        for (var key : keys) {
            var answer = store.find(key);
            settle(key, answer);
            check("find", reference.find(key), answer);
        }
    }

    private static void check(String step, Snapshot expected, Snapshot actual) {
        if (expected.applied() != actual.applied()) {
            throw new AssertionError(step + ": applied is " + actual.applied() + ", not " + expected.applied()
                    + "; what stands is " + actual.record() + ", not " + expected.record());
        }
        check(step, expected.record(), actual.record());
    }

    private static void check(String step, @Nullable IdempotencyRecord expected, @Nullable IdempotencyRecord actual) {
        if (expected == null || actual == null) {
            if (expected != null || actual != null) {
                throw new AssertionError(step + ": what stands is " + actual + ", not " + expected);
            }
            return;
        }
        var same = expected.key().equals(actual.key())
                && expected.generation() == actual.generation()
                && Objects.equals(expected.fingerprint(), actual.fingerprint())
                && expected.state() == actual.state()
                && expected.version() == actual.version()
                && expected.token().equals(actual.token())
                && expected.attempt() == actual.attempt()
                && expected.nativeKey().equals(actual.nativeKey())
                && isSame(expected.terms(), actual.terms())
                && Objects.equals(expected.result(), actual.result())
                && Objects.equals(expected.request(), actual.request())
                && isSame(expected.evidence(), actual.evidence())
                && isSame(expected.times(), actual.times());
        if (!same) {
            throw new AssertionError(step + ": what stands is\n" + details(actual) + "\nnot\n" + details(expected));
        }
    }

    private static String details(IdempotencyRecord record) {
        return record + " " + record.fingerprint() + " " + record.token() + " " + record.nativeKey() + " "
                + record.terms() + " " + record.result() + " " + record.request() + " " + record.evidence() + " "
                + record.times();
    }

    private static boolean isSame(RecoveryTerms one, RecoveryTerms other) {
        return one.policy() == other.policy()
                && one.whenMissing() == other.whenMissing()
                && isSame(one.quiescence(), other.quiescence())
                && isSame(one.resendWithin(), other.resendWithin());
    }

    private static boolean isSame(List<Evidence> one, List<Evidence> other) {
        var same = one.size() == other.size();
        for (var i = 0; same && i < one.size(); i++) {
            same = one.get(i).kind() == other.get(i).kind()
                    && isSame(one.get(i).at(), other.get(i).at())
                    && one.get(i).attempt() == other.get(i).attempt()
                    && one.get(i).detail().equals(other.get(i).detail())
                    && Objects.equals(one.get(i).result(), other.get(i).result());
        }
        return same;
    }

    private static boolean isSame(Times one, Times other) {
        return isSame(one.createdAt(), other.createdAt())
                && isSame(one.firstSentAt(), other.firstSentAt())
                && isSame(one.stateSince(), other.stateSince())
                && isSame(one.leaseUntil(), other.leaseUntil())
                && isSame(one.expiresAt(), other.expiresAt())
                && isSame(one.forgetAt(), other.forgetAt());
    }

    private static boolean isSame(@Nullable Instant one, @Nullable Instant other) {
        if (one == null || other == null) {
            return one == null && other == null;
        }
        return isClose(Duration.between(one, other));
    }

    private static boolean isSame(@Nullable Duration one, @Nullable Duration other) {
        if (one == null || other == null) {
            return one == null && other == null;
        }
        return isClose(other.minus(one));
    }

    private static boolean isClose(Duration difference) {
        return difference.abs().compareTo(MICROSECOND) <= 0;
    }

    /** Says what stands in the reference store. */
    @Override
    public String toString() {
        return "StoreComparison" + reference.records();
    }
}

package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * What every {@link AuditedStore} must do with its trail, as tests to inherit: one for each clause of
 * {@code docs/store-contract.md}. For its records, extend {@link IdempotencyStoreContract} too.
 *
 * <p>Each test draws keys of its own, so tests may run in parallel on one server. Times may be kept to the microsecond.
 *
 * @since 0.1.0
 */
public abstract class AuditedStoreContract {
    private static final int MANY = 300;
    private static final Duration MICROSECOND = Duration.ofNanos(1_000);
    private static final Instant WRONG = Instant.parse("2099-12-31T23:59:59Z");

    private final String scope = "audited-" + UUID.randomUUID();
    private final IdempotencyKey key = key("key");

    /** For subclasses. */
    protected AuditedStoreContract() {}

    /**
     * The store under test, without records and entries of keys that this test has not written.
     *
     * @return the same store throughout one test
     */
    protected abstract AuditedStore store();

    /**
     * Lets time pass for the store: moves a fake clock, or really waits.
     *
     * @param duration how long at least
     */
    protected abstract void elapse(Duration duration);

    // ---- append

    @Test
    @Clause("A1")
    @DisplayName(
            "A1. Appending an entry answers it with the store's time, whatever time it had; from then on it is in the trail of"
                    + " its key and in that of all keys.")
    void append_newEntry_standsAtTheStoresTime() {
        elapse(Duration.ofMillis(2));
        var entry = entry(key, Phase.INTENDED).at(WRONG);
        var before = store().find(key).now();
        elapse(Duration.ofMillis(2));

        var appended = store().append(entry);

        var at = at(appended);
        assertTrue(at.isAfter(before), () -> at + " is not after " + before);
        assertFalse(at.isAfter(store().find(key).now().plus(MICROSECOND)), () -> at + " is still to come");
        assertSame(entry, appended);
        assertTrail(List.of(appended), store().audit(key, null, 10));
        assertTrail(List.of(appended), mine(100));
    }

    @Test
    @Clause("A2")
    @DisplayName(
            "A2. The same phase of the same act once more, after a lost reply, changes nothing; the answer is the entry as it"
                    + " stands, with its first time.")
    void append_repeated_changesNothing() {
        var first = store().append(entry(key, Phase.INTENDED));
        elapse(Duration.ofMillis(2));

        var again = store().append(with(first, "somebody else"));

        assertSame(first, again);
        assertEquals(first.at(), again.at(), "the time");
        assertTrail(List.of(first), store().audit(key, null, 10));
        assertTrail(List.of(first), mine(100));
    }

    @Test
    @Clause("A3")
    @DisplayName(
            "A3. Of sixteen threads that append one phase of an act at once, all are told the same entry, and it stands"
                    + " once.")
    void append_bySixteenThreads_standsOnce() {
        var entry = entry(key, Phase.APPLIED);

        var answers = IdempotencyStoreContract.atOnce(thread -> store().append(entry));

        var trail = store().audit(key, null, 100);
        assertEquals(1, trail.size(), "entries");
        assertEquals(1, mine(100).size(), "entries in the trail of all keys");
        for (var answer : answers) {
            assertSame(trail.get(0), answer);
            assertEquals(at(trail.get(0)), at(answer), "the time");
        }
    }

    @Test
    @Clause("A4")
    @DisplayName(
            "A4. Entries come back as they went in: every act and phase, texts of every script with markup and quotes, of a"
                    + " thousand characters at least, with and without a fingerprint, versions of more than 32 bits.")
    void append_anyContent_comesBack() {
        var texts = List.of(
                "<script>alert('x')</script> & \"quoted\" \\ 100% $1 {} ; DROP TABLE x; --",
                "line\nand\ttab", "Ærøskøbing Łódź Ωμέγα Москва 東京 العربية \uD83D\uDCB6", "x".repeat(999) + "é");
        var written = new ArrayList<AuditEntry>();
        for (var act : Act.values()) {
            for (var phase : Phase.values()) {
                var text = texts.get(written.size() % texts.size());
                var fingerprint = act == Act.OVERRIDE ? new Fingerprint("f".repeat(32), "0".repeat(128)) : null;
                written.add(new AuditEntry(
                        AttemptToken.random().value(),
                        null,
                        key,
                        (1L << 32) + written.size(),
                        AttemptToken.random(),
                        written.size() + 1,
                        act,
                        phase,
                        "who " + text,
                        "why " + text,
                        "evidence " + text,
                        fingerprint,
                        phase == Phase.INTENDED ? "" : "detail " + text));
            }
        }
        for (var entry : written) {
            assertSame(entry, store().append(entry));
        }

        var trail = store().audit(key, null, 100);

        assertEquals(written.size(), trail.size(), "entries");
        for (var entry : written) {
            assertSame(
                    entry,
                    trail.stream().filter(entry::isSamePhaseAs).findFirst().orElseThrow());
        }
    }

    // ---- read

    @Test
    @Clause("A5")
    @DisplayName(
            "A5. A trail begins with its newest entry; the phases of one act come in the reverse of their order, also when they"
                    + " are of one and the same time.")
    void audit_order_isNewestFirst() {
        var requested = store().append(entry(key, Phase.REQUESTED));
        var intended = store().append(phase(requested, Phase.INTENDED));
        var applied = store().append(phase(requested, Phase.APPLIED));
        elapse(Duration.ofMillis(2));
        var later = store().append(entry(key, Phase.INTENDED));
        elapse(Duration.ofMillis(2));
        var last = store().append(entry(key("another"), Phase.INTENDED));

        assertTrail(List.of(later, applied, intended, requested), store().audit(key, null, 10));
        assertTrail(List.of(last, later, applied, intended, requested), mine(100));
    }

    @Test
    @Clause("A6")
    @DisplayName(
            "A6. The trail of a key has its entries and no other key's, also where keys look alike; that of all keys has"
                    + " them all.")
    void audit_keysThatLookAlike_haveTheirOwnTrails() {
        var lookalikes = List.of(
                new IdempotencyKey(scope, "a:b"),
                new IdempotencyKey(scope + ":a", "b"),
                new IdempotencyKey(scope, "A:b"),
                new IdempotencyKey(scope, "a:b "),
                new IdempotencyKey(scope, "a:*"),
                new IdempotencyKey(scope, "a:%"));
        for (var lookalike : lookalikes) {
            store().append(entry(lookalike, Phase.INTENDED));
        }

        for (var lookalike : lookalikes) {
            var trail = store().audit(lookalike, null, 10);
            assertEquals(List.of(lookalike), trail.stream().map(AuditEntry::key).toList());
        }
        assertEquals(
                new HashSet<>(lookalikes),
                new HashSet<>(mine(50).stream().map(AuditEntry::key).toList()));
        assertEquals(List.of(), store().audit(key("never decided on"), null, 10));
    }

    @Test
    @Clause("A7")
    @DisplayName(
            "A7. Pages have no more entries than their limit, and less only when they are the last; page by page each entry comes"
                    + " once, also among entries of one and the same time.")
    void audit_pages_haveEachEntryOnce() {
        var ids = new ArrayList<String>();
        for (var i = 0; i < MANY; i++) {
            ids.add(store().append(entry(key, Phase.INTENDED)).id());
        }

        for (var limit : new int[] {7, 100, 1_000}) {
            assertPages(limit, new HashSet<>(ids));
        }
    }

    private void assertPages(int limit, Set<String> ids) {
        var pages = new ArrayList<List<AuditEntry>>();
        AuditEntry cursor = null;
        do {
            pages.add(store().audit(key, cursor, limit));
            var page = pages.get(pages.size() - 1);
            cursor = page.isEmpty() ? null : page.get(page.size() - 1);
        } while (cursor != null
                && pages.size() <= MANY
                && pages.get(pages.size() - 1).size() >= limit);

        for (var page : pages.subList(0, pages.size() - 1)) {
            assertEquals(limit, page.size(), "a page that is not the last");
        }
        assertTrue(pages.get(pages.size() - 1).size() <= limit, "the last page is too long");
        var read = pages.stream().flatMap(List::stream).map(AuditEntry::id).toList();
        assertEquals(MANY, read.size(), "entries read");
        assertEquals(ids, new HashSet<>(read));
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("A8")
    @DisplayName("A8. A purge leaves the trail as it is, also that of a key whose record it removes.")
    void audit_recordForgotten_isKept() {
        var reserved = applied(store().reserve(reservation()));
        var intended = store().append(entry(key, Phase.INTENDED));
        var next = reserved.with().version(2).state(State.CLOSED).build();
        applied(store().replace(
                        reserved, new Write(next, false, false, true, null, Duration.ofMillis(1), Duration.ZERO)));
        var applied = store().append(phase(intended, Phase.APPLIED));
        elapse(Duration.ofMillis(20));
        for (var done = 1_000; done == 1_000; ) {
            done = store().purge(1_000);
        }

        assertNull(store().find(key).record(), "the record is forgotten");
        assertTrail(List.of(applied, intended), store().audit(key, null, 10));
        assertTrail(List.of(applied, intended), mine(100));
    }

    @Test
    @Clause("A9")
    @DisplayName("A9. A page goes on after its cursor, whatever was appended meanwhile.")
    void audit_cursor_staysWhereItIs() {
        var appended = new ArrayList<AuditEntry>();
        for (var i = 0; i < 6; i++) {
            appended.add(store().append(entry(key, Phase.INTENDED)));
            elapse(Duration.ofMillis(2));
        }
        var first = store().audit(key, null, 2);
        assertTrail(List.of(appended.get(5), appended.get(4)), first);
        for (var i = 0; i < 3; i++) {
            store().append(entry(key, Phase.INTENDED));
        }

        var second = store().audit(key, first.get(1), 2);

        assertTrail(List.of(appended.get(3), appended.get(2)), second);
    }

    @Test
    @Clause("A10")
    @DisplayName("A10. Limits below 1 are refused with an IllegalArgumentException.")
    void audit_limitBelowOne_isRefused() {
        for (var limit : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> store().audit(key, null, limit));
            assertThrows(IllegalArgumentException.class, () -> store().audit(null, null, limit));
        }
    }

    // ---- what the tests write

    private IdempotencyKey key(String value) {
        return new IdempotencyKey(scope, value);
    }

    private static AuditEntry entry(IdempotencyKey key, Phase phase) {
        return new AuditEntry(
                AttemptToken.random().value(),
                null,
                key,
                3,
                AttemptToken.random(),
                1,
                Act.OVERRIDE,
                phase,
                "ada",
                "a test wants it",
                "none",
                null,
                "");
    }

    private static AuditEntry phase(AuditEntry entry, Phase phase) {
        return new AuditEntry(
                entry.id(),
                null,
                entry.key(),
                entry.version(),
                entry.token(),
                entry.generation(),
                entry.act(),
                phase,
                entry.who(),
                entry.why(),
                entry.evidence(),
                entry.fingerprint(),
                entry.detail());
    }

    private static AuditEntry with(AuditEntry entry, String who) {
        return new AuditEntry(
                entry.id(),
                null,
                entry.key(),
                entry.version(),
                entry.token(),
                entry.generation(),
                entry.act(),
                entry.phase(),
                who,
                entry.why(),
                entry.evidence(),
                entry.fingerprint(),
                entry.detail());
    }

    private Write reservation() {
        var record = new IdempotencyRecord(
                key,
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "00"),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "native",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                Times.UNSET);
        return new Write(record, true, true, true, Duration.ofMinutes(5), Duration.ofMillis(1), Duration.ZERO);
    }

    private static IdempotencyRecord applied(Snapshot answer) {
        assertTrue(answer.applied(), () -> "not applied; what stands is " + answer.record());
        return Objects.requireNonNull(answer.record());
    }

    // ---- how they compare

    /** What this test has appended, out of all pages of the trail of all keys. */
    private List<AuditEntry> mine(int limit) {
        var mine = new ArrayList<AuditEntry>();
        AuditEntry cursor = null;
        while (true) {
            var page = store().audit(null, cursor, limit);
            page.stream().filter(entry -> entry.key().scope().startsWith(scope)).forEach(mine::add);
            if (page.size() < limit) {
                return mine;
            }
            cursor = page.get(page.size() - 1);
        }
    }

    private static Instant at(AuditEntry entry) {
        assertNotNull(entry.at(), () -> "no time in " + entry);
        return Objects.requireNonNull(entry.at());
    }

    private static void assertTrail(List<AuditEntry> expected, List<AuditEntry> actual) {
        assertEquals(
                expected.stream().map(entry -> entry.phase() + " " + entry.id()).toList(),
                actual.stream().map(entry -> entry.phase() + " " + entry.id()).toList());
        for (var i = 0; i < expected.size(); i++) {
            assertSame(expected.get(i), actual.get(i));
            assertTrue(
                    Duration.between(at(expected.get(i)), at(actual.get(i)))
                                    .abs()
                                    .compareTo(MICROSECOND)
                            <= 0,
                    "the time");
        }
    }

    /** Everything but the time. */
    private static void assertSame(AuditEntry expected, @Nullable AuditEntry actual) {
        assertNotNull(actual);
        assertEquals(expected.at(Instant.EPOCH), Objects.requireNonNull(actual).at(Instant.EPOCH));
    }
}

package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.inbox.VersionGuard.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * What every {@link VersionGuard} must do, as tests to inherit: one for each clause of {@code docs/inbox-contract.md}.
 *
 * <p>Extend it, supply the guard and a way to let time pass. Each test draws keys of its own, so tests may run in parallel on
 * one server; those that purge hold a JUnit resource lock, and want no other program to purge the same guard meanwhile.
 *
 * @since 0.1.0
 */
public abstract class VersionGuardContract {
    private final String scope = "guard-" + UUID.randomUUID();
    private final IdempotencyKey entity = new IdempotencyKey(scope, "entity");

    /** For subclasses. */
    protected VersionGuardContract() {}

    /**
     * The guard under test, without versions of things that this test has not told it.
     *
     * @return the same guard throughout one test
     */
    protected abstract VersionGuard guard();

    /**
     * Lets time pass for the guard: moves a fake clock, or really waits.
     *
     * @param duration how long at least
     */
    protected abstract void elapse(Duration duration);

    /**
     * Long enough never to end in a test, however slow the machine.
     *
     * @return five minutes unless overridden
     */
    protected Duration longSpan() {
        return Duration.ofMinutes(5);
    }

    /**
     * Short enough to wait for; used where a test is about the end of a span.
     *
     * @return 300 milliseconds unless overridden
     */
    protected Duration shortSpan() {
        return Duration.ofMillis(300);
    }

    @Test
    @Clause("G1")
    @DisplayName(
            "G1. The first version of a thing is newer; after it, greater numbers are newer and smaller ones stale.")
    void advance_numbers_areCompared() {
        assertEquals(Verdict.NEWER, edited(5, "m"));
        assertEquals(Verdict.STALE, edited(4, "z"));
        assertEquals(Verdict.NEWER, edited(7, "a"));
        assertEquals(Verdict.STALE, edited(6, "z"));
        assertEquals(Verdict.STALE, edited(0, ""));
        assertEquals(Verdict.NEWER, edited(8, ""));
    }

    @Test
    @Clause("G2")
    @DisplayName("G2. Of equal numbers the tie-break decides, byte for byte.")
    void advance_equalNumbers_tieBreakDecides() {
        var ordered = new ArrayList<>(List.of("", " ", "-", "1", "10", "9", "A", "Z", "_", "a", "aA", "aa", "b", "~"));
        for (String tieBreak : ordered) {
            assertEquals(Verdict.NEWER, edited(5, tieBreak), tieBreak);
        }
        ordered.remove("~");
        for (String tieBreak : ordered) {
            assertEquals(Verdict.STALE, edited(5, tieBreak), tieBreak);
        }
    }

    @Test
    @Clause("G3")
    @DisplayName("G3. The very version that stands is the same, as often as it is told.")
    void advance_sameVersion_isTheSame() {
        edited(5, "a");
        assertEquals(Verdict.SAME, edited(5, "a"));
        assertEquals(Verdict.SAME, edited(5, "a"));
        assertEquals(Verdict.NEWER, deleted(5, "a"));
        assertEquals(Verdict.SAME, deleted(5, "a"));
        assertEquals(Verdict.STALE, edited(5, "a"));
    }

    @Test
    @Clause("G4")
    @DisplayName(
            "G4. A deletion wins over any version of the same number that is none, whatever the tie-breaks, and whichever came first.")
    void advance_deletion_winsOverEqualNumbers() {
        edited(5, "z");
        assertEquals(Verdict.NEWER, deleted(5, "a"));
        assertEquals(Verdict.STALE, edited(5, "z"));
        assertEquals(Verdict.STALE, edited(5, "zz"));
        assertEquals(Verdict.NEWER, deleted(5, "b"));
        assertEquals(Verdict.STALE, deleted(5, "a"));
    }

    @Test
    @Clause("G5")
    @DisplayName(
            "G5. After a deletion, also of a thing never seen before, nothing older brings the thing back; what is newer does.")
    void advance_afterDeletion_olderIsStale() {
        assertEquals(Verdict.NEWER, deleted(5, "m"));
        assertEquals(Verdict.STALE, edited(4, "z"));
        assertEquals(Verdict.STALE, edited(1, "z"));
        assertEquals(Verdict.STALE, deleted(4, "z"));
        assertEquals(Verdict.NEWER, edited(6, "a"));
        assertEquals(Verdict.STALE, deleted(5, "m"));
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("G6")
    @DisplayName(
            "G6. A version is remembered for its own retention, counted from when it was newer, a deletion too; then the thing is as never seen.")
    void advance_afterRetention_isAsNeverSeen() {
        var other = new IdempotencyKey(scope, "other");
        var third = new IdempotencyKey(scope, "third");
        assertEquals(Verdict.NEWER, guard().advance(entity, new EntityVersion(5, "a", true), shortSpan()));
        assertEquals(Verdict.NEWER, guard().advance(other, new EntityVersion(5, "a", true), shortSpan()));
        assertEquals(Verdict.NEWER, guard().advance(other, new EntityVersion(6, "a", true), longSpan()));
        assertEquals(Verdict.NEWER, guard().advance(third, new EntityVersion(5, "a", false), longSpan()));
        assertEquals(Verdict.NEWER, guard().advance(third, new EntityVersion(6, "a", false), shortSpan()));
        elapse(shortSpan());

        assertEquals(Verdict.NEWER, edited(1, "a"));
        assertEquals(Verdict.STALE, guard().advance(other, new EntityVersion(1, "a", false), longSpan()));
        assertEquals(Verdict.NEWER, guard().advance(third, new EntityVersion(1, "a", false), longSpan()));
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("G7")
    @DisplayName("G7. What is the same or stale changes nothing: not the version that stands, nor its retention.")
    void advance_notNewer_changesNothing() {
        guard().advance(entity, new EntityVersion(5, "m", false), shortSpan());
        guard().advance(entity, new EntityVersion(5, "m", false), longSpan());
        guard().advance(entity, new EntityVersion(4, "m", true), longSpan());
        var other = new IdempotencyKey(scope, "other");
        guard().advance(other, new EntityVersion(5, "m", false), longSpan());
        guard().advance(other, new EntityVersion(5, "m", false), Duration.ofMillis(1));
        guard().advance(other, new EntityVersion(3, "m", false), Duration.ofMillis(1));
        elapse(shortSpan());

        assertEquals(Verdict.NEWER, edited(1, "a"), "forgotten");
        assertEquals(Verdict.STALE, guard().advance(other, new EntityVersion(4, "m", false), longSpan()), "remembered");
    }

    @Test
    @Clause("G8")
    @DisplayName(
            "G8. Of sixteen threads that tell one version at once, one is told newer and the others the same; of sixteen versions the greatest stands.")
    void advance_byManyAtOnce_isNewerOnce() throws Exception {
        var verdicts = Together.run(16, number -> edited(5, "a"));
        assertEquals(1, Collections.frequency(verdicts, Verdict.NEWER));
        assertEquals(15, Collections.frequency(verdicts, Verdict.SAME));

        var different = Together.run(16, number -> edited(10L + number, "a"));
        assertTrue(different.contains(Verdict.NEWER), "one at least is newer");
        assertEquals(Verdict.STALE, edited(24, "z"));
        assertEquals(Verdict.SAME, edited(25, "a"));
    }

    @Test
    @Clause("G9")
    @DisplayName("G9. Two things are the same only if scope and value are, character by character.")
    void advance_thingsThatLookAlike_areDifferentOnes() {
        for (IdempotencyKey thing : List.of(
                new IdempotencyKey(scope, "a:b"),
                new IdempotencyKey(scope + ":a", "b"),
                new IdempotencyKey(scope, "A:b"),
                new IdempotencyKey(scope, "\u00e9"),
                new IdempotencyKey(scope, "e\u0301"))) {
            assertEquals(
                    Verdict.NEWER,
                    guard().advance(thing, new EntityVersion(5, "a", false), longSpan()),
                    thing::toString);
        }
    }

    @Test
    @Clause("G10")
    @DisplayName("G10. Numbers of 63 bits and tie-breaks of every length are told apart to the last bit and character.")
    void advance_largeNumbers_areToldApart() {
        assertEquals(Verdict.NEWER, edited(1L << 53, "a"));
        assertEquals(Verdict.NEWER, edited((1L << 53) + 1, "a"));
        assertEquals(Verdict.STALE, edited(1L << 53, "a"));
        assertEquals(Verdict.NEWER, edited(Long.MAX_VALUE - 1, "a"));
        assertEquals(Verdict.NEWER, edited(Long.MAX_VALUE, "a"));
        assertEquals(Verdict.STALE, edited(Long.MAX_VALUE - 1, "a"));
        var longest = "x".repeat(EntityVersion.MAX_TIE_BREAK - 1);
        assertEquals(Verdict.NEWER, edited(Long.MAX_VALUE, longest + "a"));
        assertEquals(Verdict.NEWER, edited(Long.MAX_VALUE, longest + "b"));
        assertEquals(Verdict.SAME, edited(Long.MAX_VALUE, longest + "b"));
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("G11")
    @DisplayName("G11. A purge removes no more versions than its limit, and none before its retention is over.")
    void purge_limited_keepsToIt() {
        while (guard().purge(1000) > 0) {
            // What other tests have left.
        }
        edited(5, "m");
        for (int i = 0; i < 5; i++) {
            guard().advance(new IdempotencyKey(scope, "gone-" + i), new EntityVersion(5, "a", true), shortSpan());
        }
        elapse(shortSpan());

        var removed = new ArrayList<Integer>();
        for (int i = 0; i < 4; i++) {
            removed.add(guard().purge(2));
        }

        assertTrue(removed.equals(List.of(2, 2, 1, 0)) || removed.equals(List.of(0, 0, 0, 0)), "removed " + removed);
        assertEquals(Verdict.STALE, edited(4, "m"));
    }

    @Test
    @Clause("G12")
    @DisplayName(
            "G12. Retentions that are not more than zero and limits below 1 are refused with an IllegalArgumentException.")
    void arguments_outOfRange_areRefused() {
        assertAll(
                () -> assertThrows(
                        IllegalArgumentException.class,
                        () -> guard().advance(entity, new EntityVersion(5, "a", false), Duration.ZERO)),
                () -> assertThrows(IllegalArgumentException.class, () -> guard().purge(0)));
    }

    @Test
    @Clause("G13")
    @DisplayName(
            "G13. Comparing answers what advancing would, also after the retention is over, and changes nothing: not the version that stands, nor its retention.")
    void compare_anyVersion_changesNothing() {
        assertEquals(Verdict.NEWER, guard().compare(entity, new EntityVersion(7, "a", true)));
        assertEquals(Verdict.NEWER, edited(5, "m"));
        assertEquals(Verdict.NEWER, guard().compare(entity, new EntityVersion(5, "n", false)));
        assertEquals(Verdict.NEWER, guard().compare(entity, new EntityVersion(5, "a", true)));
        assertEquals(Verdict.SAME, guard().compare(entity, new EntityVersion(5, "m", false)));
        assertEquals(Verdict.STALE, guard().compare(entity, new EntityVersion(5, "M", false)));
        assertEquals(Verdict.STALE, guard().compare(entity, new EntityVersion(4, "z", true)));
        assertEquals(Verdict.SAME, edited(5, "m"));

        var other = new IdempotencyKey(scope, "other");
        guard().advance(other, new EntityVersion(5, "m", false), shortSpan());
        guard().compare(other, new EntityVersion(6, "m", false));
        elapse(shortSpan());
        assertEquals(Verdict.NEWER, guard().compare(other, new EntityVersion(1, "a", false)), "forgotten");
    }

    private Verdict edited(long number, String tieBreak) {
        return guard().advance(entity, new EntityVersion(number, tieBreak, false), longSpan());
    }

    private Verdict deleted(long number, String tieBreak) {
        return guard().advance(entity, new EntityVersion(number, tieBreak, true), longSpan());
    }
}

package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every {@link IdempotencyStore} must do, as tests to inherit: one for each clause of {@code docs/store-contract.md}.
 *
 * <p>Extend it, supply the store and a way to let time pass. Each test draws keys of its own, so tests may run in parallel
 * on one server; those that purge hold a JUnit resource lock, and want no other program to purge the same records meanwhile.
 * Times may be kept to the microsecond.
 *
 * @since 0.1.0
 */
public abstract class IdempotencyStoreContract {
    static final String PURGE = "dev.idempotency.testkit.purge";
    private static final int THREADS = 16;
    private static final int MANY = 200;
    private static final Duration A_MOMENT = Duration.ofMillis(2);
    private static final Duration MICROSECOND = Duration.ofNanos(1_000);
    private static final Fingerprint FINGERPRINT = new Fingerprint(Fingerprint.JCS_SHA256, "0123456789abcdef");
    private static final StoredResult RESULT = result("done");

    private final String scope = "contract-" + UUID.randomUUID();
    private final IdempotencyKey key = key("key");

    /** For subclasses. */
    protected IdempotencyStoreContract() {}

    /**
     * The store under test, without records of keys that this test has not written.
     *
     * @return the same store throughout one test
     */
    protected abstract IdempotencyStore store();

    /**
     * Lets time pass for the store: moves a fake clock, or really waits.
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
     * @return 400 milliseconds unless overridden
     */
    protected Duration shortSpan() {
        return Duration.ofMillis(400);
    }

    // ---- reserve and find

    @Test
    @Clause("S1")
    @DisplayName(
            "S1. Reserving a key without a record is applied, and its record has the times that Write.at gives it at the"
                    + " time of the answer.")
    void reserve_absentKey_isAppliedAtTheStoresTime() {
        var write = reservation(key, longSpan());

        var answer = store().reserve(write);

        assertWritten(write, answer);
    }

    @Test
    @Clause("S2")
    @DisplayName("S2. Finding a key answers the record that stands, or none when none does; a find is never applied.")
    void find_presentAndAbsentKey_answersWhatStands() {
        var reserved = reserve(key);

        var present = store().find(key);
        var absent = store().find(key("another"));

        assertStands(reserved, present);
        assertFalse(absent.applied(), "a find is never applied");
        assertNull(absent.record(), "no record stands for a key that was never reserved");
    }

    @ParameterizedTest
    @EnumSource
    @Clause("S3")
    @DisplayName(
            "S3. Reserving a key that has a record, in whatever state, is not applied and changes nothing; the answer"
                    + " has what stands.")
    void reserve_presentKey_isRefusedAndChangesNothing(State state) {
        var standing = put(state, longSpan(), longSpan());

        var answer = store().reserve(reservation(key, shortSpan()));

        assertStands(standing, answer);
        assertStands(standing, store().find(key));
    }

    @Test
    @Clause("S4")
    @DisplayName("S4. The same reservation once more, after a lost reply, writes nothing.")
    void reserve_repeated_writesNothing() {
        var write = reservation(key, longSpan());
        var reserved = applied(store().reserve(write));
        elapse(A_MOMENT);

        var again = store().reserve(write);

        assertStands(reserved, again);
        assertStands(reserved, store().find(key));
    }

    @Test
    @Clause("S5")
    @DisplayName(
            "S5. Of sixteen threads that reserve one key at once, exactly one is applied, and all are told its record.")
    void reserve_bySixteenThreads_isAppliedOnce() {
        var answers = atOnce(thread -> store().reserve(reservation(key, longSpan())));

        assertOneWinner(answers);
    }

    @Test
    @Clause("S6")
    @DisplayName(
            "S6. Two keys are the same only if scope and value are, character by character: not when they join to the"
                    + " same text, nor when only case, accents or spaces differ.")
    void reserve_keysThatLookAlike_areDifferentKeys() {
        var lookalikes = List.of(
                new IdempotencyKey(scope, "a:b:c"),
                new IdempotencyKey(scope + ":a", "b:c"),
                new IdempotencyKey(scope + ":a:b", "c"),
                new IdempotencyKey(scope, "a/b"),
                new IdempotencyKey(scope + "/a", "b"),
                new IdempotencyKey(scope, "a|b"),
                new IdempotencyKey(scope + "|a", "b"),
                new IdempotencyKey(scope, "ab"),
                new IdempotencyKey(scope + "a", "b"),
                new IdempotencyKey(scope, "case"),
                new IdempotencyKey(scope, "Case"),
                new IdempotencyKey(scope, "ca\u00e9"),
                new IdempotencyKey(scope, "cae\u0301"),
                new IdempotencyKey(scope, "cae"),
                new IdempotencyKey(scope, "x"),
                new IdempotencyKey(scope, "x "),
                new IdempotencyKey(scope, " x"));

        for (var lookalike : lookalikes) {
            assertTrue(
                    store().reserve(reservation(lookalike, longSpan())).applied(),
                    () -> "'" + lookalike + "' is a key of its own");
        }
    }

    // ---- replace

    @Test
    @Clause("S7")
    @DisplayName(
            "S7. Replacing the record that stands is applied, and from then on the next one stands, with every field as"
                    + " written.")
    void replace_expectedWriteStands_isApplied() {
        var reserved = reserve(key);
        elapse(A_MOMENT);
        var next = reserved.with()
                .generation(2)
                .fingerprint(new Fingerprint("sha512", "ff"))
                .state(State.COMPLETED)
                .version(reserved.version() + 1)
                .token(AttemptToken.random())
                .attempt(3)
                .nativeKey("another-native-key")
                .terms(new RecoveryTerms(Policy.LOOKUP, WhenMissing.CLOSE, Duration.ofSeconds(7), null))
                .result(RESULT)
                .request(new StoredRequest("json", new byte[] {1}))
                .evidence(List.of(evidence(Evidence.Kind.FOUND, null)))
                .build();
        var write = new Write(next, false, true, true, null, longSpan(), longSpan());

        var answer = store().replace(reserved, write);

        assertWritten(write, answer);
    }

    @Test
    @Clause("S8")
    @DisplayName("S8. Replacing an older version than the one that stands is not applied; the answer has what stands.")
    void replace_staleVersion_isRefused() {
        var stale = reserve(key);
        var standing = replace(stale, stale.with());

        var answer = store().replace(stale, renewal(stale.with().version(9).build()));

        assertStands(standing, answer);
        assertStands(standing, store().find(key));
    }

    @Test
    @Clause("S9")
    @DisplayName(
            "S9. Replacing a record with another attempt token than the one that stands is not applied, even if the"
                    + " version is the same; the answer has what stands.")
    void replace_staleToken_isRefused() {
        var standing = reserve(key);
        var stranger = standing.with().token(AttemptToken.random()).build();

        var answer =
                store().replace(stranger, renewal(stranger.with().version(2).build()));

        assertStands(standing, answer);
        assertStands(standing, store().find(key));
    }

    @Test
    @Clause("S10")
    @DisplayName("S10. Replacing a record that does not stand any more creates nothing; the answer has no record.")
    void replace_absentKey_createsNothing() {
        var unknown = first(key);

        var answer = store().replace(unknown, renewal(unknown.with().version(2).build()));

        assertFalse(answer.applied(), "nothing was there to replace");
        assertNull(answer.record(), "nothing stands");
        assertNull(store().find(key).record(), "nothing stands afterwards");
    }

    @Test
    @Clause("S11")
    @DisplayName(
            "S11. The same replacement once more, after a lost reply, is not applied and writes nothing; the answer has"
                    + " the record that the first one wrote.")
    void replace_repeated_writesNothing() {
        var reserved = reserve(key);
        var write = renewal(reserved.with().version(2).build());
        var replaced = applied(store().replace(reserved, write));
        elapse(A_MOMENT);

        var again = store().replace(reserved, write);

        assertStands(replaced, again);
        assertStands(replaced, store().find(key));
    }

    @Test
    @Clause("S12")
    @DisplayName("S12. Of sixteen threads that replace one record at once, exactly one is applied, and all are told its"
            + " record.")
    void replace_bySixteenThreads_isAppliedOnce() {
        var reserved = reserve(key);

        var answers = atOnce(thread -> store().replace(
                        reserved,
                        renewal(reserved.with()
                                .version(2)
                                .token(AttemptToken.random())
                                .build())));

        assertOneWinner(answers);
    }

    @Test
    @Clause("S13")
    @DisplayName(
            "S13. Replacing compares key, version and attempt token, and nothing else of the record that was expected.")
    void replace_expectedDiffersElsewhere_isApplied() {
        var reserved = reserve(key);
        var expected = reserved.with()
                .state(State.COMPLETED)
                .fingerprint(null)
                .result(RESULT)
                .attempt(7)
                .nativeKey("seen otherwise")
                .evidence(List.of(evidence(Evidence.Kind.CLOSED, null)))
                .times(Times.UNSET)
                .build();
        var write = renewal(reserved.with().version(2).build());

        var answer = store().replace(expected, write);

        assertWritten(write, answer);
    }

    // ---- what comes back

    @Test
    @Clause("S14")
    @DisplayName("S14. Keys of every length and script come back as they went in.")
    void roundTrip_keys_comeBackUnchanged() {
        var keys = List.of(
                key("\u6f22".repeat(IdempotencyKey.MAX_VALUE)),
                key("\ud83d\ude80".repeat(IdempotencyKey.MAX_VALUE / 2) + "x"),
                new IdempotencyKey(scope + "\u00fc".repeat(IdempotencyKey.MAX_SCOPE - scope.length()), "v"),
                key("\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"),
                key("'; \"\\ %_*?[a-z]{}() $1 :name ?"),
                key("e\u0301 \u00e9 \u212b \ufb01"));

        for (var each : keys) {
            var write = reservation(each, longSpan());
            assertWritten(write, store().reserve(write));
        }
    }

    @Test
    @Clause("S15")
    @DisplayName(
            "S15. Results come back byte for byte, with kind and codec: empty ones, any byte, up to a mebibyte at least.")
    void roundTrip_results_comeBackUnchanged() {
        var standing = reserve(key);
        for (var kind : StoredResult.Kind.values()) {
            for (var size : new int[] {0, 1, 256, 65_537, 1 << 20}) {
                var bytes = new byte[size];
                for (var i = 0; i < size; i++) {
                    bytes[i] = (byte) (i * 31 + i / 256);
                }
                standing = roundTrip(
                        standing,
                        standing.with()
                                .state(State.COMPLETED)
                                .result(new StoredResult(kind, "json; v=" + size, bytes)));
            }
        }
        roundTrip(standing, standing.with().result(null));
    }

    @Test
    @Clause("S16")
    @DisplayName("S16. Fingerprints come back as they went in, up to the longest; on an open record, so does none.")
    void roundTrip_fingerprints_comeBackUnchanged() {
        var standing = reserve(key);
        standing = roundTrip(
                standing, standing.with().fingerprint(new Fingerprint("Alg".repeat(10) + "xY", "aB".repeat(64))));
        standing = roundTrip(standing, standing.with().state(State.OPEN).fingerprint(null));
        roundTrip(standing, standing.with().state(State.OPEN).fingerprint(FINGERPRINT));
    }

    @Test
    @Clause("S17")
    @DisplayName(
            "S17. Recovery terms come back as they went in: every policy, durations to the microsecond from zero to two"
                    + " centuries, and none apart from zero.")
    void roundTrip_recoveryTerms_comeBackUnchanged() {
        var standing = reserve(key);
        var durations = new ArrayList<@Nullable Duration>();
        durations.add(null);
        durations.add(Duration.ZERO);
        durations.add(MICROSECOND);
        durations.add(Duration.ofSeconds(86_399, 123_456_789));
        durations.add(Duration.ofDays(2 * 36_525));
        var turn = 0;
        for (var policy : Policy.values()) {
            for (var whenMissing : WhenMissing.values()) {
                var quiescence = durations.get(turn % durations.size());
                var resendWithin = durations.get((turn + 1 + turn / durations.size()) % durations.size());
                standing = roundTrip(
                        standing,
                        standing.with().terms(new RecoveryTerms(policy, whenMissing, quiescence, resendWithin)));
                turn++;
            }
        }
    }

    @Test
    @Clause("S18")
    @DisplayName(
            "S18. Evidence comes back line by line in its order: every kind, with and without a result, times to the"
                    + " microsecond, a hundred lines at least.")
    void roundTrip_evidence_comesBackUnchanged() {
        var lines = new ArrayList<Evidence>();
        for (var round = 0; round < 4; round++) {
            for (var kind : Evidence.Kind.values()) {
                lines.add(evidence(kind, null));
                lines.add(evidence(kind, result(kind + " " + round)));
            }
        }
        lines.add(new Evidence(
                Evidence.Kind.CONFLICT,
                Instant.EPOCH,
                1_000_000,
                "",
                new StoredResult(StoredResult.Kind.DECLINED, "utf8", new byte[100_000])));
        lines.add(new Evidence(
                Evidence.Kind.IN_DOUBT,
                Instant.parse("2026-01-02T03:04:05.123456789Z"),
                1,
                "no answer \u2013 \ud83d\ude80 'quoted' \"twice\" \\",
                null));
        var standing = reserve(key);

        standing = roundTrip(standing, standing.with().evidence(lines));
        roundTrip(standing, standing.with().evidence(List.of()));
    }

    @Test
    @Clause("S19")
    @DisplayName(
            "S19. Generation, version, attempt and native key come back as they went in; a version may be larger than 32"
                    + " bits hold.")
    void roundTrip_numbersAndNativeKey_comeBackUnchanged() {
        var standing = reserve(key);
        standing = roundTrip(standing, standing.with().generation(1_000_000));
        standing = roundTrip(standing, standing.with().attempt(1_000_000));
        standing = roundTrip(standing, standing.with().nativeKey("Prefix_" + "aB3-".repeat(40)));
        roundTrip(standing, standing.with().version(5_000_000_000L));
    }

    // ---- times

    @Test
    @Clause("S20")
    @DisplayName(
            "S20. A write with created sets the time of creation and starts a new retention, even a shorter one; any"
                    + " other keeps the time of creation.")
    void times_created_setsCreationAndStartsTheRetentionAnew() {
        var standing = put(State.COMPLETED, longSpan(), longSpan());
        elapse(A_MOMENT);
        standing = timed(
                List.of(Times::createdAt, Times::expiresAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                null,
                Duration.ZERO);
        elapse(A_MOMENT);
        timed(
                List.of(Times::createdAt, Times::expiresAt),
                standing,
                standing.with(),
                true,
                false,
                false,
                null,
                shortSpan(),
                Duration.ZERO);
    }

    @Test
    @Clause("S21")
    @DisplayName("S21. A write with firstSent sets the time of the first send; any other keeps it.")
    void times_firstSent_setsTheTimeOfTheFirstSend() {
        var standing = reserve(key);
        elapse(A_MOMENT);
        standing = timed(
                List.of(Times::firstSentAt),
                standing,
                standing.with(),
                false,
                false,
                true,
                longSpan(),
                null,
                Duration.ZERO);
        elapse(A_MOMENT);
        timed(
                List.of(Times::firstSentAt),
                standing,
                standing.with(),
                false,
                true,
                false,
                longSpan(),
                null,
                Duration.ZERO);
    }

    @Test
    @Clause("S22")
    @DisplayName(
            "S22. A write with newState sets the time of the state; any other keeps it, even if the state differs.")
    void times_newState_setsTheTimeOfTheState() {
        var standing = reserve(key);
        elapse(A_MOMENT);
        standing = timed(
                List.of(Times::stateSince),
                standing,
                standing.with(),
                false,
                false,
                true,
                longSpan(),
                null,
                Duration.ZERO);
        elapse(A_MOMENT);
        timed(
                List.of(Times::stateSince),
                standing,
                standing.with().state(State.IN_DOUBT),
                false,
                true,
                false,
                longSpan(),
                null,
                Duration.ZERO);
    }

    @Test
    @Clause("S23")
    @DisplayName(
            "S23. On a record in flight, a write with a lease ends it that long from now, sooner or later than before; a"
                    + " write without one keeps the lease.")
    void times_lease_isSetOrKept() {
        var standing = reserve(key);
        elapse(A_MOMENT);
        standing = timed(
                List.of(Times::leaseUntil), standing, standing.with(), false, false, false, null, null, Duration.ZERO);
        standing = timed(
                List.of(Times::leaseUntil),
                standing,
                standing.with(),
                false,
                false,
                false,
                shortSpan(),
                null,
                Duration.ZERO);
        timed(
                List.of(Times::leaseUntil),
                standing,
                standing.with(),
                false,
                false,
                false,
                longSpan(),
                null,
                Duration.ZERO);
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"IN_FLIGHT", "IN_DOUBT"})
    @Clause("S24")
    @DisplayName("S24. A record that is resolved has no lease, whatever the write says.")
    void times_leaseOfAResolvedRecord_isNone(State state) {
        var standing = reserve(key);
        standing = timed(
                List.of(Times::leaseUntil),
                standing,
                standing.with().state(state),
                false,
                false,
                true,
                longSpan(),
                longSpan(),
                Duration.ZERO);
        timed(List.of(Times::leaseUntil), standing, standing.with(), false, false, false, null, null, Duration.ZERO);
    }

    @Test
    @Clause("S45")
    @DisplayName(
            "S45. On a record in doubt, a write with a lease ends it that long from now; a write without one leaves none, and"
                    + " so does the write that brings it into doubt.")
    void times_leaseOfARecordInDoubt_isThatOfTheWrite() {
        var lease = List.<Function<Times, @Nullable Instant>>of(Times::leaseUntil);
        var standing = reserve(key);
        var inDoubt = standing.with().state(State.IN_DOUBT);
        standing = timed(lease, standing, inDoubt, false, false, true, null, null, Duration.ZERO);
        standing = timed(lease, standing, standing.with(), false, false, false, longSpan(), null, Duration.ZERO);
        elapse(A_MOMENT);
        standing = timed(lease, standing, standing.with(), false, false, false, shortSpan(), null, Duration.ZERO);
        timed(lease, standing, standing.with(), false, false, false, null, null, Duration.ZERO);
    }

    @Test
    @Clause("S46")
    @DisplayName(
            "S46. A kept request comes back byte for byte, with its codec, up to a mebibyte at least; and so does none.")
    void roundTrip_requests_comeBackUnchanged() {
        var standing = reserve(key);
        for (var size : new int[] {0, 1, 256, 1 << 20}) {
            var bytes = new byte[size];
            for (var i = 0; i < size; i++) {
                bytes[i] = (byte) (i * 31 + i / 256);
            }
            standing = roundTrip(standing, standing.with().request(new StoredRequest("json; v=" + size, bytes)));
        }
        standing = roundTrip(standing, standing.with().state(State.IN_DOUBT));
        roundTrip(standing, standing.with().state(State.COMPLETED).request(null));
    }

    @Test
    @Clause("S25")
    @DisplayName(
            "S25. A write with a retention moves the expiry to that long from now if that is later, and never to an"
                    + " earlier time.")
    void times_retention_onlyEverGrows() {
        var standing = put(State.COMPLETED, longSpan().dividedBy(2), Duration.ZERO);
        standing = timed(
                List.of(Times::expiresAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                longSpan(),
                Duration.ZERO);
        elapse(A_MOMENT);
        timed(
                List.of(Times::expiresAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                shortSpan(),
                Duration.ZERO);
    }

    @Test
    @Clause("S26")
    @DisplayName(
            "S26. A write without a retention leaves the expiry and the time to forget as they are, whatever tombstone it"
                    + " names.")
    void times_noRetention_leavesTheExpiryAlone() {
        var standing = put(State.COMPLETED, longSpan(), shortSpan());
        elapse(A_MOMENT);
        timed(
                List.of(Times::expiresAt, Times::forgetAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                null,
                longSpan());
    }

    @Test
    @Clause("S27")
    @DisplayName(
            "S27. A write with a retention puts the time to forget a tombstone's length after the expiry, also when the"
                    + " expiry stays.")
    void times_tombstone_isCountedFromTheExpiry() {
        var standing = put(State.COMPLETED, longSpan(), longSpan());
        standing = timed(
                List.of(Times::forgetAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                shortSpan(),
                shortSpan());
        timed(
                List.of(Times::forgetAt),
                standing,
                standing.with(),
                false,
                false,
                false,
                null,
                longSpan().multipliedBy(2),
                Duration.ZERO);
    }

    @Test
    @Clause("S28")
    @DisplayName(
            "S28. The time is the store's own: it moves on by itself, and the times that a write sets are taken from it"
                    + " and never from the caller.")
    void time_isTheStoresOwn() {
        var before = store().find(key).now();
        elapse(shortSpan());
        var wrong = Instant.parse("2099-12-31T23:59:59Z");
        var write = new Write(
                first(key)
                        .with()
                        .times(new Times(wrong, wrong, wrong, wrong, wrong, wrong))
                        .build(),
                true,
                true,
                true,
                longSpan(),
                longSpan(),
                shortSpan());

        var answer = store().reserve(write);

        assertWritten(write, answer);
        assertTrue(
                Duration.between(before, answer.now()).compareTo(shortSpan().dividedBy(2)) >= 0,
                () -> "the store's time went from " + before + " to " + answer.now() + " while " + shortSpan()
                        + " passed");
    }

    @Test
    @Clause("S29")
    @DisplayName(
            "S29. The store's time never goes back: no answer is earlier than one that was given before its step began,"
                    + " to whatever thread.")
    void time_neverGoesBack() {
        var latest = new AtomicReference<>(Instant.MIN);

        atOnce(thread -> {
            for (var i = 0; i < 25; i++) {
                var before = latest.get();
                var now = store().find(key).now();
                assertFalse(now.isBefore(before), () -> now + " is before " + before);
                latest.accumulateAndGet(now, (one, other) -> one.isAfter(other) ? one : other);
            }
            return thread;
        });
    }

    // ---- what time does to a record, and what it does not

    @Test
    @Clause("S30")
    @DisplayName("S30. A lease that is over changes nothing: the record stays in flight with its token, keeps the key"
            + " reserved, and can still be replaced by its owner.")
    void lease_over_changesNothing() {
        var reserved = applied(store().reserve(reservation(key, shortSpan())));
        elapseMoreThan(shortSpan());

        var found = store().find(key);
        var refused = store().reserve(reservation(key, longSpan()));
        var write = renewal(reserved.with().version(2).build());
        var replaced = store().replace(reserved, write);

        assertStands(reserved, found);
        assertTrue(reserved.isLapsed(found.now()), "the lease is over by the store's time");
        assertStands(reserved, refused);
        assertWritten(write, replaced);
    }

    @ParameterizedTest
    @EnumSource(names = {"IN_FLIGHT", "IN_DOUBT"})
    @ResourceLock(PURGE)
    @Clause("S31")
    @DisplayName(
            "S31. An unresolved record outlives its lease, its expiry and every purge: it is never expired or purged.")
    void unresolved_anyTimeAndPurge_stands(State state) {
        var write = new Write(first(key), true, true, true, shortSpan(), shortSpan(), Duration.ZERO);
        var standing = applied(store().reserve(write));
        if (state != State.IN_FLIGHT) {
            standing = timed(
                    List.of(), standing, standing.with().state(state), false, false, true, null, null, Duration.ZERO);
        }
        elapseMoreThan(shortSpan().multipliedBy(2));
        purgeAll();

        assertStands(standing, store().find(key));
        assertStands(standing, store().reserve(reservation(key, longSpan())));
    }

    @Test
    @Clause("S32")
    @DisplayName("S32. An unresolved record is never evicted, however many others are written after it.")
    void unresolved_manyOthers_stands() {
        var standing = new ArrayList<IdempotencyRecord>();
        for (var i = 0; i < MANY; i++) {
            standing.add(reserve(key("live-" + i)));
            var done = reserve(key("done-" + i));
            store().replace(done, terminal(done, State.COMPLETED, longSpan(), Duration.ZERO));
        }

        for (var record : standing) {
            assertStands(record, store().find(record.key()));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"OPEN", "COMPLETED", "CLOSED"})
    @ResourceLock(PURGE)
    @Clause("S33")
    @DisplayName(
            "S33. A released, completed or closed record stands, with its result, until its expiry; a purge before that"
                    + " leaves it alone.")
    void retention_notOver_keepsTheRecord(State state) {
        var standing = put(state, longSpan(), Duration.ZERO);
        elapse(shortSpan());
        purgeAll();

        assertStands(standing, store().find(key));
    }

    @Test
    @ResourceLock(PURGE)
    @Clause("S34")
    @DisplayName(
            "S34. Between expiry and the time to forget, a purge drops the result, leaves the rest of the record as it"
                    + " is, and the key stays taken.")
    void retention_over_losesTheResultAndKeepsTheRecord() {
        var standing = put(State.COMPLETED, shortSpan(), longSpan());
        elapseMoreThan(shortSpan());
        purgeAll();

        var tombstone = standing.with().result(null).build();
        assertStands(tombstone, store().find(key));
        assertStands(tombstone, store().reserve(reservation(key, longSpan())));
    }

    @ParameterizedTest
    @EnumSource(names = {"OPEN", "COMPLETED", "CLOSED"})
    @ResourceLock(PURGE)
    @Clause("S35")
    @DisplayName(
            "S35. From the time to forget on, a released, completed or closed record is removed by a purge, or was by"
                    + " the store itself, and the key can be reserved anew.")
    void retentionAndTombstone_over_forgetTheRecord(State state) {
        put(state, shortSpan(), shortSpan());
        elapseMoreThan(shortSpan().multipliedBy(2));
        purgeAll();

        assertNull(store().find(key).record(), "nothing stands after the purge");
        var write = reservation(key, longSpan());
        assertWritten(write, store().reserve(write));
    }

    @Test
    @ResourceLock(PURGE)
    @Clause("S36")
    @DisplayName(
            "S36. A purge deals with no more records than its limit and says with how many; with fewer only when no more"
                    + " are due.")
    void purge_limit_isKept() {
        var keys = new ArrayList<IdempotencyKey>();
        for (var i = 0; i < 5; i++) {
            var reserved = reserve(key("due-" + i));
            applied(store().replace(reserved, terminal(reserved, State.COMPLETED, shortSpan(), longSpan())));
            keys.add(reserved.key());
        }
        elapseMoreThan(shortSpan());

        var first = store().purge(2);
        var left = withResult(keys);
        var rest = purgeAll();

        assertTrue(first >= 0 && first <= 2, () -> "purge(2) says " + first);
        assertTrue(left >= 3, () -> "purge(2) left " + left + " of 5 results");
        assertEquals(0, withResult(keys), "results that a purge of all left over");
        assertTrue(first + rest >= 5, () -> "the purges say that they dealt with " + (first + rest) + " of 5");
    }

    @Test
    @ResourceLock(PURGE)
    @Clause("S37")
    @DisplayName(
            "S37. A purge never removes a record that was written since it became due, whatever runs at the same time.")
    void purge_whileKeysAreReservedAnew_removesNoFreshRecord() {
        var keys = new ArrayList<IdempotencyKey>();
        for (var i = 0; i < 50; i++) {
            var reserved = reserve(key("old-" + i));
            applied(store().replace(reserved, terminal(reserved, State.COMPLETED, shortSpan(), Duration.ZERO)));
            keys.add(reserved.key());
        }
        elapseMoreThan(shortSpan());

        var written = atOnce(thread -> {
            var fresh = new ArrayList<IdempotencyRecord>();
            if (thread % 4 == 0) {
                purgeAll();
            } else {
                for (var i = thread; i < keys.size(); i += THREADS) {
                    fresh.add(reserveAnew(keys.get(i)));
                }
            }
            return fresh;
        });

        for (var fresh : written) {
            for (var record : fresh) {
                var standing = store().find(record.key()).record();
                assertTrue(record.isSameWriteAs(standing), () -> record + " was written, and now stands " + standing);
            }
        }
    }

    // ---- listing

    @Test
    @Clause("S38")
    @DisplayName("S38. The list has every record in flight or in doubt, as it stands, and no other.")
    void list_mixedStates_hasTheUnresolvedOnes() {
        var flying = reserve(key("flying"));
        var doubtful = to(State.IN_DOUBT, reserve(key("doubtful")));
        to(State.OPEN, reserve(key("open")));
        to(State.COMPLETED, reserve(key("completed")));
        to(State.CLOSED, reserve(key("closed")));

        var listed = listMine(null, 100);

        assertEquals(2, listed.size(), () -> "listed are " + listed);
        for (var expected : List.of(flying, doubtful)) {
            assertSame(
                    expected,
                    listed.stream()
                            .filter(record -> record.key().equals(expected.key()))
                            .findFirst()
                            .orElse(null));
        }
    }

    @Test
    @Clause("S39")
    @DisplayName(
            "S39. The list begins with the record that has been in its state longest; a renewal does not move a record.")
    void list_order_isByTimeOfState() {
        var one = reserve(key("z"));
        elapse(A_MOMENT);
        var two = reserve(key("y"));
        elapse(A_MOMENT);
        reserve(key("x"));
        elapse(A_MOMENT);
        replace(one, one.with());
        to(State.IN_DOUBT, two);

        var listed =
                listMine(null, 100).stream().map(record -> record.key().value()).toList();

        assertEquals(List.of("z", "x", "y"), listed);
    }

    @Test
    @Clause("S40")
    @DisplayName(
            "S40. Pages have no more records than their limit, and page by page each record comes exactly once, also"
                    + " among records of one and the same time.")
    void list_pages_loseAndRepeatNothing() {
        var expected = new HashSet<IdempotencyKey>();
        for (var i = 0; i < 10; i++) {
            expected.add(reserve(key("page-" + i)).key());
        }

        for (var limit : new int[] {1, 3, 10}) {
            var listed =
                    listMine(null, limit).stream().map(IdempotencyRecord::key).toList();
            assertEquals(expected, new HashSet<>(listed), "records listed by pages of " + limit);
        }
    }

    @Test
    @ResourceLock(PURGE)
    @Clause("S41")
    @DisplayName("S41. A page goes on after its cursor, even if the cursor's record was resolved or removed meanwhile.")
    void list_afterARecordThatIsGone_goesOn() {
        var one = reserve(key("one"));
        elapse(A_MOMENT);
        var two = reserve(key("two"));
        elapse(A_MOMENT);
        var three = reserve(key("three"));
        var four = reserve(key("four"));
        var listed = listMine(null, 100);
        applied(store().replace(one, terminal(one, State.COMPLETED, longSpan(), longSpan())));
        applied(store().replace(two, terminal(two, State.COMPLETED, Duration.ZERO, Duration.ZERO)));
        elapse(A_MOMENT);
        purgeAll();

        for (var cursor : listed.subList(0, 2)) {
            var rest = new HashSet<IdempotencyKey>();
            listMine(cursor, 100).forEach(record -> rest.add(record.key()));
            var expected = new HashSet<>(List.of(three.key(), four.key()));
            assertEquals(expected, rest, () -> "listed after " + cursor);
        }
    }

    // ---- the rest

    @Test
    @Clause("S42")
    @DisplayName("S42. Limits below 1 are refused with an IllegalArgumentException.")
    void limits_belowOne_areRefused() {
        for (var limit : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> store().listUnresolved(null, limit));
            assertThrows(IllegalArgumentException.class, () -> store().purge(limit));
        }
    }

    @Test
    @Clause("S43")
    @DisplayName(
            "S43. A key that an override reopened keeps its generation, evidence and time of creation, in its open record"
                    + " and in the attempt that follows.")
    void override_reopenedKey_keepsGenerationAndHistory() {
        var completed = put(State.COMPLETED, longSpan(), Duration.ZERO);
        elapse(A_MOMENT);
        var reopened = completed
                .with()
                .version(completed.version() + 1)
                .generation(2)
                .state(State.OPEN)
                .fingerprint(new Fingerprint(Fingerprint.JCS_SHA256, "beef"))
                .result(null)
                .evidence(List.of(evidence(Evidence.Kind.OVERRIDE, RESULT)))
                .build();
        var override = new Write(reopened, false, false, true, null, longSpan(), Duration.ZERO);
        var open = applied(store().replace(completed, override));
        assertSame(override.at(open.times().stateSince()), open);

        var refused = store().reserve(reservation(key, longSpan()));
        var attempt = open.with()
                .version(open.version() + 1)
                .state(State.IN_FLIGHT)
                .token(AttemptToken.random())
                .build();
        var write = new Write(attempt, false, true, true, longSpan(), longSpan(), Duration.ZERO);
        var taken = store().replace(open, write);

        assertStands(open, refused);
        assertWritten(write, taken);
    }

    @Test
    @Clause("S44")
    @DisplayName("S44. The store says what it does with acknowledged writes, and never says otherwise.")
    void storeClass_isTheSameThroughout() {
        var said = store().storeClass();
        reserve(key);

        assertNotEquals(null, said);
        for (var i = 0; i < 3; i++) {
            assertEquals(said, store().storeClass());
        }
    }

    // ---- how the tests write

    private IdempotencyKey key(String value) {
        return new IdempotencyKey(scope, value);
    }

    private static StoredResult result(String text) {
        return new StoredResult(StoredResult.Kind.RESULT, "utf8", text.getBytes(StandardCharsets.UTF_8));
    }

    private static Evidence evidence(Evidence.Kind kind, @Nullable StoredResult result) {
        return new Evidence(kind, Instant.parse("2026-01-02T03:04:05.000006Z"), 2, "about " + kind, result);
    }

    /** The first record of a key, as core would reserve it. */
    private static IdempotencyRecord first(IdempotencyKey key) {
        return new IdempotencyRecord(
                key,
                1,
                FINGERPRINT,
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "native-key",
                new RecoveryTerms(Policy.HOLD, WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                Times.UNSET);
    }

    private Write reservation(IdempotencyKey key, Duration lease) {
        return new Write(first(key), true, true, true, lease, longSpan(), Duration.ZERO);
    }

    /** A write that gives a record a new lease and changes nothing else of its times. */
    private Write renewal(IdempotencyRecord next) {
        return new Write(next, false, false, false, longSpan(), null, Duration.ZERO);
    }

    private static Write terminal(IdempotencyRecord standing, State state, Duration retention, Duration tombstone) {
        var next = standing.with().version(standing.version() + 1).state(state);
        if (state == State.COMPLETED) {
            next.result(RESULT);
        }
        if (state == State.OPEN) {
            next.fingerprint(null);
        }
        return new Write(next.build(), false, false, true, null, retention, tombstone);
    }

    private IdempotencyRecord reserve(IdempotencyKey key) {
        var write = new Write(first(key), true, true, true, longSpan(), null, Duration.ZERO);
        return applied(store().reserve(write));
    }

    private IdempotencyRecord replace(IdempotencyRecord standing, IdempotencyRecord.Builder next) {
        return applied(store().replace(
                        standing, renewal(next.version(standing.version() + 1).build())));
    }

    private IdempotencyRecord to(State state, IdempotencyRecord standing) {
        return applied(store().replace(standing, terminal(standing, state, longSpan(), Duration.ZERO)));
    }

    /** This test's key in a state, with a retention and a tombstone that run from now. */
    private IdempotencyRecord put(State state, Duration retention, Duration tombstone) {
        var reserved = reserve(key);
        return state == State.IN_FLIGHT
                ? reserved
                : applied(store().replace(reserved, terminal(reserved, state, retention, tombstone)));
    }

    /** Takes a key whose record is due, whether or not somebody has removed it. */
    private IdempotencyRecord reserveAnew(IdempotencyKey key) {
        for (var tries = 0; tries < 1_000; tries++) {
            var write = reservation(key, longSpan());
            var answer = store().reserve(write);
            var standing = answer.record();
            if (!answer.applied() && standing != null && standing.isForgettable(answer.now())) {
                var next = write.next().with().version(standing.version() + 1).build();
                write = new Write(next, true, true, true, longSpan(), longSpan(), Duration.ZERO);
                answer = store().replace(standing, write);
            }
            if (answer.applied()) {
                return write.next();
            }
        }
        throw new AssertionError("the key " + key + " can be neither reserved nor replaced");
    }

    private IdempotencyRecord roundTrip(IdempotencyRecord standing, IdempotencyRecord.Builder next) {
        var version = next.build().version();
        var build = next.version(Math.max(version, standing.version() + 1)).build();
        var write = new Write(build, false, false, false, longSpan(), longSpan(), Duration.ZERO);
        var answer = store().replace(standing, write);
        assertWritten(write, answer);
        return applied(answer);
    }

    /** Writes, and compares the times that a clause is about. */
    private IdempotencyRecord timed(
            List<Function<Times, @Nullable Instant>> compared,
            IdempotencyRecord standing,
            IdempotencyRecord.Builder next,
            boolean created,
            boolean firstSent,
            boolean newState,
            @Nullable Duration lease,
            @Nullable Duration retention,
            Duration tombstone) {
        var build = next.version(standing.version() + 1).build();
        var write = new Write(build, created, firstSent, newState, lease, retention, tombstone);
        var answer = store().replace(standing, write);
        var written = applied(answer);
        for (var time : compared) {
            var expected = time.apply(write.at(answer.now()).times());
            assertSame("the time in " + written.times(), expected, time.apply(written.times()));
        }
        return written;
    }

    private void elapseMoreThan(Duration duration) {
        elapse(duration.plusMillis(10));
    }

    private int purgeAll() {
        var sum = 0;
        for (var calls = 0; calls < 100_000; calls++) {
            var done = store().purge(100);
            assertTrue(done >= 0 && done <= 100, () -> "purge(100) says " + done);
            sum += done;
            if (done < 100) {
                return sum;
            }
        }
        throw new AssertionError("purge(100) says 100 for ever");
    }

    private long withResult(List<IdempotencyKey> keys) {
        return keys.stream()
                .map(each -> store().find(each).record())
                .filter(record -> record != null && record.result() != null)
                .count();
    }

    /** What this test wrote, out of all pages. */
    private List<IdempotencyRecord> listMine(@Nullable IdempotencyRecord after, int limit) {
        var mine = new ArrayList<IdempotencyRecord>();
        var seen = new HashSet<IdempotencyKey>();
        var cursor = after;
        for (var pages = 0; pages < 1_000_000; pages++) {
            var page = store().listUnresolved(cursor, limit);
            assertTrue(page.size() <= limit, () -> "a page of " + limit + " has " + page.size() + " records");
            if (page.isEmpty()) {
                return mine;
            }
            for (var record : page) {
                if (record.key().scope().equals(scope)) {
                    assertTrue(seen.add(record.key()), () -> record + " is listed twice");
                    mine.add(record);
                }
            }
            cursor = page.get(page.size() - 1);
        }
        throw new AssertionError("the pages never end");
    }

    static <T> List<T> atOnce(IntFunction<T> work) {
        var start = new CyclicBarrier(THREADS);
        var threads = Executors.newFixedThreadPool(THREADS);
        try {
            var futures = new ArrayList<Future<T>>();
            for (var i = 0; i < THREADS; i++) {
                var thread = i;
                futures.add(threads.submit(() -> {
                    start.await(1, TimeUnit.MINUTES);
                    return work.apply(thread);
                }));
            }
            var answers = new ArrayList<T>();
            for (var future : futures) {
                answers.add(future.get(2, TimeUnit.MINUTES));
            }
            return answers;
        } catch (ExecutionException e) {
            throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("a thread did not come back", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }

    // ---- how the tests compare

    private static IdempotencyRecord applied(Snapshot answer) {
        assertTrue(answer.applied(), () -> "not applied; what stands is " + answer.record());
        assertNotEquals(null, answer.record(), "an applied write has a record");
        return Objects.requireNonNull(answer.record());
    }

    /** The write was applied at the answer's time, and now stands. */
    private void assertWritten(Write write, Snapshot answer) {
        assertSame(write.at(answer.now()), applied(answer));
        assertStands(applied(answer), store().find(write.next().key()));
    }

    private static void assertStands(IdempotencyRecord standing, Snapshot answer) {
        assertFalse(answer.applied(), "applied");
        assertSame(standing, answer.record());
    }

    private static void assertOneWinner(List<Snapshot> answers) {
        var winners = answers.stream().filter(Snapshot::applied).toList();
        assertEquals(1, winners.size(), "how many threads were applied");
        for (var answer : answers) {
            assertSame(applied(winners.get(0)), answer.record());
        }
    }

    private static void assertSame(IdempotencyRecord expected, @Nullable IdempotencyRecord actual) {
        if (actual == null) {
            throw new AssertionError("nothing stands where it should be " + expected);
        }
        assertAll(
                "the record of " + expected.key(),
                () -> assertEquals(expected.key(), actual.key(), "key"),
                () -> assertEquals(expected.generation(), actual.generation(), "generation"),
                () -> assertEquals(expected.fingerprint(), actual.fingerprint(), "fingerprint"),
                () -> assertEquals(expected.state(), actual.state(), "state"),
                () -> assertEquals(expected.version(), actual.version(), "version"),
                () -> assertEquals(expected.token(), actual.token(), "token"),
                () -> assertEquals(expected.attempt(), actual.attempt(), "attempt"),
                () -> assertEquals(expected.nativeKey(), actual.nativeKey(), "native key"),
                () -> assertSame(expected.terms(), actual.terms()),
                () -> assertEquals(expected.result(), actual.result(), "result"),
                () -> assertEquals(expected.request(), actual.request(), "request"),
                () -> assertSame(expected.evidence(), actual.evidence()),
                () -> assertSame(expected.times(), actual.times()));
    }

    private static void assertSame(RecoveryTerms expected, RecoveryTerms actual) {
        assertEquals(expected.policy(), actual.policy(), "policy");
        assertEquals(expected.whenMissing(), actual.whenMissing(), "when missing");
        assertSame("quiescence", expected.quiescence(), actual.quiescence());
        assertSame("resend within", expected.resendWithin(), actual.resendWithin());
    }

    private static void assertSame(List<Evidence> expected, List<Evidence> actual) {
        assertEquals(expected.size(), actual.size(), "lines of evidence");
        for (var i = 0; i < expected.size(); i++) {
            var line = "line " + i + " of the evidence";
            assertEquals(expected.get(i).kind(), actual.get(i).kind(), line);
            assertSame(line, expected.get(i).at(), actual.get(i).at());
            assertEquals(expected.get(i).attempt(), actual.get(i).attempt(), line);
            assertEquals(expected.get(i).detail(), actual.get(i).detail(), line);
            assertEquals(expected.get(i).result(), actual.get(i).result(), line);
        }
    }

    private static void assertSame(Times expected, Times actual) {
        assertSame("created at", expected.createdAt(), actual.createdAt());
        assertSame("first sent at", expected.firstSentAt(), actual.firstSentAt());
        assertSame("state since", expected.stateSince(), actual.stateSince());
        assertSame("lease until", expected.leaseUntil(), actual.leaseUntil());
        assertSame("expires at", expected.expiresAt(), actual.expiresAt());
        assertSame("forget at", expected.forgetAt(), actual.forgetAt());
    }

    private static void assertSame(String what, @Nullable Instant expected, @Nullable Instant actual) {
        if (expected == null || actual == null || !isClose(Duration.between(expected, actual))) {
            assertEquals(expected, actual, what);
        }
    }

    private static void assertSame(String what, @Nullable Duration expected, @Nullable Duration actual) {
        if (expected == null || actual == null || !isClose(actual.minus(expected))) {
            assertEquals(expected, actual, what);
        }
    }

    private static boolean isClose(Duration difference) {
        return difference.abs().compareTo(MICROSECOND) <= 0;
    }
}

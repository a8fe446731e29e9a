package dev.idempotency.testkit.engine;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Query;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Fingerprint;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.RefusedException;
import dev.idempotency.RefusedException.Reason;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.engine.WatchedStore.Point;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people can do about keys, on a store: each store's module extends it. */
public abstract class AdminContract {
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration A_MOMENT = Duration.ofMillis(5);
    private static final Ruling ADA = new Ruling("ada", "the provider's support says so", "ticket 4711");
    private static final Ruling BOB = new Ruling("Bob B.", "seen it too", "screenshot 9");
    private static final StoredResult RESULT = result("{\"effect\":\"by hand\",\"amount\":100}");

    private final String scope = "admin-" + UUID.randomUUID();
    private final Order order = new Order("o-1", 100);
    private final Order changed = new Order("o-1", 250);
    private final IdempotencyKey key = new IdempotencyKey(scope, "o-1");
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider = new SimulatedProvider(
            ProviderBehavior.none().withNativeKey(), ledger, new ManualClock(Instant.parse("2026-01-01T00:00:00Z")));
    private final AtomicInteger sent = new AtomicInteger();
    private final Events events = new Events();
    private final List<AutoCloseable> open = new ArrayList<>();

    /** The store under test, without records and entries of keys that this test has not written. */
    protected abstract AuditedStore store();

    /** Lets time pass for the store: moves a fake clock, or really waits. */
    protected abstract void elapse(Duration duration);

    @AfterEach
    final void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    // ---- what stands

    private Idempotency idempotency() {
        var idempotency = Idempotency.builder(store()).listener(events).build();
        open.add(idempotency);
        return idempotency;
    }

    private Operation.Builder<Order, Receipt> charge(Idempotency idempotency) {
        return idempotency
                .operation(scope, Order.class, Receipt.class)
                .key(Order::id)
                .waitAtMost(Duration.ZERO);
    }

    private Operation<Order, Receipt> charge() {
        return charge(idempotency()).calling((order, attempt) -> {
            Reply reply = submit(order, attempt.nativeKey());
            if (reply instanceof Reply.Created created) {
                return new Receipt(created.effect().effectId(), order.amount());
            }
            throw new IOException("not a definite answer: " + reply);
        });
    }

    private Reply submit(Order order, String nativeKey) {
        return provider.submit(
                new Submission("r" + sent.incrementAndGet(), nativeKey, order.id(), "" + order.amount()));
    }

    /** In doubt, and the provider has it or not. */
    private IdempotencyRecord inDoubt(boolean arrived) {
        var losing = charge(idempotency()).calling((order, attempt) -> {
            if (arrived) {
                submit(order, attempt.nativeKey());
            }
            throw new IOException("reset");
        });
        Failures.inDoubt(() -> losing.execute(order));
        return record();
    }

    private IdempotencyRecord record() {
        return record(key);
    }

    private IdempotencyRecord record(IdempotencyKey which) {
        var record = store().find(which).record();
        if (record == null) {
            throw new AssertionError("no record stands for " + which);
        }
        return record;
    }

    /** Replaces what stands, as an engine would. */
    private IdempotencyRecord put(IdempotencyRecord.Builder next, @Nullable Duration lease) {
        var standing = record();
        var write =
                new Write(next.version(standing.version() + 1).build(), false, false, true, lease, LONG, Duration.ZERO);
        assertThat(store().replace(standing, write).applied()).isTrue();
        return record();
    }

    /** Every situation that a key can be in. */
    enum Situation {
        UNKNOWN,
        OPEN,
        IN_FLIGHT,
        LAPSED,
        IN_DOUBT,
        QUIESCENT,
        COMPLETED,
        CLOSED
    }

    private @Nullable IdempotencyRecord in(Situation situation) {
        if (situation == Situation.UNKNOWN) {
            return null;
        }
        var doubt = inDoubt(false);
        return switch (situation) {
            case OPEN -> put(doubt.with().state(State.OPEN).fingerprint(null), null);
            case IN_FLIGHT -> put(doubt.with().state(State.IN_FLIGHT).token(AttemptToken.random()), LONG);
            case LAPSED -> {
                var lapsing = put(doubt.with().state(State.IN_FLIGHT).token(AttemptToken.random()), A_MOMENT);
                elapse(A_MOMENT.multipliedBy(2));
                yield lapsing;
            }
            case COMPLETED -> put(doubt.with().state(State.COMPLETED).result(RESULT), null);
            case CLOSED -> put(doubt.with().state(State.CLOSED), null);
            default -> doubt;
        };
    }

    private static StoredResult result(String json) {
        return new StoredResult(StoredResult.Kind.RESULT, "json", json.getBytes(StandardCharsets.UTF_8));
    }

    private Admin admin(Duration quiescence) {
        return Admin.builder(store()).quiescence(quiescence).listener(events).build();
    }

    private Admin admin() {
        return admin(Duration.ZERO);
    }

    private Fingerprint fingerprint(Order of) {
        return charge().fingerprintOf(of);
    }

    private static Object decide(Admin admin, Act act, IdempotencyKey key, long version, Fingerprint fingerprint) {
        return switch (act) {
            case EXECUTED -> admin.resolveExecuted(key, version, RESULT, ADA);
            case NOT_EXECUTED -> admin.resolveNotExecuted(key, version, ADA);
            case REEXECUTE -> admin.reExecute(key, version, ADA);
            case REOPEN -> admin.reopen(key, version, ADA);
            case OVERRIDE -> admin.requestOverride(key, version, fingerprint, ADA);
            case WITHDRAW -> admin.requestWithdrawal(key, version, ADA);
        };
    }

    private static RefusedException refused(Reason reason, ThrowingCallable act) {
        var refused = Failures.failed(RefusedException.class, act);
        assertThat(refused.reason()).as(refused.getMessage()).isEqualTo(reason);
        assertThat(refused.until() != null).isEqualTo(reason == Reason.NOT_QUIESCENT);
        return refused;
    }

    private List<String> trail() {
        return store().audit(key, null, 100).stream()
                .map(entry -> entry.phase() + " " + entry.act())
                .toList();
    }

    // ---- every act in every situation

    private static @Nullable Reason expected(Act act, Situation situation) {
        if (situation == Situation.UNKNOWN) {
            return Reason.UNKNOWN_KEY;
        }
        return switch (act) {
            case EXECUTED ->
                switch (situation) {
                    case LAPSED, IN_DOUBT, QUIESCENT -> null;
                    default -> Reason.WRONG_STATE;
                };
            case NOT_EXECUTED, REEXECUTE ->
                switch (situation) {
                    case QUIESCENT -> null;
                    case LAPSED, IN_DOUBT -> Reason.NOT_QUIESCENT;
                    default -> Reason.WRONG_STATE;
                };
            case REOPEN -> situation == Situation.CLOSED ? null : Reason.WRONG_STATE;
            case OVERRIDE ->
                situation == Situation.CLOSED || situation == Situation.COMPLETED ? null : Reason.WRONG_STATE;
            // That of a key which somebody has opened has tests of its own.
            case WITHDRAW -> Reason.WRONG_STATE;
        };
    }

    private static State after(Act act, Situation situation) {
        return switch (act) {
            case EXECUTED -> State.COMPLETED;
            case NOT_EXECUTED -> State.CLOSED;
            case REEXECUTE, REOPEN -> State.OPEN;
            case OVERRIDE, WITHDRAW -> State.valueOf(situation.name());
        };
    }

    static Stream<Arguments> actsAndSituations() {
        return Arrays.stream(Act.values())
                .flatMap(act -> Arrays.stream(Situation.values()).map(situation -> Arguments.of(act, situation)));
    }

    @ParameterizedTest
    @MethodSource("actsAndSituations")
    void act_inEverySituation_isDoneOrRefusedWithItsReason(Act act, Situation situation) {
        var before = in(situation);
        var version = before == null ? 1 : before.version();
        var admin = admin(situation == Situation.QUIESCENT ? Duration.ZERO : LONG);
        var payload = fingerprint(changed);
        var reason = expected(act, situation);

        if (reason == null) {
            var done = decide(admin, act, key, version, payload);

            assertThat(record().state()).isEqualTo(after(act, situation));
            if (act == Act.OVERRIDE) {
                assertThat(record()).isEqualTo(before);
                assertThat(trail()).containsExactly("REQUESTED OVERRIDE");
            } else {
                assertThat(done).isEqualTo(record());
                assertThat(trail()).containsExactly("APPLIED " + act, "INTENDED " + act);
                assertThat(record().generation()).isEqualTo(after(act, situation) == State.OPEN ? 2 : 1);
            }
        } else {
            var refused = refused(reason, () -> decide(admin, act, key, version, payload));

            assertThat(refused.key()).isEqualTo(key);
            assertThat(trail()).isEmpty();
            var lapses = situation == Situation.LAPSED && reason == Reason.NOT_QUIESCENT;
            assertThat(store().find(key).record()).satisfies(record -> {
                if (lapses) {
                    assertThat(record.state()).isEqualTo(State.IN_DOUBT);
                    assertThat(refused.until())
                            .isEqualTo(record.times().stateSince().plus(LONG));
                } else {
                    assertThat(record).isEqualTo(before);
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void act_onAnOlderVersion_isRefusedAsChanged(Act act) {
        var situation = act == Act.REOPEN || act == Act.OVERRIDE ? Situation.CLOSED : Situation.QUIESCENT;
        var standing = in(situation);
        var payload = fingerprint(changed);

        for (long version : new long[] {standing.version() - 1, standing.version() + 1}) {
            refused(Reason.CHANGED, () -> decide(admin(), act, key, version, payload));
        }
        assertThat(record()).isEqualTo(standing);
        assertThat(trail()).isEmpty();
    }

    // ---- in doubt

    @Test
    void executed_withItsResult_isReplayed() {
        var doubt = inDoubt(true);

        var completed = admin().resolveExecuted(key, doubt.version(), RESULT, ADA);

        assertThat(completed.state()).isEqualTo(State.COMPLETED);
        assertThat(charge().execute(order)).isEqualTo(new Receipt("by hand", 100));
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.FOUND);
        assertThat(lastLine().detail()).contains("ada", "the provider's support says so", "ticket 4711");
        assertThat(events.types()).contains(Type.FOUND);
        Failures.mismatch(() -> charge().execute(changed));
    }

    @Test
    void executed_repeatedWithAnotherOutcome_isRefusedAndTheFirstStands() {
        var doubt = inDoubt(true);
        var other = result("{\"effect\":\"the right one\",\"amount\":100}");
        var declined =
                new StoredResult(StoredResult.Kind.DECLINED, "text", "card expired".getBytes(StandardCharsets.UTF_8));
        var done = admin().resolveExecuted(key, doubt.version(), RESULT, ADA);

        refused(Reason.CHANGED, () -> admin().resolveExecuted(key, doubt.version(), other, ADA));
        refused(Reason.CHANGED, () -> admin().resolveExecuted(key, doubt.version(), declined, ADA));
        refused(Reason.CHANGED, () -> admin().resolveExecuted(key, doubt.version(), null, ADA));
        assertThat(admin().resolveExecuted(key, doubt.version(), RESULT, ADA)).isEqualTo(done);
        assertThat(record()).isEqualTo(done);
        assertThat(trail()).containsExactly("APPLIED EXECUTED", "INTENDED EXECUTED");
        assertThat(store().audit(key, null, 10).get(1).detail())
                .contains("a result", "codec json", "sha256")
                .doesNotContain("by hand");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  "})
    void executed_asADeclineWithoutAReason_isRefused(String reason) {
        var doubt = inDoubt(true);
        var declined = new StoredResult(StoredResult.Kind.DECLINED, "text", reason.getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> admin().resolveExecuted(key, doubt.version(), declined, ADA))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("reason");
        assertThat(record()).isEqualTo(doubt);
    }

    @Test
    void notExecuted_waitingPeriodSetByHand_standsInTheTrail() {
        var doubt = inDoubt(false);
        admin(Duration.ZERO).resolveNotExecuted(key, doubt.version(), ADA);

        assertThat(store().audit(key, null, 10).get(1).detail())
                .isEqualTo("waiting period 0 s, set for this act; 24 h is the default");
    }

    @Test
    void executed_withoutItsResult_isReplayedAsUnavailable() {
        var doubt = inDoubt(true);

        admin().resolveExecuted(key, doubt.version(), null, ADA);

        assertThat(Failures.unavailable(() -> charge().execute(order))).hasMessageContaining("The operation ran");
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void executed_asADecline_isReplayedAsOne() {
        var doubt = inDoubt(true);
        var decline = new StoredResult(StoredResult.Kind.DECLINED, "text", "no funds".getBytes(StandardCharsets.UTF_8));

        admin().resolveExecuted(key, doubt.version(), decline, ADA);

        assertThat(Failures.declined(() -> charge().execute(order)).reason()).isEqualTo("no funds");
    }

    @Test
    void notExecuted_beforeQuiescence_isRefusedUntilThenAndThenDone() {
        var doubt = inDoubt(false);
        var wait = Duration.ofMillis(300);
        var admin = admin(wait);

        var refused = Failures.failed(
                RefusedException.class, () -> admin(LONG).resolveNotExecuted(key, doubt.version(), ADA));
        assertThat(refused.until()).isEqualTo(doubt.times().stateSince().plus(LONG));
        elapse(wait);
        admin.resolveNotExecuted(key, doubt.version(), ADA);

        assertThat(Failures.notExecuted(() -> charge().execute(order)).isClosed())
                .isTrue();
        assertThat(ledger.count()).isZero();
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.CLOSED);
        assertThat(events.types()).contains(Type.CLOSED);
    }

    @Test
    void notExecuted_keyWithAgreedTerms_hasToWaitForThoseAndNotForTheAdmins() {
        var doubt = inDoubt(false);
        var agreed = new RecoveryTerms(
                RecoveryTerms.Policy.LOOKUP, RecoveryTerms.WhenMissing.CLOSE, Duration.ofMinutes(30), null);
        var standing = put(doubt.with().terms(agreed), null);

        var refused = refused(Reason.NOT_QUIESCENT, () -> admin().resolveNotExecuted(key, standing.version(), ADA));
        assertThat(refused.until()).isEqualTo(standing.times().stateSince().plus(Duration.ofMinutes(30)));

        var now = new RecoveryTerms(RecoveryTerms.Policy.LOOKUP, RecoveryTerms.WhenMissing.CLOSE, Duration.ZERO, null);
        var ready = put(standing.with().terms(now), null);
        assertThat(admin(LONG).resolveNotExecuted(key, ready.version(), ADA).state())
                .isEqualTo(State.CLOSED);
    }

    @Test
    void reExecute_nextExecution_callsWithANewNativeKey() {
        var doubt = inDoubt(false);

        var reopened = admin().reExecute(key, doubt.version(), ADA);

        assertThat(reopened.state()).isEqualTo(State.OPEN);
        assertThat(reopened.generation()).isEqualTo(2);
        assertThat(reopened.evidence())
                .extracting(Evidence::kind)
                .endsWith(Evidence.Kind.CLOSED, Evidence.Kind.OVERRIDE);
        assertThat(sent).hasValue(0);
        Failures.mismatch(() -> charge().execute(changed));
        charge().execute(order);
        assertThat(record().nativeKey()).isNotEqualTo(doubt.nativeKey());
        assertThat(ledger.effectsOf("o-1"))
                .singleElement()
                .satisfies(effect -> assertThat(effect.nativeKey()).isEqualTo(record().nativeKey()));
        assertThat(events.types()).contains(Type.CLOSED, Type.OVERRIDDEN);
    }

    @Test
    void reopen_closedKey_callsWithANewNativeKey() {
        var closed = in(Situation.CLOSED);

        admin().reopen(key, closed.version(), ADA);

        charge().execute(order);
        assertThat(record().nativeKey()).isNotEqualTo(closed.nativeKey());
        assertThat(record().generation()).isEqualTo(2);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.OVERRIDE);
    }

    private Evidence lastLine() {
        var lines = record().evidence();
        return lines.get(lines.size() - 1);
    }

    /** A run that stands in its call while its lease lapses, and is then told what the provider says. */
    private Late late() throws Exception {
        var timer = new ScheduledThreadPoolExecutor(1);
        var never = new CountDownLatch(1);
        timer.execute(() -> Eventually.opens(never));
        open.add(() -> {
            never.countDown();
            timer.shutdownNow();
        });
        var idempotency = Idempotency.builder(store())
                .listener(events)
                .scheduler(timer)
                .nanoTime(() -> 0)
                .build();
        open.add(idempotency);
        var answer = new CompletableFuture<Receipt>();
        var started = new CountDownLatch(1);
        var late = charge(idempotency).lease(Duration.ofMillis(20)).callingAsync((order, attempt) -> {
            started.countDown();
            return answer;
        });
        var run = late.executeAsync(order);
        Eventually.opens(started);
        elapse(Duration.ofMillis(40));
        return new Late(answer, run);
    }

    private record Late(CompletableFuture<Receipt> answer, CompletableFuture<Receipt> run) {
        void answers(Receipt receipt) throws Exception {
            answer.complete(receipt);
            run.handle((value, failure) -> value).get(1, TimeUnit.MINUTES);
        }
    }

    @Test
    void lateAnswer_otherThanAPersonSaid_isAConflictAndTheRecordStands() throws Exception {
        var late = late();
        var completed = admin().resolveExecuted(key, record().version(), RESULT, ADA);
        assertThat(completed.evidence())
                .extracting(Evidence::kind)
                .containsExactly(Evidence.Kind.LAPSED, Evidence.Kind.FOUND);

        late.answers(new Receipt("real", 100));

        assertThat(events.types()).contains(Type.LAPSED, Type.CONFLICT);
        assertThat(record().result()).isEqualTo(RESULT);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.CONFLICT);
    }

    @Test
    void lateAnswer_asAPersonSaid_isNoAlarm() throws Exception {
        var late = late();
        admin().resolveExecuted(key, record().version(), RESULT, ADA);

        late.answers(new Receipt("by hand", 100));

        assertThat(events.all()).noneMatch(event -> event.type().isAlarm());
        assertThat(late.run().get()).isEqualTo(new Receipt("by hand", 100));
    }

    @Test
    void lateAnswer_afterExecutedWithoutAResult_isGivenOutFromThenOn() throws Exception {
        var late = late();
        admin().resolveExecuted(key, record().version(), null, ADA);

        late.answers(new Receipt("real", 100));

        assertThat(events.types()).doesNotContain(Type.CONFLICT);
        assertThat(record().result()).isEqualTo(result("{\"effect\":\"real\",\"amount\":100}"));
        assertThat(charge().execute(order)).isEqualTo(new Receipt("real", 100));
    }

    @ParameterizedTest
    @EnumSource(names = {"NOT_EXECUTED", "REEXECUTE"})
    void lateAnswer_afterNotExecuted_isAContradiction(Act act) throws Exception {
        var late = late();
        decide(admin(), act, key, record().version(), fingerprint(order));
        var generation = record().generation();

        late.answers(new Receipt("real", 100));

        assertThat(events.types()).contains(Type.CONTRADICTION);
        assertThat(record().generation()).isEqualTo(generation);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.CONTRADICTION);
    }

    // ---- overrides

    private AuditEntry requested() {
        charge().execute(order);
        return admin().requestOverride(key, record().version(), fingerprint(changed), ADA);
    }

    @Test
    void override_byTwoPeople_letsTheOtherPayloadRunWithANewNativeKey() {
        var wish = requested();
        var firstKey = record().nativeKey();
        assertThat(admin().review(key).pending()).containsExactly(wish);
        Failures.mismatch(() -> charge().execute(changed));

        var opened = admin().approveOverride(key, wish.id(), BOB);

        assertThat(opened).isEqualTo(record());
        assertThat(opened.generation()).isEqualTo(2);
        assertThat(opened.fingerprint()).isEqualTo(fingerprint(changed));
        Failures.mismatch(() -> charge().execute(order));
        assertThat(charge().execute(changed).amount()).isEqualTo(250);
        assertThat(record().nativeKey()).isNotEqualTo(firstKey);
        assertThat(ledger.effectsOf("o-1")).extracting(Effect::payload).containsExactly("100", "250");
        assertThat(ledger.effectsOf("o-1"))
                .extracting(Effect::nativeKey)
                .containsExactly(firstKey, record().nativeKey());
        assertThat(lastLine().detail()).contains("ada", "approved by Bob B.", "ticket 4711", "screenshot 9", wish.id());
        assertThat(store().audit(key, null, 10))
                .extracting(entry -> entry.phase() + " " + entry.who() + " " + entry.fingerprint())
                .containsExactly(
                        "APPLIED Bob B. " + fingerprint(changed),
                        "INTENDED Bob B. " + fingerprint(changed),
                        "REQUESTED ada " + fingerprint(changed));
        assertThat(store().audit(key, null, 10)).extracting(AuditEntry::id).containsOnly(wish.id());
        assertThat(events.types()).contains(Type.OVERRIDDEN);
        assertThat(admin().review(key).pending()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ada",
                "Ada",
                "ADA",
                " ada",
                "ada  ",
                "\u00a0Ada\u2003",
                "\uff41\uff44\uff41",
                "a da",
                "ad\u00e1",
                "ada\u0323",
                "\u200dada"
            })
    void override_approvedByWhoAsked_isRefused(String name) {
        var wish = requested();
        var standing = record();

        refused(
                Reason.SAME_PERSON,
                () -> admin().approveOverride(key, wish.id(), new Ruling(name, "it is right", "none")));

        assertThat(record()).isEqualTo(standing);
        assertThat(trail()).containsExactly("REQUESTED OVERRIDE");
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0xFE0F, 0x2800, 0x3164, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180F, 0xFFA0, 0xE0100, 0xE000,
                0x200B
            })
    void name_withAnInvisibleCharacter_isNobodys(int invisible) {
        var name = "ada" + Character.toString(invisible);

        assertThatThrownBy(() -> new Ruling(name, "it is right", "none"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("invisible");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u0430da", "ad\u03b1", "Bob \u0410da", "-", "\u0301"})
    void name_inLettersOfSeveralScriptsOrOfNone_isNobodys(String name) {
        assertThatThrownBy(() -> new Ruling(name, "it is right", "none")).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u0410\u043d\u043d\u0430 \u041f\u0435\u0442\u0440\u043e\u0432\u0430 (anna@example.com)",
                "\u5c71\u7530 \u306f\u306a\u5b50",
                "\u0930\u093e\u092e",
                "Zo\u00eb O'Neil-\u00d8rsted"
            })
    void name_ofARealPerson_isTaken(String name) {
        assertThat(new Ruling(name, "it is right", "none").who()).isEqualTo(name);
    }

    @Test
    void override_approvedUnderANameThatLooksTheSame_isRefused() {
        charge().execute(order);
        var wish = admin().requestOverride(
                        key, record().version(), fingerprint(changed), new Ruling("Cop", "wrong amount", "none"));

        refused(
                Reason.SAME_PERSON,
                () -> admin().approveOverride(key, wish.id(), new Ruling("\u0441\u043e\u0440", "it is right", "none")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jcs-sha256:9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
                "jcs-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0",
                "jcs-sha256:zz",
                "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            })
    void override_mistypedFingerprint_cannotEvenBeAskedFor(String typed) {
        charge().execute(order);
        var parts = typed.split(":");
        var fingerprint = new Fingerprint(parts[0], parts[1]);

        assertThatThrownBy(() -> admin().requestOverride(key, record().version(), fingerprint, ADA))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("64 lower-case");
        assertThat(trail()).isEmpty();
    }

    @Test
    void override_approvedByTwoAtOnce_hasOneIntentAndOneEndOfTheSamePerson() {
        var wish = requested();
        var eve = new Ruling("eve", "seen it first", "none");
        var approving = Admin.on(new WatchedStore(store(), point -> {
            if (point == Point.BEFORE_INTENDED) {
                admin().approveOverride(key, wish.id(), eve);
            }
        }));

        refused(Reason.NO_REQUEST, () -> approving.approveOverride(key, wish.id(), BOB));

        assertThat(record().generation()).isEqualTo(2);
        assertThat(store().audit(key, null, 10))
                .extracting(entry -> entry.phase() + " " + entry.who())
                .containsExactly("APPLIED eve", "INTENDED eve", "REQUESTED ada");
    }

    @Test
    void override_secondApproverWhileTheFirstIsWriting_isRefusedAndTheFirstEnds() {
        var wish = requested();
        var eve = new Ruling("eve", "seen it too", "none");
        var refusals = new ArrayList<RefusedException>();
        var approving = Admin.on(new WatchedStore(store(), point -> {
            if (point == Point.BEFORE_RECORD) {
                refusals.add(refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, wish.id(), eve)));
            }
        }));

        approving.approveOverride(key, wish.id(), BOB);

        assertThat(refusals)
                .singleElement()
                .satisfies(refused -> assertThat(refused).hasMessageContaining("begun to approve"));
        assertThat(store().audit(key, null, 10))
                .extracting(entry -> entry.phase() + " " + entry.who())
                .containsExactly("APPLIED Bob B.", "INTENDED Bob B.", "REQUESTED ada");
    }

    @Test
    void override_recordChangedSinceItWasAsked_isRefused() {
        var wish = requested();
        var standing = record();
        put(standing.with(), null);

        refused(Reason.CHANGED, () -> admin().approveOverride(key, wish.id(), BOB));
        assertThat(admin().review(key).pending()).isEmpty();
        assertThat(record().generation()).isEqualTo(1);
    }

    @Test
    void override_sameVersionOfAnotherAttempt_isRefused() {
        charge().execute(order);
        var other = record();
        var wish = store().append(new AuditEntry(
                AttemptToken.random().value(),
                null,
                key,
                other.version(),
                AttemptToken.random(),
                other.generation(),
                Act.OVERRIDE,
                Phase.REQUESTED,
                "ada",
                "why",
                "none",
                fingerprint(changed),
                ""));

        refused(Reason.CHANGED, () -> admin().approveOverride(key, wish.id(), BOB));
        assertThat(record()).isEqualTo(other);
    }

    @Test
    void override_ofThePayloadThatStands_isRefused() {
        charge().execute(order);
        var fingerprint = fingerprint(order);

        refused(Reason.SAME_PAYLOAD, () -> admin().requestOverride(key, record().version(), fingerprint, ADA));
        put(record().with().state(State.CLOSED).result(null), null);
        assertThat(refused(
                        Reason.SAME_PAYLOAD, () -> admin().requestOverride(key, record().version(), fingerprint, ADA)))
                .hasMessageContaining("reopen");
    }

    @Test
    void override_nobodyAskedFor_isRefused() {
        charge().execute(order);
        var elsewhere = new IdempotencyKey(scope, "o-2");
        var wish = admin().requestOverride(key, record().version(), fingerprint(changed), ADA);

        refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, "0".repeat(32), BOB));
        refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, "' OR 1=1 --", BOB));
        refused(Reason.NO_REQUEST, () -> admin().approveOverride(elsewhere, wish.id(), BOB));
        refused(Reason.NO_REQUEST, () -> admin().refuseOverride(elsewhere, wish.id(), BOB));
    }

    @Test
    void override_approvedAgain_isDoneForWhoApprovedItAndRefusedForOthers() {
        var wish = requested();
        var once = admin().approveOverride(key, wish.id(), BOB);

        assertThat(admin().approveOverride(key, wish.id(), BOB)).isEqualTo(once);
        refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, wish.id(), new Ruling("eve", "why not", "none")));
        refused(Reason.NO_REQUEST, () -> admin().refuseOverride(key, wish.id(), BOB));
        assertThat(record()).isEqualTo(once);
        assertThat(trail()).containsExactly("APPLIED OVERRIDE", "INTENDED OVERRIDE", "REQUESTED OVERRIDE");
    }

    @Test
    void override_refused_cannotBeApproved() {
        var wish = requested();

        var refusal = admin().refuseOverride(key, wish.id(), BOB);

        assertThat(refusal.who()).isEqualTo("Bob B.");
        assertThat(admin().refuseOverride(key, wish.id(), BOB)).isEqualTo(refusal);
        refused(Reason.NO_REQUEST, () -> admin().refuseOverride(key, wish.id(), ADA));
        refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, wish.id(), BOB));
        assertThat(admin().review(key).pending()).isEmpty();
        assertThat(trail()).containsExactly("REFUSED OVERRIDE", "REQUESTED OVERRIDE");
        assertThat(record().generation()).isEqualTo(1);
    }

    @Test
    void override_refusedWhileItIsApproved_isNotDone() {
        var wish = requested();
        var approving = Admin.on(new WatchedStore(store(), point -> {
            if (point == Point.BEFORE_INTENDED) {
                admin().refuseOverride(key, wish.id(), new Ruling("eve", "not yet", "none"));
            }
        }));

        refused(Reason.NO_REQUEST, () -> approving.approveOverride(key, wish.id(), BOB));

        assertThat(record().generation()).isEqualTo(1);
        assertThat(trail()).containsExactly("INTENDED OVERRIDE", "REFUSED OVERRIDE", "REQUESTED OVERRIDE");
    }

    @Test
    void override_askedAgainByTheSamePerson_isTheSameRequest() {
        var wish = requested();

        assertThat(admin().requestOverride(key, record().version(), fingerprint(changed), ADA))
                .isEqualTo(wish);
        var other = admin().requestOverride(key, record().version(), fingerprint(changed), BOB);
        assertThat(other.id()).isNotEqualTo(wish.id());
        assertThat(admin().review(key).pending()).containsExactly(other, wish);
    }

    @Test
    void override_manyOfLargeResults_keepsTheLatestAndADigestOfEach() {
        inDoubt(false);
        for (int i = 0; i < 6; i++) {
            var large = result("\"" + (char) ('a' + i) + "x".repeat(100_000) + "\"");
            put(
                    record().with()
                            .state(State.COMPLETED)
                            .fingerprint(fingerprint(order))
                            .result(large),
                    null);
            var wish = admin().requestOverride(key, record().version(), fingerprint(changed), ADA);
            admin().approveOverride(key, wish.id(), BOB);
        }

        assertThat(record().evidence())
                .filteredOn(line -> line.kind() == Evidence.Kind.OVERRIDE)
                .hasSize(6)
                .filteredOn(line -> line.result() != null)
                .hasSize(2);
        assertThat(lastLine().result()).isNotNull();
        assertThat(store().audit(key, null, 100))
                .filteredOn(entry -> entry.phase() == Phase.INTENDED)
                .extracting(AuditEntry::detail)
                .allSatisfy(detail -> assertThat(detail).startsWith("replaces: a result; 100003 bytes"))
                .doesNotHaveDuplicates();
    }

    // ---- withdrawals

    /** Overridden, by two people, for a payload that nobody has. */
    private IdempotencyRecord overriddenForNobody() {
        var nobodys = new Fingerprint(Fingerprint.JCS_SHA256, "9f".repeat(32));
        var wish = admin().requestOverride(key, record().version(), nobodys, ADA);
        return admin().approveOverride(key, wish.id(), BOB);
    }

    private IdempotencyRecord withdrawn() {
        var wish = admin().requestWithdrawal(key, record().version(), ADA);
        assertThat(admin().review(key).pending()).containsExactly(wish);
        return admin().approveWithdrawal(key, wish.id(), BOB);
    }

    @Test
    void withdrawal_ofAnOverrideForAPayloadThatNobodyHas_givesCallersTheirResultBack() {
        var receipt = charge().execute(order);
        var paid = record();
        overriddenForNobody();
        Failures.mismatch(() -> charge().execute(order));
        Failures.mismatch(() -> charge().execute(changed));

        var back = withdrawn();

        assertThat(back).isEqualTo(record());
        assertThat(back.state()).isEqualTo(State.COMPLETED);
        assertThat(back.result()).isEqualTo(paid.result());
        assertThat(back.fingerprint()).isEqualTo(paid.fingerprint());
        assertThat(back.generation()).isEqualTo(2);
        assertThat(charge().execute(order)).isEqualTo(receipt);
        Failures.mismatch(() -> charge().execute(changed));
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.FOUND);
        assertThat(lastLine().detail()).contains("ada, approved by Bob B.", "withdraws");
        assertThat(trail().subList(0, 3))
                .containsExactly("APPLIED WITHDRAW", "INTENDED WITHDRAW", "REQUESTED WITHDRAW");
        assertThat(admin().review(key).pending()).isEmpty();
    }

    @Test
    void withdrawal_thenTheRightOverride_callsWithANativeKeyOfItsOwn() {
        charge().execute(order);
        var first = record().nativeKey();
        overriddenForNobody();
        withdrawn();

        var wish = admin().requestOverride(key, record().version(), fingerprint(changed), ADA);
        admin().approveOverride(key, wish.id(), BOB);

        assertThat(charge().execute(changed).amount()).isEqualTo(250);
        assertThat(record().generation()).isEqualTo(3);
        assertThat(record().nativeKey()).isNotEqualTo(first);
        assertThat(ledger.effectsOf("o-1")).extracting(Effect::payload).containsExactly("100", "250");
    }

    @Test
    void withdrawal_twice_hasTheFirstResultStill() {
        var receipt = charge().execute(order);
        overriddenForNobody();
        withdrawn();
        overriddenForNobody();

        withdrawn();

        assertThat(charge().execute(order)).isEqualTo(receipt);
        assertThat(record().generation()).isEqualTo(3);
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void withdrawal_ofAClosedKeyThatWasOverriddenOrReopened_closesItAgain() {
        reopened();
        var opened = withdrawn();
        assertThat(opened.state()).isEqualTo(State.CLOSED);
        assertThat(lastLine().kind()).isEqualTo(Evidence.Kind.CLOSED);
        overriddenForNobody();

        var closed = withdrawn();

        assertThat(closed.state()).isEqualTo(State.CLOSED);
        assertThat(closed.fingerprint()).isEqualTo(fingerprint(order));
        assertThat(Failures.failed(NotExecutedException.class, () -> charge().execute(order))
                        .isClosed())
                .isTrue();
        assertThat(ledger.count()).isZero();
    }

    @Test
    void withdrawal_ofAKeyWhoseResultNobodyKnew_isExecutedWithoutAResult() {
        var doubt = inDoubt(true);
        admin().resolveExecuted(key, doubt.version(), null, ADA);
        overriddenForNobody();

        var back = withdrawn();

        assertThat(back.state()).isEqualTo(State.COMPLETED);
        assertThat(back.result()).isNull();
        Failures.failed(ResultUnavailableException.class, () -> charge().execute(order));
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void withdrawal_approvedByWhoAsked_isRefused() {
        charge().execute(order);
        var open = overriddenForNobody();
        var wish = admin().requestWithdrawal(key, open.version(), ADA);

        refused(
                Reason.SAME_PERSON,
                () -> admin().approveWithdrawal(key, wish.id(), new Ruling(" Ada", "it is right", "none")));
        assertThat(record()).isEqualTo(open);
        assertThat(admin().requestWithdrawal(key, open.version(), ADA)).isEqualTo(wish);
    }

    @Test
    void withdrawal_ofAKeyThatWasReservedSince_isRefused() {
        charge().execute(order);
        var wish = admin().requestOverride(key, record().version(), fingerprint(changed), ADA);
        admin().approveOverride(key, wish.id(), BOB);
        var withdrawal = admin().requestWithdrawal(key, record().version(), ADA);
        var refusing = charge(idempotency())
                .failures(FailureClassifier.conservative().on(IOException.class, FailureClass.NOT_EXECUTED))
                .calling((order, attempt) -> {
                    throw new IOException("the provider is closed");
                });
        Failures.failed(NotExecutedException.class, () -> refusing.execute(changed));
        var released = record();
        assertThat(released.state()).isEqualTo(State.OPEN);

        refused(Reason.CHANGED, () -> admin().approveWithdrawal(key, withdrawal.id(), BOB));
        refused(Reason.WRONG_STATE, () -> admin().requestWithdrawal(key, released.version(), ADA));
        charge().execute(changed);
        refused(Reason.WRONG_STATE, () -> admin().requestWithdrawal(key, record().version(), ADA));
        assertThat(ledger.effectsOf("o-1")).extracting(Effect::payload).containsExactly("100", "250");
    }

    @Test
    void withdrawal_andAReservationAtOnce_oneOfThemIsRefused() {
        charge().execute(order);
        var wish = admin().requestOverride(key, record().version(), fingerprint(changed), ADA);
        admin().approveOverride(key, wish.id(), BOB);
        var withdrawal = admin().requestWithdrawal(key, record().version(), ADA);
        var approving = Admin.on(new WatchedStore(store(), point -> {
            if (point == Point.BEFORE_RECORD) {
                charge().execute(changed);
            }
        }));

        refused(Reason.CHANGED, () -> approving.approveWithdrawal(key, withdrawal.id(), BOB));

        assertThat(record().state()).isEqualTo(State.COMPLETED);
        assertThat(charge().execute(changed).amount()).isEqualTo(250);
        assertThat(trail().get(0)).isEqualTo("REFUSED WITHDRAW");
    }

    @Test
    void withdrawal_requestOfTheOtherKind_isNoRequest() {
        var override = requested();
        refused(Reason.NO_REQUEST, () -> admin().approveWithdrawal(key, override.id(), BOB));
        refused(Reason.NO_REQUEST, () -> admin().refuseWithdrawal(key, override.id(), BOB));
        admin().approveOverride(key, override.id(), BOB);
        var withdrawal = admin().requestWithdrawal(key, record().version(), ADA);

        refused(Reason.NO_REQUEST, () -> admin().approveOverride(key, withdrawal.id(), BOB));
        refused(Reason.NO_REQUEST, () -> admin().refuseOverride(key, withdrawal.id(), BOB));
        assertThat(admin().refuseWithdrawal(key, withdrawal.id(), BOB).phase()).isEqualTo(Phase.REFUSED);
        refused(Reason.NO_REQUEST, () -> admin().approveWithdrawal(key, withdrawal.id(), BOB));
        assertThat(record().state()).isEqualTo(State.OPEN);
    }

    /** The texts of an act are free: none of them can name another payload. */
    @Test
    void withdrawal_payloadInSomebodysWords_isNotTakenForTheKeys() {
        var sly = new Ruling("eve", "ordered after all", "none; payload jcs-sha256:" + "9f".repeat(32));
        var closed = admin().resolveNotExecuted(key, inDoubt(false).version(), sly);
        admin().reopen(key, closed.version(), sly);

        assertThat(withdrawn().fingerprint()).isEqualTo(fingerprint(order));
    }

    @Test
    void override_requestBehindManyEntries_isFound() {
        var wish = requested();
        for (int i = 0; i < 120; i++) {
            store().append(new AuditEntry(
                    AttemptToken.random().value(),
                    null,
                    key,
                    wish.version(),
                    wish.token(),
                    wish.generation(),
                    Act.OVERRIDE,
                    Phase.REQUESTED,
                    "person " + i,
                    "wants it too",
                    "none",
                    wish.fingerprint(),
                    ""));
        }

        assertThat(admin().approveOverride(key, wish.id(), BOB).generation()).isEqualTo(2);
    }

    // ---- races and crashes

    @ParameterizedTest
    @EnumSource(
            value = Act.class,
            names = {"EXECUTED", "NOT_EXECUTED", "REEXECUTE", "REOPEN"})
    void act_overtakenByAnother_isRefusedAndTheTrailSaysSo(Act act) {
        var standing = in(act == Act.REOPEN ? Situation.CLOSED : Situation.QUIESCENT);
        var overtaken = Admin.builder(new WatchedStore(store(), point -> {
                    if (point == Point.BEFORE_RECORD) {
                        put(record().with(), null);
                    }
                }))
                .quiescence(Duration.ZERO)
                .build();

        refused(Reason.CHANGED, () -> decide(overtaken, act, key, standing.version(), fingerprint(order)));

        assertThat(trail()).containsExactly("REFUSED " + act, "INTENDED " + act);
        assertThat(record().state()).isEqualTo(standing.state());
        assertThat(record().generation()).isEqualTo(1);
    }

    @Test
    void act_byManyAtOnce_isDoneOnce() throws Exception {
        var doubt = inDoubt(false);
        var threads = Executors.newFixedThreadPool(8);
        open.add(threads::shutdownNow);
        var start = new CyclicBarrier(8);
        var runs = new ArrayList<Future<Object>>();
        for (int i = 0; i < 8; i++) {
            var ruling = new Ruling("person " + i % 4, "sees it so", "none");
            runs.add(threads.submit(() -> {
                start.await(1, TimeUnit.MINUTES);
                try {
                    return admin().reExecute(key, doubt.version(), ruling);
                } catch (RefusedException e) {
                    return e.reason();
                }
            }));
        }
        var answers = new ArrayList<>();
        for (var run : runs) {
            answers.add(run.get(1, TimeUnit.MINUTES));
        }

        assertThat(record().generation()).isEqualTo(2);
        assertThat(record().evidence())
                .filteredOn(line -> line.kind() == Evidence.Kind.OVERRIDE)
                .hasSize(1);
        assertThat(trail()).filteredOn("APPLIED REEXECUTE"::equals).hasSize(1);
        assertThat(answers).contains(record()).containsOnly(record(), Reason.CHANGED);
    }

    static Stream<Arguments> crashes() {
        return Stream.of(Act.values())
                .flatMap(act -> EnumSet.allOf(Point.class).stream()
                        .filter(point -> !point.name().endsWith("REFUSED")
                                && (takesTwo(act) || !point.name().endsWith("REQUESTED")))
                        .map(point -> Arguments.of(act, point)));
    }

    @ParameterizedTest
    @MethodSource("crashes")
    void act_cutShortAnywhere_leavesAnEntryAndIsEndedByRepeatingIt(Act act, Point where) {
        var standing = act == Act.WITHDRAW
                ? reopened()
                : in(
                        switch (act) {
                            case REOPEN -> Situation.CLOSED;
                            case OVERRIDE -> Situation.COMPLETED;
                            default -> Situation.QUIESCENT;
                        });
        var before = trail();
        var cut = Admin.builder(new WatchedStore(store(), point -> {
                    if (point == where) {
                        throw new StoreException("cut short", where.name().startsWith("AFTER"), null);
                    }
                }))
                .quiescence(Duration.ZERO)
                .build();

        assertThatThrownBy(() -> whole(cut, act, standing.version())).isInstanceOf(StoreException.class);

        if (!record().equals(standing)) {
            assertThat(trail()).contains("INTENDED " + act);
        }
        assertThat(trail().contains("INTENDED " + act)).isEqualTo(where.ordinal() >= Point.AFTER_INTENDED.ordinal());
        assertThat(trail().contains("APPLIED " + act)).isEqualTo(where == Point.AFTER_APPLIED);

        var done = whole(admin(), act, standing.version());

        assertThat(done).isEqualTo(record());
        assertThat(record().version()).isEqualTo(standing.version() + (act == Act.REEXECUTE ? 2 : 1));
        assertThat(record().evidence())
                .filteredOn(line -> line.detail().contains("ada: ") && act != Act.WITHDRAW
                        || line.detail().contains("ada, approved by"))
                .hasSize(act == Act.REEXECUTE ? 2 : 1);
        var entries = trail();
        assertThat(entries.subList(0, entries.size() - before.size()))
                .containsExactlyElementsOf(
                        takesTwo(act)
                                ? List.of("APPLIED " + act, "INTENDED " + act, "REQUESTED " + act)
                                : List.of("APPLIED " + act, "INTENDED " + act));
        assertThat(store().audit(key, null, entries.size() - before.size()))
                .extracting(AuditEntry::id)
                .containsOnly(idIn(lastLine()));
    }

    private static boolean takesTwo(Act act) {
        return act == Act.OVERRIDE || act == Act.WITHDRAW;
    }

    /** Closed as not executed, and opened again, in two acts of eve's. */
    private IdempotencyRecord reopened() {
        var eve = new Ruling("eve", "ordered after all", "ticket 17");
        var closed = admin().resolveNotExecuted(key, inDoubt(false).version(), eve);
        return admin().reopen(key, closed.version(), eve);
    }

    private Object whole(Admin admin, Act act, long version) {
        if (!takesTwo(act)) {
            return decide(admin, act, key, version, fingerprint(order));
        }
        var pending = store().audit(key, null, 10).stream()
                .filter(entry -> entry.phase() == Phase.REQUESTED)
                .findFirst();
        if (act == Act.WITHDRAW) {
            var wish = pending.orElseGet(() -> admin.requestWithdrawal(key, version, ADA));
            return admin.approveWithdrawal(key, wish.id(), BOB);
        }
        var wish = pending.orElseGet(() -> admin.requestOverride(key, version, fingerprint(changed), ADA));
        return admin.approveOverride(key, wish.id(), BOB);
    }

    private static String idIn(Evidence line) {
        return line.detail().substring(line.detail().length() - 32);
    }

    @Test
    void act_intendedAndOvertaken_isRefusedWhenItIsRepeated() {
        var doubt = inDoubt(false);
        var cut = Admin.builder(new WatchedStore(store(), point -> {
                    if (point == Point.AFTER_INTENDED) {
                        throw new StoreException("cut short", true, null);
                    }
                }))
                .quiescence(Duration.ZERO)
                .build();
        assertThatThrownBy(() -> cut.reExecute(key, doubt.version(), ADA)).isInstanceOf(StoreException.class);
        put(record().with(), null);

        refused(Reason.CHANGED, () -> admin().reExecute(key, doubt.version(), ADA));

        assertThat(trail()).containsExactly("REFUSED REEXECUTE", "INTENDED REEXECUTE");
        assertThat(record().generation()).isEqualTo(1);
    }

    // ---- see

    @Test
    void review_keyInDoubt_hasAllThatIsNeeded() {
        var doubt = inDoubt(false);

        var review = admin(LONG).review(key);

        assertThat(review.record()).isEqualTo(doubt);
        assertThat(review.quiescentAt()).isEqualTo(doubt.times().stateSince().plus(LONG));
        assertThat(review.isQuiescent()).isFalse();
        assertThat(review.now()).isAfterOrEqualTo(doubt.times().stateSince());
        assertThat(review.audit()).isEmpty();
        assertThat(review.pending()).isEmpty();
        assertThat(review.recovery()).contains("a person decides");
        assertThat(admin().review(key).isQuiescent()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void review_inEverySituation_saysWhatIsLeft(Situation situation) {
        var record = in(situation);

        var review = admin().review(key);

        if (record == null) {
            assertThat(review).isNull();
        } else {
            assertThat(review.record()).isEqualTo(record);
            assertThat(review.quiescentAt() != null).isEqualTo(record.state() == State.IN_DOUBT);
            assertThat(review.recovery()).endsWith(".");
            assertThat(record()).isEqualTo(record);
        }
    }

    @Test
    void review_ofEachPolicy_saysWhatItCouldStillDo() {
        var doubt = inDoubt(false);
        var minute = Duration.ofMinutes(1);
        var says = Map.of(
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                "Nothing else was agreed on: a person decides.",
                new RecoveryTerms(RecoveryTerms.Policy.LOOKUP, RecoveryTerms.WhenMissing.CLOSE, minute, null),
                "asks the provider, and records what it has; if it has nothing, closes the key once the key has been in doubt for"
                        + " PT1M.",
                new RecoveryTerms(RecoveryTerms.Policy.SEAL, RecoveryTerms.WhenMissing.REEXECUTE, null, null),
                "seal the attempt, and records what it has; if it has nothing, calls again.",
                new RecoveryTerms(RecoveryTerms.Policy.NATIVE, RecoveryTerms.WhenMissing.HOLD, null, LONG),
                "after that a person decides.",
                new RecoveryTerms(
                        RecoveryTerms.Policy.NATIVE, RecoveryTerms.WhenMissing.HOLD, null, Duration.ofNanos(1_000)),
                "The provider's window is over: a person decides.",
                new RecoveryTerms(
                        RecoveryTerms.Policy.NATIVE_THEN_LOOKUP, RecoveryTerms.WhenMissing.HOLD, minute, LONG),
                "after that it asks the provider, and records what it has; if it has nothing, a person decides.",
                new RecoveryTerms(
                        RecoveryTerms.Policy.SAME_TRANSACTION,
                        RecoveryTerms.WhenMissing.REEXECUTE,
                        Duration.ZERO,
                        null),
                "what was not committed did nothing.");
        elapse(A_MOMENT);
        says.forEach((terms, sentence) -> {
            put(doubt.with().terms(terms), null);
            assertThat(admin().review(key).recovery()).as(terms.toString()).endsWith(sentence);
        });
    }

    @Test
    void unresolved_queries_listWhatTheySay() {
        var doubts = new ArrayList<IdempotencyKey>();
        for (var tenant : List.of("a", "b")) {
            var losing = charge(idempotency()).tenant(order -> tenant).calling((order, attempt) -> {
                throw new IOException("reset");
            });
            for (int i = 0; i < 4; i++) {
                var each = new Order("o-" + i, 1);
                Failures.inDoubt(() -> losing.execute(each));
                doubts.add(losing.keyOf(each));
                elapse(A_MOMENT);
            }
        }
        in(Situation.IN_FLIGHT);
        var other = idempotency()
                .operation(scope + "-other", Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> {
                    throw new IOException("reset");
                });
        Failures.inDoubt(() -> other.execute(order));

        assertThat(keys(new Query(State.IN_DOUBT, scope, Duration.ZERO, 100, null)))
                .containsExactlyElementsOf(doubts);
        assertThat(keys(new Query(State.IN_FLIGHT, scope, Duration.ZERO, 100, null)))
                .containsExactly(key);
        assertThat(keys(new Query(null, scope, Duration.ZERO, 100, null)))
                .hasSize(9)
                .contains(key);
        assertThat(keys(new Query(null, scope + "/b", Duration.ZERO, 100, null)))
                .containsExactlyElementsOf(doubts.subList(4, 8));
        assertThat(keys(new Query(null, scope, LONG, 100, null))).isEmpty();
        assertThat(keys(new Query(null, scope, A_MOMENT, 100, null))).contains(doubts.get(0));
        assertThat(keys(Query.all(1000))).containsAll(doubts);

        var paged = new ArrayList<IdempotencyKey>();
        var query = new Query(State.IN_DOUBT, scope, Duration.ZERO, 3, null);
        for (var page = admin().unresolved(query); !page.isEmpty(); page = admin().unresolved(query)) {
            assertThat(page).hasSizeLessThanOrEqualTo(3);
            page.forEach(record -> paged.add(record.key()));
            query = query.next(page.get(page.size() - 1));
        }
        assertThat(paged).containsExactlyElementsOf(doubts);
    }

    private List<IdempotencyKey> keys(Query query) {
        return admin().unresolved(query).stream().map(IdempotencyRecord::key).toList();
    }

    @Test
    void unresolved_atLeast_leavesOutTheYounger() {
        inDoubt(false);
        var older = record();
        elapse(Duration.ofMillis(200));
        var losing = charge(idempotency()).calling((order, attempt) -> {
            throw new IOException("reset");
        });
        Failures.inDoubt(() -> losing.execute(new Order("o-2", 1)));
        var younger = record(new IdempotencyKey(scope, "o-2"));
        var atLeast =
                Duration.between(older.times().stateSince(), younger.times().stateSince());

        var listed = keys(new Query(null, scope, atLeast, 10, null));

        assertThat(listed).contains(older.key());
        // On a machine so slow that the younger one has become as old meanwhile, it may be there.
        var now = store().find(key).now();
        if (now.isBefore(younger.times().stateSince().plus(atLeast))) {
            assertThat(listed).doesNotContain(younger.key());
        }
    }

    @Test
    void audit_hostileTexts_comeBackAsTheyWere() {
        var markup = "<script>alert(1)</script>'; DROP TABLE x; -- ${jndi:x} %s \\ \" &amp; \uD83D\uDCB6";
        var hostile = new Ruling("O'Hara <b>", markup, markup);
        var strange = new Order("<img src=x>/'\"%_*?", 1);
        var losing = charge(idempotency()).calling((order, attempt) -> {
            throw new IOException("reset");
        });
        Failures.inDoubt(() -> losing.execute(strange));
        var where = losing.keyOf(strange);

        admin().resolveExecuted(where, record(where).version(), null, hostile);

        assertThat(admin().audit(where, null, 10)).allSatisfy(entry -> {
            assertThat(entry.key()).isEqualTo(where);
            assertThat(entry.who()).isEqualTo("O'Hara <b>");
            assertThat(entry.why()).isEqualTo(markup);
            assertThat(entry.evidence()).isEqualTo(markup);
        });
        assertThat(record(where).evidence())
                .last()
                .satisfies(line -> assertThat(line.detail()).contains("O'Hara <b>: " + markup));
        assertThat(admin().review(where).audit()).hasSize(2);
    }

    @Test
    void audit_ofAllKeys_hasThatOfThisOne() {
        var doubt = inDoubt(false);
        admin().resolveNotExecuted(key, doubt.version(), ADA);

        Set<IdempotencyKey> seen =
                admin().audit(null, null, 100).stream().map(AuditEntry::key).collect(toSet());

        assertThat(seen).contains(key);
    }

    @Test
    void listener_thatFails_changesNothing() {
        var doubt = inDoubt(false);
        var heard = new AtomicReference<Type>();
        var admin = Admin.builder(store())
                .quiescence(Duration.ZERO)
                .listener(event -> {
                    throw new IllegalStateException("a listener");
                })
                .listener(event -> heard.set(event.type()))
                .build();

        assertThat(admin.resolveNotExecuted(key, doubt.version(), ADA).state()).isEqualTo(State.CLOSED);
        assertThat(heard).hasValue(Type.CLOSED);
    }

    @Test
    void retention_ofTheKeyAndOfTheAdmin_theLongerCounts() {
        var doubt = inDoubt(false);

        var closed = admin().resolveNotExecuted(key, doubt.version(), ADA);
        assertThat(closed.times().expiresAt()).isAfterOrEqualTo(doubt.times().expiresAt());

        var admin = Admin.builder(store()).retention(Duration.ofDays(30)).build();
        var reopened = admin.reopen(key, closed.version(), ADA);
        assertThat(reopened.times().expiresAt())
                .isEqualTo(reopened.times().stateSince().plus(Duration.ofDays(30)));
        assertThat(reopened.times().forgetAt()).isEqualTo(reopened.times().expiresAt());
    }
}

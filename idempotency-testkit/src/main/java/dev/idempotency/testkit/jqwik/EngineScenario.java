package dev.idempotency.testkit.jqwik;

import dev.idempotency.Admin;
import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.RefusedException;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.ReferenceKeyModel;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.SimulatedCrash;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import dev.idempotency.testkit.StoreWithTrail;
import dev.idempotency.testkit.Submission;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An operation on the store under test, its provider, and what callers may see of it: the state of
 * {@link EngineModelProperties}' sequences. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class EngineScenario {
    static final int KEYS = 3;
    static final Duration LEASE = Duration.ofMinutes(1);
    static final Duration WINDOW = Duration.ofMinutes(12);
    static final Duration RETENTION = Duration.ofHours(1);
    static final Duration TOMBSTONE = Duration.ofMinutes(10);
    private static final ProviderProfile PROFILE = ProviderProfile.of(
                    "simulated", "the test kit", ProviderProfile.KeyFormat.uuid(), WINDOW)
            .withBounds(Duration.ofMinutes(1), Duration.ofMinutes(1));

    private static final Admin.Ruling ANN = new Admin.Ruling("ann", "a sequence asks for it", "none");
    private static final Admin.Ruling BOB = new Admin.Ruling("bob", "a sequence asks for it", "none");

    /** What ends a doubt. */
    enum Policy {
        HOLD,
        LOOKUP,
        NATIVE,
        SEAL;

        /** The provider goes on knowing the key after the record is forgotten, so callers must not use it again. */
        boolean asksTheProvider() {
            return this == LOOKUP || this == SEAL;
        }
    }

    /** What becomes of one call. */
    enum Fate {
        SUCCEEDS,
        DECLINES,
        LOSES_THE_REPLY,
        LOSES_THE_REQUEST,
        IS_NEVER_SENT,
        SUCCEEDS_AND_THE_STORE_FAILS,
        OUTLASTS_THE_LEASE
    }

    record Request(String id, String payload) {}

    /** What is known of one key in its present generation. */
    private static final class Life {
        private int effectsBefore;
        private int sent;
        private @Nullable String answer;
        private @Nullable String decline;
    }

    private final ManualClock clock;
    private final WitnessedStore store;
    private final Policy policy;
    private final FailureClassifier failures;
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider;
    private final String run = "run-" + UUID.randomUUID();
    private final int[] uses = new int[KEYS];
    private final Map<String, Life> lives = new HashMap<>();

    private FaultInjectingStore process;
    private SteppedWorkers workers;
    private Operation<Request, String> operation;

    private List<Fate> fates = List.of();
    private int calls;
    private boolean declines;
    private @Nullable StoreFault afterwards;
    private @Nullable String lastReply;

    EngineScenario(IdempotencyStore store, ManualClock clock, Policy policy, FailureClassifier failures) {
        this.clock = clock;
        this.policy = policy;
        this.failures = failures;
        this.store = new WitnessedStore(
                store, new ReferenceKeyModel.Spans(LEASE, RETENTION, TOMBSTONE), key -> live(key.value()));
        var behavior = ProviderBehavior.none();
        provider = new SimulatedProvider(
                switch (policy) {
                    case HOLD -> behavior;
                    case LOOKUP -> behavior.withLookup(Duration.ZERO);
                    case NATIVE -> behavior.withNativeKey(WINDOW);
                    case SEAL -> behavior.withSeal();
                },
                ledger,
                clock,
                submission -> declines);
        process = new FaultInjectingStore(this.store, StoreFaultPlan.none());
        workers = new SteppedWorkers();
        operation = operation();
    }

    private Life live(String id) {
        var life = new Life();
        life.effectsBefore = ledger.effectsOf(id).size();
        lives.put(id, life);
        return life;
    }

    private void start() {
        process = new FaultInjectingStore(store, StoreFaultPlan.none());
        workers = new SteppedWorkers();
        operation = operation();
    }

    private Operation<Request, String> operation() {
        return Idempotency.builder(process)
                .nanoTime(clock::nanoTime)
                .executor(workers)
                .scheduler(workers)
                .build()
                .operation(run, Request.class, String.class)
                .key(Request::id)
                .recovery(recovery())
                .failures(failures)
                .lease(LEASE)
                .retention(RETENTION)
                .tombstone(TOMBSTONE)
                .waitAtMost(Duration.ZERO)
                .calling(this::call);
    }

    private Recovery<Request, String> recovery() {
        return switch (policy) {
            case HOLD -> Recovery.hold();
            case LOOKUP ->
                Recovery.lookup((request, attempt) -> {
                    var effects = provider.lookupByKey(attempt.nativeKey());
                    return effects.isEmpty()
                            ? Finding.missing()
                            : Finding.found(effects.get(0).effectId());
                });
            case NATIVE -> Recovery.nativeKey(PROFILE);
            case SEAL ->
                Recovery.seal((request, attempt) -> provider.seal(attempt.nativeKey()) instanceof SealAnswer.Found found
                        ? Finding.found(found.effect().effectId())
                        : Finding.missing());
        };
    }

    private String call(Request request, Attempt attempt) throws IOException {
        var fate = fates.get(Math.min(calls, fates.size() - 1));
        String nativeKey = attempt.nativeKey();
        calls++;
        lastReply = null;
        if (fate == Fate.IS_NEVER_SENT) {
            throw new ConnectException("refused");
        }
        var life = lives.get(request.id());
        if (life == null) {
            throw new AssertionError(request + " is called, and nobody reserved its key");
        }
        life.sent++;
        if (fate == Fate.LOSES_THE_REQUEST) {
            throw new IOException("the request was lost");
        }
        declines = fate == Fate.DECLINES;
        var reply = provider.submit(new Submission(run + "/" + life.sent, nativeKey, request.id(), request.payload()));
        declines = false;
        if (fate == Fate.LOSES_THE_REPLY) {
            throw new IOException("the reply was lost");
        }
        if (fate == Fate.OUTLASTS_THE_LEASE) {
            clock.advance(LEASE.plusSeconds(1));
        }
        if (fate == Fate.SUCCEEDS_AND_THE_STORE_FAILS && afterwards != null) {
            process.plan(StoreFaultPlan.seeded(1, 1, afterwards));
        }
        if (reply instanceof Reply.Created created) {
            lastReply = created.effect().effectId();
            return lastReply;
        }
        if (reply instanceof Reply.Replayed replayed) {
            lastReply = replayed.effect().effectId();
            return lastReply;
        }
        if (reply instanceof Reply.Declined declined) {
            throw new DeclinedException(declined.reason() + ": " + request);
        }
        throw new AssertionError(request + " is called again, and the provider says " + reply);
    }

    // ---- steps

    /**
     * Executes a request.
     *
     * @param plan what goes wrong with the store, counted from the first step of this execution
     */
    void execute(int which, String payload, List<Fate> callFates, StoreFault then, @Nullable Trouble plan) {
        var request = request(which, payload);
        var key = operation.keyOf(request);
        var model = store.model(key);
        var met = Met.of(model, operation.fingerprintOf(request).digest(), store.now(key), policy);
        var expected = model == null ? null : model.result();
        var there = effects(request.id()).size();
        fates = callFates;
        afterwards = then;
        calls = 0;
        lastReply = null;
        if (plan != null) {
            process.plan(plan.after(process.calls()));
        }
        var troubled = plan != null || callFates.contains(Fate.SUCCEEDS_AND_THE_STORE_FAILS);
        String answer = null;
        Throwable failure = null;
        try {
            answer = operation.execute(request);
        } catch (RuntimeException | SimulatedCrash e) {
            failure = e;
        }
        process.plan(StoreFaultPlan.none());
        var what = request + ", met as " + met + " under " + policy + " with " + calls + " calls, ended with "
                + (failure == null ? answer : failure);
        require(calls == 0 || met.calls(), "nothing may be called: " + what);
        if (!(failure instanceof SimulatedCrash)) {
            require(calls > 0 || troubled || met != Met.FREE, "it must be called: " + what);
            check(request, met, expected, there, answer, failure, troubled, what);
        }
        checkAll();
    }

    private void check(
            Request request,
            Met met,
            @Nullable String expected,
            int there,
            @Nullable String answer,
            @Nullable Throwable failure,
            boolean troubled,
            String what) {
        var effects = effects(request.id());
        var life = lives.getOrDefault(request.id(), new Life());
        if (answer != null) {
            require(effects.size() == 1 && effects.get(0).effectId().equals(answer), "that is no effect: " + what);
            require(effects.get(0).payload().equals(request.payload()), "that is another's effect: " + what);
            require(
                    life.answer == null || life.answer.equals(answer),
                    "another answer was " + life.answer + ": " + what);
            require(life.decline == null, "it was declined before: " + what);
            life.answer = answer;
        } else if (failure instanceof DeclinedException declined) {
            require(effects.isEmpty() && life.answer == null, "it has happened: " + what);
            require(
                    life.decline == null || life.decline.equals(declined.reason()),
                    "it was declined with " + life.decline + ": " + what);
            life.decline = declined.reason();
        } else if (failure instanceof NotExecutedException) {
            require(effects.isEmpty() && life.answer == null, "it has happened: " + what);
        } else if (failure instanceof StoreException) {
            require(troubled, "the store did not fail: " + what);
            require(calls == 0, "something was sent: " + what);
        } else if (!(failure instanceof InDoubtException)) {
            require(
                    (failure instanceof MismatchException && met == Met.ANOTHER_PAYLOAD)
                            || (failure instanceof InFlightException && met == Met.IN_FLIGHT)
                            || (failure instanceof ResultUnavailableException && met == Met.EXPIRED),
                    "that is not what it met: " + what);
        }
        if (troubled) {
            return;
        }
        var right = switch (met) {
            case FREE ->
                lastReply != null
                        ? lastReply.equals(answer)
                        : answer != null
                                || failure instanceof DeclinedException
                                || failure instanceof NotExecutedException
                                || failure instanceof InDoubtException;
            case ANOTHER_PAYLOAD -> failure instanceof MismatchException;
            case IN_FLIGHT -> failure instanceof InFlightException;
            case EXPIRED -> failure instanceof ResultUnavailableException;
            case ANSWERED ->
                answer != null
                        ? ("RESULT:\"" + answer + "\"").equals(expected)
                        : failure instanceof DeclinedException declined
                                && ("DECLINED:" + declined.reason()).equals(expected);
            case IN_DOUBT_FOR_GOOD -> failure instanceof InDoubtException;
            case IN_DOUBT ->
                lastReply != null
                        ? lastReply.equals(answer)
                        : policy == Policy.NATIVE
                                || (there == 1
                                        ? answer != null
                                        : policy == Policy.SEAL || failure instanceof InDoubtException);
        };
        require(right, "that is not what it met: " + what);
    }

    void elapse(Duration pause) {
        clock.advance(pause);
        checkAll();
    }

    /** What has no caller goes on: outcomes that could not be recorded are offered again. */
    void goOn() {
        workers.goOn();
        checkAll();
    }

    void kill() {
        process.kill();
        checkAll();
    }

    void purge() {
        store.purge(KEYS);
        checkAll();
    }

    void override(int which, String payload) {
        var request = request(which, payload);
        var key = operation.keyOf(request);
        var model = store.model(key);
        var terminal = model != null && model.state().isTerminal();
        var now = store.now(key);
        var forgettable = model != null && WitnessedStore.isForgettable(model, now);
        var fingerprint = operation.fingerprintOf(request);
        var same = model != null && fingerprint.digest().equals(model.fingerprint());
        var closed = model != null && model.state() == State.CLOSED;
        var admin =
                Admin.builder(new StoreWithTrail(process)).retention(RETENTION).build();
        try {
            var review = admin.review(key);
            var version = review == null ? 1 : review.record().version();
            if (same && closed) {
                admin.reopen(key, version, ANN);
            } else {
                var wish = admin.requestOverride(key, version, fingerprint, ANN);
                admin.approveOverride(key, wish.id(), BOB);
            }
            require(
                    terminal && (!same || closed),
                    request + " was overridden in " + (model == null ? "no state" : model.state()));
        } catch (RefusedException e) {
            require(
                    e.reason() == RefusedException.Reason.SAME_PAYLOAD ? same : !terminal || forgettable,
                    request + " was not overridden: " + e);
        }
        checkAll();
    }

    private Request request(int which, String payload) {
        var id = "order-" + which + "-" + uses[which];
        var request = new Request(id, payload);
        if (policy.asksTheProvider()) {
            var key = operation.keyOf(request);
            var model = store.model(key);
            if (model != null && WitnessedStore.isForgettable(model, store.now(key))) {
                uses[which]++;
                return request(which, payload);
            }
        }
        return request;
    }

    // ---- checks

    private List<Effect> effects(String id) {
        var all = ledger.effectsOf(id);
        var life = lives.get(id);
        return life == null ? all : all.subList(life.effectsBefore, all.size());
    }

    private void checkAll() {
        if (process.isDead()) {
            start();
        }
        for (int which = 0; which < KEYS; which++) {
            var id = "order-" + which + "-" + uses[which];
            store.check(new IdempotencyKey(run, id));
            require(effects(id).size() <= 1, id + " happened twice: " + effects(id));
            var life = lives.get(id);
            var once = policy == Policy.HOLD || policy == Policy.LOOKUP;
            require(!once || life == null || life.sent <= 1, id + " was sent twice under " + policy);
        }
        require(store.violations().isEmpty(), store.violations().toString());
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    /** Says under which policy, and what the provider did. */
    @Override
    public String toString() {
        return "EngineScenario[" + policy + ", " + ledger.effects() + "]";
    }

    /** What goes wrong with the store: at one step, or from it on. */
    record Trouble(int nth, StoreFault fault, boolean once) {
        StoreFaultPlan after(int steps) {
            if (once) {
                return StoreFaultPlan.at(steps + nth, fault);
            }
            var faults = new StoreFault[steps + nth + 100];
            Arrays.fill(faults, 0, steps + nth - 1, StoreFault.NONE);
            Arrays.fill(faults, steps + nth - 1, faults.length, fault);
            return StoreFaultPlan.scripted(faults);
        }
    }

    /** What a request meets, by the reference. */
    private enum Met {
        FREE,
        ANOTHER_PAYLOAD,
        IN_FLIGHT,
        IN_DOUBT,
        IN_DOUBT_FOR_GOOD,
        ANSWERED,
        EXPIRED;

        /** Whether a call may be made. */
        boolean calls() {
            return this == FREE || this == IN_DOUBT;
        }

        static Met of(@Nullable ReferenceKeyModel model, String payload, Instant now, Policy policy) {
            if (model == null || WitnessedStore.isForgettable(model, now)) {
                return FREE;
            }
            var fingerprint = model.fingerprint();
            if (fingerprint != null && !fingerprint.equals(payload)) {
                return ANOTHER_PAYLOAD;
            }
            return switch (model.state()) {
                case OPEN -> FREE;
                case IN_FLIGHT -> now.isBefore(model.leaseUntil()) ? IN_FLIGHT : doubt(model, now, policy);
                case IN_DOUBT -> doubt(model, now, policy);
                case COMPLETED -> now.isBefore(model.expiresAt()) ? ANSWERED : EXPIRED;
                case CLOSED -> ANSWERED;
            };
        }

        private static Met doubt(ReferenceKeyModel model, Instant now, Policy policy) {
            var guard = PROFILE.resendWithin();
            var open = guard != null && now.isBefore(model.firstSentAt().plus(guard));
            return policy == Policy.HOLD || (policy == Policy.NATIVE && !open) ? IN_DOUBT_FOR_GOOD : IN_DOUBT;
        }
    }
}

package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Several processes with the real engine, a store, a network and a provider, in one thread and on virtual time. Everything
 * that happens follows from the seed.
 *
 * <p>What may go wrong: a process crashes between any two steps and starts again; it pauses; requests to the store are lost,
 * late, or written without a reply; the provider fails for a while, or its replies are lost; calls are refused, lost, slow, answered by nothing, by a 500 before or after the effect, or
 * by a reset while they are still on their way; lookups and seals fail; the store's clock jumps, ahead and back.
 *
 * <p>The provider is a harsh one: it counts a native key's window from the first request with it, whatever came of that.
 */
final class Simulation {
    /** What one simulated world is made of. Times are milliseconds. */
    record World(
            String name,
            Recovery<Request, String> recovery,
            ProviderBehavior provider,
            long longestPauseBeforeSend,
            long longestTransit,
            long clockError,
            Duration retention,
            Faults faults,
            boolean faulty) {
        World with(Faults wrong) {
            return new World(
                    name,
                    recovery,
                    provider,
                    longestPauseBeforeSend,
                    longestTransit,
                    clockError,
                    retention,
                    wrong,
                    true);
        }

        World recovering(Recovery<Request, String> otherwise) {
            return new World(
                    name,
                    otherwise,
                    provider,
                    longestPauseBeforeSend,
                    longestTransit,
                    clockError,
                    retention,
                    faults,
                    faulty);
        }

        World jumping(String how, long otherwise) {
            return new World(
                    name + ", " + how,
                    recovery,
                    provider,
                    longestPauseBeforeSend,
                    longestTransit,
                    otherwise,
                    retention,
                    faults,
                    faulty);
        }

        World keeping(String how, Duration otherwise) {
            return new World(
                    name + ", " + how,
                    recovery,
                    provider,
                    longestPauseBeforeSend,
                    longestTransit,
                    clockError,
                    otherwise,
                    faults,
                    faulty);
        }

        /** Whether keys are forgotten while their callers still come: then these make new writes. */
        boolean forgets() {
            return retention.toMillis() < HORIZON;
        }
    }

    /** What is wrong with the code in this world; nothing in a healthy one. */
    record Faults(
            Transitions machine,
            @Nullable TokenSource tokens,
            FailureClassifier failures,
            boolean frozenClock,
            boolean answersUnconfirmed,
            boolean repeatingTransport,
            boolean newNativeKeyEachTime,
            StoreFault store) {

        static final FailureClassifier HONEST = FailureClassifier.conservative()
                .on(ConnectException.class, FailureClass.NOT_SENT)
                .on(TooManyRequests.class, FailureClass.NOT_EXECUTED);

        static Faults none() {
            return new Faults(new StateMachine(), null, HONEST, false, false, false, false, (store, now) -> store);
        }

        Faults machine(Transitions value) {
            return new Faults(
                    value,
                    tokens,
                    failures,
                    frozenClock,
                    answersUnconfirmed,
                    repeatingTransport,
                    newNativeKeyEachTime,
                    store);
        }

        Faults tokens(TokenSource value) {
            return new Faults(
                    machine,
                    value,
                    failures,
                    frozenClock,
                    answersUnconfirmed,
                    repeatingTransport,
                    newNativeKeyEachTime,
                    store);
        }

        Faults failures(FailureClassifier value) {
            return new Faults(
                    machine,
                    tokens,
                    value,
                    frozenClock,
                    answersUnconfirmed,
                    repeatingTransport,
                    newNativeKeyEachTime,
                    store);
        }

        Faults withFrozenClock() {
            return new Faults(
                    machine,
                    tokens,
                    failures,
                    true,
                    answersUnconfirmed,
                    repeatingTransport,
                    newNativeKeyEachTime,
                    store);
        }

        Faults answeringUnconfirmed() {
            return new Faults(
                    machine, tokens, failures, frozenClock, true, repeatingTransport, newNativeKeyEachTime, store);
        }

        Faults withRepeatingTransport() {
            return new Faults(
                    machine, tokens, failures, frozenClock, answersUnconfirmed, true, newNativeKeyEachTime, store);
        }

        Faults withNewNativeKeyEachTime() {
            return new Faults(
                    machine, tokens, failures, frozenClock, answersUnconfirmed, repeatingTransport, true, store);
        }

        Faults store(StoreFault value) {
            return new Faults(
                    machine,
                    tokens,
                    failures,
                    frozenClock,
                    answersUnconfirmed,
                    repeatingTransport,
                    newNativeKeyEachTime,
                    value);
        }
    }

    interface TokenSource {
        AttemptToken next(int process, int drawn);
    }

    interface StoreFault {
        TransactionalStore<SimulatedStore.Transaction> around(SimulatedStore store, Supplier<Instant> now);
    }

    record Request(String order, String payload) {}

    /** The provider documents that it executes nothing then. */
    private static final class TooManyRequests extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** What came out. */
    record Outcome(
            @Nullable String violation,
            List<String> trace,
            Map<IdempotencyEvent.Type, Integer> events,
            Set<String> cells,
            int effects,
            int answers) {}

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final HexFormat HEX = HexFormat.of();
    private static final long LEASE = 10_000;
    private static final long FAULTS_END = 90_000;
    private static final long LAST_RETRY = 270_000;
    private static final long HORIZON = 1_800_000;
    /** Several times as many as the longest right run takes: a process that goes round in circles gets no further. */
    private static final int MOST_STEPS = 10_000;

    private final class Process {
        final int number;
        int life;
        long pausedUntil;

        Process(int number) {
            this.number = number;
        }
    }

    private static final class Caller {
        final Process process;
        final Request request;
        final List<String> answers = new ArrayList<>();
        boolean running;
        boolean settled;

        Caller(Process process, Request request) {
            this.process = process;
            this.request = request;
        }
    }

    private record Task(long at, long order, @Nullable Process process, int life, boolean mayPause, Runnable action) {}

    private final World world;
    private final OperationSpec<Request, String> spec;
    private final boolean livenessMode;
    private final SplittableRandom random;
    private final PriorityQueue<Task> queue =
            new PriorityQueue<>(Comparator.comparingLong(Task::at).thenComparingLong(Task::order));
    private final List<String> trace = new ArrayList<>();
    private final boolean tracing;
    private final Map<IdempotencyEvent.Type, Integer> events = new EnumMap<>(IdempotencyEvent.Type.class);
    private final Set<String> cells = new TreeSet<>();
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider;
    private final SimulatedStore records;
    private final TransactionalStore<SimulatedStore.Transaction> store;
    private final List<Caller> callers = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();
    private final Set<AttemptToken> sentTokens = new HashSet<>();
    /** Of calls that the provider refused: they did nothing, and are free to be told anything that is true. */
    private final Set<AttemptToken> refusedTokens = new HashSet<>();

    /** Which write a request to the provider belongs to: a generation of a record, which may be a second one of its key. */
    private final Map<String, String> writeOf = new HashMap<>();

    private final Map<String, Fingerprint> fingerprints;
    private final IdempotencyKey key;
    private final int storeFaultPercent;
    private final int callFaultPercent;
    private final int stepFaultPercent;
    private final int crashes;
    private final int pauses;
    private final int jumps;
    /** While it lasts, all requests fare alike. */
    private final long outageFrom;

    private final long outageUntil;
    private final int outage;

    private long now;
    private long clockAhead;
    private boolean hasJumped;
    private long order;
    private int requests;
    private int drawn;
    private @Nullable String violation;

    Simulation(World world, Operation<Request, String> operation, long seed, boolean livenessMode, boolean tracing) {
        this(world, operation, seed, livenessMode, tracing, clock -> null);
    }

    /** A simulation on a real store. */
    Simulation(
            World world,
            Operation<Request, String> operation,
            long seed,
            boolean livenessMode,
            boolean tracing,
            Function<InstantSource, @Nullable IdempotencyStore> real) {
        this.world = world;
        this.spec = operation.spec;
        this.livenessMode = livenessMode;
        this.tracing = tracing;
        this.random = new SplittableRandom(seed);
        this.provider = new SimulatedProvider(world.provider(), ledger, this::instant);
        this.records =
                new SimulatedStore(this::storeInstant, this::violated, ledger::append, real.apply(this::storeInstant));
        this.store = world.faults().store().around(records, this::storeInstant);
        this.key = new IdempotencyKey("charge", "order");
        this.fingerprints = Map.of("A", new Fingerprint("test", "a"), "B", new Fingerprint("test", "b"));
        int[] rates = {0, 5, 15, 40};
        storeFaultPercent = rates[random.nextInt(rates.length)];
        callFaultPercent = rates[1 + random.nextInt(rates.length - 1)];
        stepFaultPercent = random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0;
        crashes = random.nextInt(4);
        pauses = random.nextInt(4);
        jumps = random.nextInt(4);
        outageFrom = random.nextLong(20_000);
        outageUntil = random.nextBoolean() ? 0 : outageFrom + random.nextLong(60_000);
        outage = new int[] {3, 6, 7}[random.nextInt(3)];
    }

    /** The operation whose settings a world runs with. */
    static Operation<Request, String> operation(World world) {
        var store = new SimulatedStore(() -> START, problem -> {}, effect -> {});
        var builder = Idempotency.on(store)
                .operation("charge", Request.class, String.class)
                .key(Request::order)
                .failures(world.faults().failures())
                .lease(Duration.ofMillis(LEASE))
                .retention(world.retention())
                .acceptDuplicates("a faulty world may have such settings")
                .waitAtMost(Duration.ofSeconds(12))
                .callTimeout(Duration.ofSeconds(100));
        if (world.recovery().terms().policy() == RecoveryTerms.Policy.SAME_TRANSACTION) {
            return builder.callingInTransactionOf(store, (request, attempt, transaction) -> {
                throw simulated();
            });
        }
        return builder.recovery(world.recovery()).calling((request, attempt) -> {
            throw simulated();
        });
    }

    private static IllegalStateException simulated() {
        return new IllegalStateException("the simulation makes the calls");
    }

    Outcome run() {
        int processCount = 2 + random.nextInt(2);
        for (int i = 0; i < processCount; i++) {
            processes.add(new Process(i + 1));
        }
        int callerCount = 2 + random.nextInt(3);
        for (int i = 0; i < callerCount; i++) {
            var caller = new Caller(
                    processes.get(random.nextInt(processCount)),
                    new Request("order", random.nextInt(10) == 0 ? "B" : "A"));
            callers.add(caller);
            at(random.nextLong(20_000), caller.process, true, () -> call(caller));
        }
        for (int i = 0; i < crashes; i++) {
            Process process = processes.get(random.nextInt(processCount));
            at(random.nextLong(FAULTS_END), null, false, () -> crash(process));
        }
        for (int i = 0; i < pauses; i++) {
            Process process = processes.get(random.nextInt(processCount));
            at(random.nextLong(FAULTS_END), null, false, () -> pause(process));
        }
        for (int i = 0; i < jumps; i++) {
            at(random.nextLong(FAULTS_END), null, false, this::jump);
        }
        if (world.faulty() || random.nextInt(4) == 0) {
            at(20_000 + random.nextLong(60_000), null, false, this::override);
        }
        int steps = 0;
        while (!queue.isEmpty() && violation == null && now < HORIZON) {
            Task task = queue.remove();
            if (++steps > MOST_STEPS) {
                violated("I8: no end after " + MOST_STEPS + " steps");
                break;
            }
            now = Math.max(now, task.at());
            Process process = task.process();
            if (process == null) {
                task.action().run();
            } else if (process.life == task.life()) {
                if (process.pausedUntil > now && task.mayPause()) {
                    queue.add(new Task(process.pausedUntil, order++, process, task.life(), true, task.action()));
                } else {
                    task.action().run();
                }
            }
        }
        if (violation == null) {
            checkEnd();
        }
        return new Outcome(
                violation,
                trace,
                events,
                cells,
                ledger.count(),
                callers.stream().mapToInt(caller -> caller.answers.size()).sum());
    }

    // ---- callers

    private void call(Caller caller) {
        if (caller.settled || caller.running) {
            return;
        }
        caller.running = true;
        Process process = caller.process;
        var drawnTokens = new HashSet<AttemptToken>();
        boolean[] sent = {false};
        long[] effectsBefore = {0};
        var ports = new Ports(
                () -> world.faults().frozenClock() ? 0 : now * 1_000_000,
                () -> {
                    AttemptToken token = token(process);
                    drawnTokens.add(token);
                    return token;
                },
                this::decide,
                tries -> Math.min(2_000, 50L << Math.min(tries, 6)),
                lease -> keep(process, lease),
                event -> {
                    events.merge(event.type(), 1, Integer::sum);
                    sent[0] |= event.type() == IdempotencyEvent.Type.IN_DOUBT
                            || event.type() == IdempotencyEvent.Type.COMPLETED;
                    // With the key, earlier transactions of the run have lost their chance to be committed.
                    sent[0] &= spec.sameTransaction() == null
                            || (event.type() != IdempotencyEvent.Type.REEXECUTED
                                    && event.type() != IdempotencyEvent.Type.TAKEN_OVER);
                    if (event.type() == IdempotencyEvent.Type.CALLING) {
                        effectsBefore[0] = effectsOf(event.generation());
                    }
                    trace("P" + process.number + " " + event.type() + " " + event.detail());
                });
        var execution = new Execution<>(spec, ports, caller.request, key, fingerprints.get(caller.request.payload()));
        advance(process, execution, execution.start(), answer -> {
            caller.running = false;
            answered(caller, answer, drawnTokens, sent, effectsBefore[0]);
        });
    }

    private Decision decide(@Nullable IdempotencyRecord record, Event event, Instant at) {
        if (tracing) {
            cells.add(StateMachine.rule(record, event, at) + "@" + (record == null ? "NONE" : record.state()));
        }
        return world.faults().machine().decide(record, event, at);
    }

    private AttemptToken token(Process process) {
        TokenSource source = world.faults().tokens();
        return source != null
                ? source.next(process.number, ++drawn)
                : new AttemptToken(HEX.toHexDigits(random.nextLong()) + HEX.toHexDigits(random.nextLong()));
    }

    private long effectsOf(int generation) {
        IdempotencyRecord standing = records.record(key);
        return standing == null
                ? 0
                : ledger.effects().stream()
                        .filter(effect -> writeOf.get(effect.requestId()).equals(write(standing, generation)))
                        .count();
    }

    private String write(IdempotencyRecord record) {
        return write(record, record.generation());
    }

    private String write(IdempotencyRecord record, int generation) {
        return (world.forgets() ? record.times().createdAt() + " " : "") + "generation " + generation;
    }

    private void answered(
            Caller caller, Answer<String> answer, Set<AttemptToken> drawnTokens, boolean[] sent, long effectsBefore) {
        String said;
        if (answer.failure() == null) {
            said = answer.get();
            caller.settled = true;
            caller.answers.add(said);
            IdempotencyRecord record = records.record(key);
            if (record == null || records.completed().stream().noneMatch(done -> said.equals(decoded(done)))) {
                violated("I5: an answer was given before the record was confirmed");
            }
        } else {
            RuntimeException failure = answer.failure().get();
            said = failure.getClass().getSimpleName();
            if (failure instanceof StoreException && sent[0]) {
                violated("I2: a run that had sent its call was told that nothing was sent");
            }
            if (failure instanceof NotExecutedException notExecuted && !notExecuted.isClosed() && effectsBefore > 0) {
                violated("I2: a run was told that nothing was executed of a key that had its effect");
            }
            boolean refused = failure instanceof MismatchException;
            IdempotencyRecord standing = records.record(key);
            boolean reached = drawnTokens.stream()
                    .anyMatch(token -> sentTokens.contains(token) && !refusedTokens.contains(token));
            if (refused && reached && !world.forgets() && (standing == null || standing.generation() == 1)) {
                violated("I9: a run sent its call, and was then told that the key belongs to another payload");
            }
            caller.settled = refused
                    || failure instanceof NotExecutedException notExecuted && notExecuted.isClosed()
                    || failure instanceof DeclinedException;
            if (!caller.settled && now < LAST_RETRY) {
                long later = random.nextInt(8) == 0 ? 60_000 : 8_000;
                at(1 + random.nextLong(later), caller.process, true, () -> call(caller));
            }
        }
        trace("P" + caller.process.number + " answers " + said);
    }

    private static @Nullable String decoded(IdempotencyRecord record) {
        return record.result() == null ? null : new String(record.result().bytes()).replace("\"", "");
    }

    // ---- steps

    private interface End<R> {
        void with(R answer);
    }

    private <R> void advance(Process process, Execution<Request, String> execution, Step<R> step, End<R> end) {
        if (step instanceof Step.Done<R> done) {
            if (done.afterwards() != null) {
                advanceAfterwards(process, execution, done.afterwards());
            }
            end.with(done.answer());
        } else if (step instanceof Step.Pause<R> pause) {
            at(
                    Math.max(1, pause.duration().toMillis()),
                    process,
                    true,
                    () -> advance(process, execution, pause.then().get(), end));
        } else if (step instanceof Step.Ask<R> ask) {
            ask(
                    process,
                    ask.request(),
                    reply -> advance(process, execution, ask.then().apply(reply), end));
        } else if (step instanceof Step.Call<R> call) {
            send(
                    process,
                    execution.request(),
                    call.attempt(),
                    outcome -> advance(process, execution, call.then().apply(outcome), end));
        } else if (step instanceof Step.Transact<R> transact) {
            begin(
                    process,
                    execution.request(),
                    transact.attempt(),
                    transact.recording(),
                    ending -> advance(process, execution, transact.then().apply(ending), end));
        } else if (step instanceof Step.Investigate<R> ask) {
            investigate(
                    process,
                    ask.attempt(),
                    ask.seal(),
                    outcome -> advance(process, execution, ask.then().apply(outcome), end));
        }
    }

    private <R> void advanceAfterwards(Process process, Execution<Request, String> execution, Step<R> step) {
        advance(process, execution, step, nothing -> {});
    }

    private interface Hears<T> {
        void hear(T what);
    }

    private void ask(Process process, Step.Request request, Hears<Step.Reply> hears) {
        boolean faulty = percent(storeFaultPercent);
        int kind = faulty ? random.nextInt(4) : -1;
        var ambiguous = new Step.Reply(null, new StoreException("no reply", true, null));
        if (kind == 0) {
            trace("P" + process.number + " " + request.name() + ": not written");
            at(
                    delay(),
                    process,
                    true,
                    () -> hears.hear(new Step.Reply(null, new StoreException("refused", false, null))));
            return;
        }
        if (kind == 1) {
            trace("P" + process.number + " " + request.name() + ": lost");
            unconfirmed(process, request, hears, ambiguous);
            return;
        }
        long transit = kind == 2 ? 500 + random.nextLong(20_000) : delay();
        if (kind == 2) {
            trace("P" + process.number + " " + request.name() + ": late by " + transit);
            at(400, process, true, () -> hears.hear(ambiguous));
        }
        at(transit, null, false, () -> arriveAtStore(process, request, hears, ambiguous, kind));
    }

    private void arriveAtStore(
            Process process, Step.Request request, Hears<Step.Reply> hears, Step.Reply ambiguous, int kind) {
        Snapshot snapshot;
        try {
            snapshot = request.run().apply(store);
        } catch (SimulatedStore.RowLocked e) {
            at(50, null, false, () -> arriveAtStore(process, request, hears, ambiguous, kind));
            return;
        }
        trace("store " + request.name() + " of P" + process.number + " -> "
                + (snapshot.applied() ? "applied " : "not applied ")
                + (snapshot.record() == null
                        ? "nothing"
                        : snapshot.record().state() + " attempt "
                                + snapshot.record().attempt()));
        if (kind == 3) {
            trace("P" + process.number + " " + request.name() + ": reply lost");
            unconfirmed(process, request, hears, ambiguous);
        } else if (kind != 2) {
            at(delay(), process, true, () -> hears.hear(new Step.Reply(snapshot, null)));
            maybeStop(process);
        }
    }

    private void unconfirmed(Process process, Step.Request request, Hears<Step.Reply> hears, Step.Reply ambiguous) {
        if (world.faults().answersUnconfirmed() && request.name().equals("complete")) {
            IdempotencyRecord standing = records.record(key);
            if (standing != null) {
                at(
                        delay(),
                        process,
                        true,
                        () -> hears.hear(new Step.Reply(new Snapshot(true, standing, instant()), null)));
                return;
            }
        }
        at(400, process, true, () -> hears.hear(ambiguous));
    }

    private void keep(Process process, Lease lease) {
        at(LEASE / 3, process, true, () -> renew(process, lease, lease.renew()));
    }

    private void renew(Process process, Lease lease, Step<Boolean> step) {
        if (step instanceof Step.Ask<Boolean> ask) {
            ask(
                    process,
                    ask.request(),
                    reply -> renew(process, lease, ask.then().apply(reply)));
        } else if (step instanceof Step.Done<Boolean> done && done.answer()) {
            keep(process, lease);
        }
    }

    /** The check has just been passed; between it and the end of the transaction any time may pass. */
    private void begin(
            Process process,
            Request request,
            RunningAttempt attempt,
            Step.Recording recording,
            Hears<Step.Ending> hears) {
        IdempotencyRecord checked = records.record(key);
        if ((checked == null || !checked.token().equals(attempt.record().token())) && !hasJumped) {
            violated("I6: a call passed its check under a token that was not current");
        }
        long duration = random.nextInt(3) > 0 ? delay() : random.nextLong(faultsOver() ? 2_000 : 40_000);
        at(duration, process, true, () -> transact(process, request, attempt, recording, hears));
    }

    /** The effect, the record and the commit, or what becomes of it. */
    private void transact(
            Process process,
            Request request,
            RunningAttempt attempt,
            Step.Recording recording,
            Hears<Step.Ending> hears) {
        if (records.isLocked()) {
            at(50, process, true, () -> transact(process, request, attempt, recording, hears));
            return;
        }
        int kind = percent(callFaultPercent) ? random.nextInt(5) : -1;
        trace("P" + process.number + " calls in a transaction, attempt " + attempt.number()
                + (kind < 0 ? "" : " with fault " + kind));
        Operation.TransactionalCall<Request, String, SimulatedStore.Transaction> call = (asked, by, transaction) -> {
            String id = "request-" + ++requests;
            writeOf.put(id, write(attempt.record()));
            transaction.write(new Effect("tx-" + id, by.nativeKey(), asked.order(), asked.payload(), instant(), id));
            if (kind == 0) {
                throw new IOException("constraint violated");
            }
            return "tx-" + id;
        };
        records.committing(transaction -> commit(transaction, kind));
        var ending = new SameTransaction<>(store, call).run(request, attempt, recording);
        trace("P" + process.number + " " + ending.how());
        at(ending.how() == Step.Ending.How.UNKNOWN ? 400 : delay(), process, true, () -> hears.hear(ending));
        maybeStop(process);
    }

    private void commit(SimulatedStore.Transaction transaction, int kind) {
        switch (kind) {
            case 1 -> {
                records.rollBack(transaction);
                throw new StoreException("refused", false, null);
            }
            case 2 -> {
                records.rollBack(transaction);
                throw new StoreException("lost", true, null);
            }
            case 3 -> {
                records.commit(transaction);
                throw new StoreException("reply lost", true, null);
            }
            case 4 -> {
                // The server has it still, and its lock, when the client has given up.
                boolean commits = random.nextBoolean();
                at(random.nextLong(20_000), null, false, () -> {
                    trace("store " + (commits ? "commits" : "rolls back") + " late");
                    if (commits) {
                        records.commit(transaction);
                    } else {
                        records.rollBack(transaction);
                    }
                });
                throw new StoreException("no reply", true, null);
            }
            default -> records.commit(transaction);
        }
    }

    /** The check has just been passed; between it and the first byte lies at most the longest pause. */
    private void send(Process process, Request request, RunningAttempt attempt, Hears<Step.Outcome> hears) {
        // As a call does that is about to send it.
        attempt.nativeKey();
        IdempotencyRecord checked = records.record(key);
        AttemptToken token = attempt.record().token();
        boolean isCurrent = checked != null && checked.token().equals(token) && checked.state() == State.IN_FLIGHT;
        // A clock that has jumped ahead ends the lease before its owner can know.
        if (!isCurrent && !hasJumped) {
            violated("I6: a call passed its check under a token that was not current");
        }
        if (percent(callFaultPercent) && random.nextInt(4) == 0) {
            at(delay(), process, true, () -> hears.hear(new Step.Outcome(null, new ConnectException("refused"))));
            return;
        }
        long pause = faultsOver() || random.nextInt(3) > 0 ? delay() : upTo(world.longestPauseBeforeSend());
        at(
                Math.min(pause, world.longestPauseBeforeSend()),
                process,
                false,
                () -> transmit(process, request, attempt, hears));
    }

    private void transmit(Process process, Request request, RunningAttempt attempt, Hears<Step.Outcome> hears) {
        if (!sentTokens.add(attempt.record().token()) && world.faults().tokens() == null) {
            violated("I6: two calls were sent under one token");
        }
        boolean faulty = percent(callFaultPercent);
        boolean isOut = now >= outageFrom && now < outageUntil;
        int kind = isOut ? outage : faulty ? random.nextInt(8) : -1;
        boolean[] heard = {false};
        Hears<Step.Outcome> once = outcome -> {
            if (!heard[0]) {
                heard[0] = true;
                hears.hear(outcome);
            }
        };
        trace("P" + process.number + " sends attempt " + attempt.number() + (faulty ? " with fault " + kind : ""));
        long timeout = 500 + random.nextLong(random.nextInt(4) == 0 ? 40_000 : 4_000);
        at(timeout, process, true, () -> once.hear(new Step.Outcome(null, new HttpTimeoutException("timed out"))));
        if (kind == 0) {
            return; // lost on its way
        }
        if (kind == 1) {
            at(delay(), process, true, () -> once.hear(new Step.Outcome(null, new IOException("reset"))));
        }
        int copies = world.faults().repeatingTransport() && faulty ? 2 : 1;
        for (int copy = 0; copy < copies; copy++) {
            long transit =
                    kind == 2 || kind == 1 ? upTo(world.longestTransit()) : Math.min(delay(), world.longestTransit());
            at(transit, null, false, () -> arrive(process, request, attempt, kind, once));
        }
    }

    private void arrive(Process process, Request request, RunningAttempt attempt, int kind, Hears<Step.Outcome> hears) {
        String nativeKey =
                world.faults().newNativeKeyEachTime() ? attempt.nativeKey() + "-" + requests : attempt.nativeKey();
        String id = "request-" + ++requests;
        writeOf.put(id, write(attempt.record()));
        var submission = new Submission(id, nativeKey, request.order(), request.payload());
        boolean takenInOnly = kind == 6 || kind == 7;
        Reply reply = takenInOnly ? provider.refuse(submission) : provider.submit(submission);
        trace("provider: attempt " + attempt.number() + " of P" + process.number + " -> "
                + reply.getClass().getSimpleName());
        if (kind == 3) {
            return; // no answer ever
        }
        Step.Outcome outcome;
        if (kind == 6 && reply instanceof Reply.RateLimited) {
            refusedTokens.add(attempt.record().token());
            outcome = new Step.Outcome(null, new TooManyRequests());
        } else if (kind == 4 || kind == 7) {
            outcome = new Step.Outcome(null, new HttpFailures.StatusException(500));
        } else if (reply instanceof Reply.Created created) {
            outcome = new Step.Outcome(result(created.effect()), null);
        } else if (reply instanceof Reply.Replayed replayed) {
            outcome = new Step.Outcome(result(replayed.effect()), null);
        } else {
            outcome = new Step.Outcome(null, new HttpFailures.StatusException(409));
        }
        long slow = kind == 5 ? random.nextLong(45_000) : delay();
        at(slow, process, true, () -> hears.hear(outcome));
        maybeStop(process);
    }

    private static String result(Effect effect) {
        return effect.effectId();
    }

    private void investigate(Process process, RunningAttempt attempt, boolean seal, Hears<Step.Outcome> hears) {
        if (percent(callFaultPercent) && random.nextInt(2) == 0) {
            at(delay(), process, true, () -> hears.hear(new Step.Outcome(null, new IOException("no answer"))));
            return;
        }
        at(delay(), null, false, () -> {
            Finding<String> finding = seal ? sealed(attempt) : lookedUp(attempt);
            trace("provider: " + (seal ? "seal" : "lookup") + " for P" + process.number + " -> " + finding);
            if (seal && percent(callFaultPercent)) {
                at(delay(), process, true, () -> hears.hear(new Step.Outcome(null, new IOException("answer lost"))));
            } else {
                at(delay(), process, true, () -> hears.hear(new Step.Outcome(finding, null)));
            }
        });
    }

    private Finding<String> lookedUp(RunningAttempt attempt) {
        List<Effect> effects = provider.lookupByKey(attempt.nativeKey());
        return effects.isEmpty() ? Finding.missing() : Finding.found(result(effects.get(0)));
    }

    private Finding<String> sealed(RunningAttempt attempt) {
        return provider.seal(attempt.nativeKey()) instanceof SealAnswer.Found found
                ? Finding.found(result(found.effect()))
                : Finding.missing();
    }

    // ---- what goes wrong, and who decides

    private void crash(Process process) {
        trace("P" + process.number + " crashes");
        process.life++;
        process.pausedUntil = 0;
        for (Caller caller : callers) {
            if (caller.process == process) {
                caller.running = false;
                at(1 + random.nextLong(15_000), process, true, () -> call(caller));
            }
        }
    }

    private void pause(Process process) {
        process.pausedUntil = now + random.nextLong(random.nextBoolean() ? 40_000 : 4_000);
        trace("P" + process.number + " pauses until " + process.pausedUntil);
    }

    /** The store's clock is anywhere between right and as far ahead as it may be: it jumps by no more than that. */
    private void jump() {
        if (!faultsOver()) {
            hasJumped = true;
            clockAhead = random.nextBoolean() ? 0 : upTo(world.clockError());
            trace("the store's clock is now ahead by " + clockAhead);
        }
    }

    /** Dies, or stands still, exactly between two steps. */
    private void maybeStop(Process process) {
        if (percent(stepFaultPercent)) {
            if (random.nextInt(3) == 0) {
                crash(process);
            } else {
                pause(process);
            }
        }
    }

    /** Two people let payload B take over a settled key. */
    private void override() {
        IdempotencyRecord reviewed = records.record(key);
        if (reviewed == null) {
            return;
        }
        Fingerprint other = fingerprints.get("B");
        if (other.equals(reviewed.fingerprint())) {
            return;
        }
        at(random.nextLong(5_000), null, false, () -> {
            IdempotencyRecord standing = records.record(key);
            Decision decision = decide(
                    standing,
                    new Event.Overrule(reviewed.version(), reviewed.token(), other, "two people", "test", spec.spans()),
                    storeInstant());
            if (standing != null && decision.verdict() == Decision.Verdict.CHANGE) {
                trace("people override");
                records.replace(standing, decision.toWrite());
                var caller = new Caller(processes.get(0), new Request("order", "B"));
                callers.add(caller);
                at(delay(), caller.process, true, () -> call(caller));
            }
        });
    }

    private boolean faultsOver() {
        return livenessMode && now > FAULTS_END;
    }

    private boolean percent(int chance) {
        return !faultsOver() && random.nextInt(100) < chance;
    }

    /** Often the most: what is wrong shows itself at the edge. */
    private long upTo(long most) {
        return random.nextInt(3) == 0 ? most : random.nextLong(most + 1);
    }

    private long delay() {
        return 1 + (random.nextInt(10) == 0 ? random.nextLong(300) : random.nextLong(20));
    }

    private Instant instant() {
        return START.plusMillis(now);
    }

    private Instant storeInstant() {
        return START.plusMillis(now + clockAhead);
    }

    private void at(long delay, @Nullable Process process, boolean mayPause, Runnable action) {
        queue.add(new Task(now + delay, order++, process, process == null ? 0 : process.life, mayPause, action));
    }

    private void trace(String line) {
        if (tracing) {
            trace.add(String.format("%7d %s", now, line));
        }
    }

    /** A faulty variant must be found by what it did to the world, not by how. */
    private void violated(String what) {
        boolean inside = what.startsWith("I6") || what.startsWith("I7") || what.startsWith("I12");
        if (violation == null && !(inside && world.faulty())) {
            violation = what;
            trace("VIOLATION " + what);
        }
    }

    // ---- invariants

    private void checkEnd() {
        IdempotencyRecord record = records.record(key);
        Map<String, List<Effect>> byGeneration = new HashMap<>();
        for (Effect effect : ledger.effects()) {
            byGeneration
                    .computeIfAbsent(writeOf.get(effect.requestId()), g -> new ArrayList<>())
                    .add(effect);
        }
        byGeneration.forEach((generation, effects) -> {
            if (effects.size() > 1) {
                violated("I1: " + effects.size() + " effects in " + generation);
            }
        });
        byGeneration.forEach((generation, effects) -> {
            if (effects.stream().map(Effect::payload).distinct().count() > 1) {
                violated("I9: two payloads in " + generation);
            }
        });
        Map<String, String> payloadOf = new HashMap<>();
        Map<String, String> writeOfEffect = new HashMap<>();
        ledger.effects().forEach(effect -> {
            payloadOf.put(effect.effectId(), effect.payload());
            writeOfEffect.put(effect.effectId(), writeOf.get(effect.requestId()));
        });
        for (Caller caller : callers) {
            for (String answer : caller.answers) {
                if (!caller.request.payload().equals(payloadOf.get(answer))) {
                    violated("I2: answer " + answer + " names no effect of its payload");
                }
            }
        }
        for (IdempotencyRecord done : records.completed()) {
            List<Effect> effects = byGeneration.getOrDefault(write(done), List.of());
            if (effects.stream().noneMatch(effect -> result(effect).equals(decoded(done)))) {
                violated("I3: a completed record names no effect of its generation");
            }
        }
        if (record != null && record.state() == State.CLOSED && byGeneration.containsKey(write(record))) {
            violated("I3: a closed key has an effect");
        }
        var answersByPayload = new HashMap<String, Set<String>>();
        for (Caller caller : callers) {
            for (String answer : caller.answers) {
                // After its time, a key that is used again is a new write with an answer of its own.
                String write = world.forgets() ? " by " + writeOfEffect.get(answer) : "";
                answersByPayload
                        .computeIfAbsent(caller.request.payload() + write, p -> new HashSet<>())
                        .add(answer);
            }
        }
        answersByPayload.forEach((payload, answers) -> {
            if (answers.size() > 1) {
                violated("I4: callers were told " + answers);
            }
        });
        for (Caller caller : callers) {
            if (caller.running) {
                violated("I10: a caller was left waiting");
            }
        }
        if (livenessMode) {
            checkResolved(record);
        }
        for (IdempotencyEvent.Type type : events.keySet()) {
            // The late answer of a write that has been forgotten is one that nobody expects.
            if (type.isAlarm() && !world.forgets()) {
                violated("I12: alarm " + type + " without a broken precondition");
            }
        }
    }

    private void checkResolved(@Nullable IdempotencyRecord record) {
        boolean allSettled = callers.stream().allMatch(caller -> caller.settled);
        if (record != null && record.state() == State.IN_DOUBT) {
            boolean mayStay = record.terms().whenMissing() == RecoveryTerms.WhenMissing.HOLD;
            if (!mayStay) {
                violated("I8: the key is still in doubt");
            } else if (!store.listUnresolved(null, 10).contains(record)) {
                violated("I8: a key in doubt is not listed");
            }
        } else if (record != null && record.state() == State.IN_FLIGHT) {
            violated("I8: the key is still in flight");
        } else if (!allSettled) {
            violated("I8: a caller has no answer although the key is settled");
        }
    }
}

package dev.idempotency.testkit.app;

import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.SimulatedCrash;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.app.Program.Fate;
import dev.idempotency.testkit.app.Program.Step;
import dev.idempotency.testkit.app.Program.Trouble;
import dev.idempotency.testkit.app.WorldTime.AppLife;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One application, its processes, their store and their provider, under one program. Single-threaded, deterministic. */
final class World<I, O> {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration MOMENT = Duration.ofMillis(50);
    private static final Duration PATIENCE_OF_THE_CLIENT = Duration.ofSeconds(5);
    private static final List<Duration> CALM =
            List.of(Duration.ofMinutes(2), Duration.ofMinutes(20), Duration.ofHours(2));
    /** With one of these an attempt is over. */
    private static final Set<IdempotencyEvent.Type> ENDS = EnumSet.of(
            IdempotencyEvent.Type.RETRIED,
            IdempotencyEvent.Type.COMPLETED,
            IdempotencyEvent.Type.DECLINED,
            IdempotencyEvent.Type.RELEASED,
            IdempotencyEvent.Type.IN_DOUBT,
            IdempotencyEvent.Type.LATE_RESULT,
            IdempotencyEvent.Type.SUPERSEDED,
            IdempotencyEvent.Type.ORPHAN,
            IdempotencyEvent.Type.CONFLICT,
            IdempotencyEvent.Type.CONTRADICTION,
            IdempotencyEvent.Type.DUPLICATE);

    /** One execution of a request by a process. */
    private static final class Run {
        final int process;
        final int request;
        final Deque<Fate> fates;
        final List<Sent> sent = new ArrayList<>();
        int failingLookups;
        boolean calling;
        int sends;

        Run(int process, int request, List<Fate> fates, int failingLookups) {
            this.process = process;
            this.request = request;
            this.fates = new ArrayDeque<>(fates);
            this.failingLookups = failingLookups;
        }
    }

    /** One request that was sent, perhaps without arriving. */
    private static final class Sent {
        final int request;
        final String id;
        final @Nullable String nativeKey;
        final Instant at;
        /** How many things had happened by then. */
        final int happened;

        String outcome = "was under way";

        Sent(int request, String id, @Nullable String nativeKey, Instant at, int happened) {
            this.request = request;
            this.id = id;
            this.nativeKey = nativeKey;
            this.at = at;
            this.happened = happened;
        }
    }

    private record Happened(Instant at, int request, IdempotencyEvent.Type type) {}

    /** A question to the provider; what it showed is null if it did not answer. */
    private record Asked(Instant at, int request, @Nullable List<Effect> shown) {}

    private final App<I, O> app;
    private final Program<I> program;
    private final WorldTime time = new WorldTime(START);
    private final ReferenceStore store = new ReferenceStore(time.clock);
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider;

    private final AppProcess[] processes = new AppProcess[Program.PROCESSES];
    private final AppLife[] lives = new AppLife[Program.PROCESSES];
    private final List<Operation<I, O>> operations = new ArrayList<>();
    private final Deque<Run> running = new ArrayDeque<>();
    private final Map<IdempotencyKey, Integer> requestOfKey = new HashMap<>();

    private final List<String> trace = new ArrayList<>();
    private final Map<String, Sent> sent = new HashMap<>();
    private final List<Happened> happened = new ArrayList<>();
    private final List<Asked> asked = new ArrayList<>();
    private final Map<Integer, Effect> answered = new HashMap<>();
    private boolean calm;
    private boolean listening;
    private boolean declines;
    private @Nullable AssertionError found;

    World(App<I, O> app, Program<I> program) {
        this.app = app;
        this.program = program;
        provider = new SimulatedProvider(app.provider(), ledger, time.clock, submission -> declines);
        for (int i = 0; i < Program.PROCESSES; i++) {
            operations.add(null);
            start(i);
        }
    }

    private void start(int number) {
        var life = new AppLife();
        var process = new AppProcess(
                "process " + number,
                new FaultInjectingStore(store, StoreFaultPlan.none()),
                time.clock,
                new ProcessThreads(time, life),
                new Wire(number),
                event -> heard(number, event));
        lives[number] = life;
        processes[number] = process;
        operations.set(number, app.start(process));
    }

    private Operation<I, O> alive(int number) {
        if (processes[number].way().isDead()) {
            kill(number);
            trace("process " + number + " starts again");
            start(number);
        }
        return operations.get(number);
    }

    private void kill(int number) {
        processes[number].way().kill();
        lives[number].dead = true;
    }

    List<String> run() {
        checkKeys();
        for (Step step : program.steps()) {
            if (step instanceof Step.Execute execute) {
                execute(
                        new Run(execute.process(), execute.request(), execute.fates(), execute.failingLookups()),
                        execute.trouble());
            } else if (step instanceof Step.Elapse elapse) {
                trace(elapse.toString());
                time.advance(elapse.duration());
                checkEffects();
            } else if (step instanceof Step.Kill kill) {
                trace(kill.toString());
                kill(kill.process());
            }
        }
        settle();
        return List.copyOf(trace);
    }

    /** The faults are over, and callers go on retrying. */
    private void settle() {
        calm = true;
        for (Duration pause : CALM) {
            trace(pause + " pass without faults");
            time.advance(pause.plus(app.longestTransit()));
            for (int i = 0; i < program.requests().size(); i++) {
                execute(new Run(0, i, List.of(), 0), null);
            }
        }
        time.advance(app.longestTransit());
        checkEffects();
        for (int i = 0; i < program.requests().size(); i++) {
            checkClosed(i);
        }
    }

    // ---- steps

    private void checkKeys() {
        for (int i = 0; i < program.requests().size(); i++) {
            I request = program.requests().get(i);
            Operation<I, O> one = operations.get(0);
            IdempotencyKey key = taken(() -> one.keyOf(request), Mistake.RANDOM_KEY);
            time.advance(Duration.ofMillis(1500));
            if (!key.equals(operations.get(1).keyOf(request))) {
                throw mistake(
                        Mistake.RANDOM_KEY, "request " + i + " has the keys " + key + " and " + one.keyOf(request));
            }
            I again = app.again(request);
            if (!key.equals(one.keyOf(again))) {
                throw mistake(Mistake.VOLATILE_KEY, again + " has the key " + one.keyOf(again) + ", not " + key);
            }
            if (!taken(() -> one.fingerprintOf(request), Mistake.UNSTABLE_PAYLOAD)
                    .equals(one.fingerprintOf(app.again(request)))) {
                throw mistake(Mistake.UNSTABLE_PAYLOAD, "of " + request + ", made again as " + app.again(request));
            }
            Integer other = requestOfKey.putIfAbsent(key, i);
            if (other != null) {
                throw mistake(
                        Mistake.COARSE_KEY,
                        key + " is the key of " + program.requests().get(other) + " and of " + request);
            }
        }
    }

    /** The library itself takes a key twice at first, and refuses one that has moved meanwhile. */
    private <T> T taken(Supplier<T> what, Mistake mistake) {
        try {
            return what.get();
        } catch (IllegalArgumentException e) {
            if (String.valueOf(e.getMessage()).contains("is not the same each time")) {
                throw mistake(mistake, String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    private void execute(Run run, @Nullable Trouble trouble) {
        if (Duration.between(START, time.now()).compareTo(app.retriedFor()) > 0) {
            trace("nobody retries request " + run.request + " any more");
            return;
        }
        Operation<I, O> operation = alive(run.process);
        AppProcess process = processes[run.process];
        I request = app.again(program.requests().get(run.request));
        running.push(run);
        trace(process + " executes request " + run.request);
        process.way().plan(plan(process.way().calls(), trouble));
        try {
            O answer = app.execute(operation, process, request);
            trace(process + " is told " + answer);
            check(run, answer);
        } catch (SimulatedCrash e) {
            trace(process + " dies: " + e.getMessage());
            kill(run.process);
        } catch (MistakeError e) {
            throw e;
        } catch (IdempotencyException e) {
            trace(process + " is told " + e);
            check(run, e);
        } catch (RuntimeException e) {
            rethrowFound();
            throw remembered(new AssertionError(
                    "the application failed with " + e + ", which is none of the library's exceptions\n" + story(), e));
        } finally {
            running.pop();
            process.way().plan(StoreFaultPlan.none());
        }
        rethrowFound();
        checkEffects();
    }

    /** Counted from the first step of this execution. */
    private static StoreFaultPlan plan(int steps, @Nullable Trouble trouble) {
        if (trouble == null) {
            return StoreFaultPlan.none();
        }
        int from = steps + trouble.nth() - 1;
        if (!trouble.lasting()) {
            return StoreFaultPlan.at(from + 1, trouble.fault());
        }
        var faults = new StoreFault[from + 200];
        Arrays.fill(faults, 0, from, StoreFault.NONE);
        Arrays.fill(faults, from, faults.length, trouble.fault());
        return StoreFaultPlan.scripted(faults);
    }

    private void rethrowFound() {
        if (found != null) {
            throw found;
        }
    }

    private void heard(int process, IdempotencyEvent event) {
        listening = true;
        Integer request = requestOfKey.get(event.key());
        if (event.type() != IdempotencyEvent.Type.RENEWED) {
            trace("  process " + process + ": " + event.type()
                    + (event.detail().isEmpty() ? "" : ", " + event.detail()));
        }
        happened.add(new Happened(time.now(), request == null ? -1 : request, event.type()));
        if (event.type() == IdempotencyEvent.Type.REEXECUTED || event.type() == IdempotencyEvent.Type.CLOSED) {
            checkAsked(request == null ? -1 : request);
        }
        Run run = running.peek();
        if (run == null || run.process != process || request == null || request != run.request) {
            return;
        }
        if (event.type() == IdempotencyEvent.Type.CALLING) {
            run.calling = true;
            run.sends = 0;
        } else if (ENDS.contains(event.type())) {
            run.calling = false;
        }
    }

    /** Whoever goes on because the provider has nothing must have been told so. */
    private void checkAsked(int request) {
        for (int i = asked.size() - 1; i >= 0; i--) {
            if (asked.get(i).request() == request) {
                if (asked.get(i).shown() == null) {
                    var unused = mistake(Mistake.LOOKUP_ERROR_IS_MISSING, "it was about request " + request);
                }
                return;
            }
        }
    }

    // ---- the wire

    /** A process's way to the provider. */
    private final class Wire implements ProviderWire {
        private final int process;

        Wire(int process) {
            this.process = process;
        }

        @Override
        public Reply send(@Nullable String nativeKey, String reference, String payload) throws IOException {
            Run run = running.peek();
            requireAttempt(run);
            Fate fate = run.fates.isEmpty() ? Fate.ANSWERED : run.fates.pop();
            trace("  process " + process + " sends " + reference + (nativeKey == null ? "" : " under " + nativeKey)
                    + ": " + fate);
            if (fate == Fate.NO_CONNECTION) {
                throw new ConnectException("Connection refused");
            }
            if (++run.sends > 1) {
                throw mistake(
                        Mistake.CLIENT_REPEATS,
                        "request " + run.request + " was sent " + run.sends
                                + " times by one attempt, although the first " + last(run).outcome);
            }
            var one = new Sent(run.request, "send-" + (sent.size() + 1), nativeKey, time.now(), happened.size());
            sent.put(one.id, one);
            run.sent.add(one);
            return meets(fate, run, one, new Submission(one.id, nativeKey, reference, payload));
        }

        private Reply meets(Fate fate, Run run, Sent one, Submission submission) throws IOException {
            switch (fate) {
                case DIES_BEFORE -> throw dies();
                case REFUSED_429 -> {
                    return replied(one, provider.refuse(submission));
                }
                case REQUEST_LOST -> throw failed(one, new SocketException("Connection reset"));
                case ARRIVES_LATE -> {
                    provider.submitLater(submission, app.longestTransit());
                    time.advance(PATIENCE_OF_THE_CLIENT);
                    throw failed(one, new HttpTimeoutException("request timed out"));
                }
                case PAUSED_BEFORE -> {
                    lives[process].frozen = true;
                    time.advance(app.longestPause());
                    lives[process].frozen = false;
                }
                case ERROR_BEFORE -> {
                    provider.refuse(submission);
                    return replied(one, new Reply.Error5xx(500));
                }
                default -> time.advance(MOMENT);
            }
            declines = fate == Fate.DECLINED;
            Reply reply = provider.submit(submission);
            declines = false;
            switch (fate) {
                case DIES_AFTER -> throw dies();
                case REPLY_LOST -> throw failed(one, new SocketException("Connection reset"));
                case TIMED_OUT, TIMED_OUT_MEANWHILE_ANOTHER -> {
                    meanwhile(fate, run);
                    time.advance(PATIENCE_OF_THE_CLIENT);
                    throw failed(one, new HttpTimeoutException("request timed out"));
                }
                case ERROR_AFTER -> {
                    return replied(one, new Reply.Error5xx(500));
                }
                default -> {
                    meanwhile(fate, run);
                    time.advance(MOMENT);
                    return replied(one, reply);
                }
            }
        }

        private void meanwhile(Fate fate, Run run) {
            boolean another = fate == Fate.ANSWERED_MEANWHILE_ANOTHER || fate == Fate.TIMED_OUT_MEANWHILE_ANOTHER;
            if (another && running.size() == 1) {
                World.this.execute(new Run((process + 1) % Program.PROCESSES, run.request, List.of(), 0), null);
            }
        }

        private SimulatedCrash dies() {
            kill(process);
            return new SimulatedCrash("in the middle of a send");
        }

        private void ask() throws IOException {
            Run run = running.peek();
            if (run != null && run.failingLookups > 0) {
                run.failingLookups--;
                trace("  process " + process + " asks the provider, and gets no answer");
                asked.add(new Asked(time.now(), run.request, null));
                throw new HttpTimeoutException("request timed out");
            }
            time.advance(MOMENT);
        }

        private List<Effect> shown(List<Effect> effects) {
            trace("  process " + process + " asks the provider, and is shown " + effects.size() + " effects");
            answered();
            return effects;
        }

        /** What the provider would have shown of this very request, however it was asked. */
        private void answered() {
            Run run = running.peek();
            if (run != null) {
                asked.add(
                        new Asked(time.now(), run.request, visible(effect -> sentFor(effect).request == run.request)));
            }
        }

        @Override
        public List<Effect> lookup(String reference) throws IOException {
            ask();
            return shown(provider.lookup(reference));
        }

        @Override
        public List<Effect> lookupByKey(String nativeKey) throws IOException {
            ask();
            return shown(provider.lookupByKey(nativeKey));
        }

        @Override
        public List<Effect> search(Predicate<Effect> wanted) throws IOException {
            ask();
            return shown(visible(wanted));
        }

        @Override
        public SealAnswer seal(String nativeKey) throws IOException {
            ask();
            trace("  process " + process + " seals " + nativeKey);
            answered();
            return provider.seal(nativeKey);
        }
    }

    private List<Effect> visible(Predicate<Effect> wanted) {
        Instant until = time.now().minus(app.provider().lookupLag());
        return provider.ledger().effects().stream()
                .filter(effect -> !effect.receivedAt().isAfter(until))
                .filter(wanted)
                .toList();
    }

    private void requireAttempt(@Nullable Run run) {
        if (run == null || !run.calling) {
            if (!listening) {
                throw remembered(new AssertionError(
                        "the operation is not on the world's library: make it with process.idempotency()"));
            }
            throw mistake(
                    Mistake.FAILS_OPEN,
                    run == null ? "nobody executed anything" : "in an execution of request " + run.request);
        }
    }

    private static Sent last(Run run) {
        return run.sent.get(run.sent.size() - 1);
    }

    private static <E extends IOException> E failed(Sent one, E failure) {
        one.outcome = "ended with " + failure;
        return failure;
    }

    private static Reply replied(Sent one, Reply reply) {
        one.outcome = "was answered with " + reply;
        return reply;
    }

    // ---- the judge

    private List<Effect> effectsOf(int request) {
        return provider.ledger().effects().stream()
                .filter(effect -> sentFor(effect).request == request)
                .toList();
    }

    private Sent sentFor(Effect effect) {
        return Objects.requireNonNull(sent.get(effect.requestId()), "an effect that nobody sent");
    }

    private @Nullable IdempotencyRecord record(int request) {
        for (var entry : requestOfKey.entrySet()) {
            if (entry.getValue() == request) {
                return store.find(entry.getKey()).record();
            }
        }
        return null;
    }

    private void check(Run run, O answer) {
        rethrowFound();
        Effect own = about(answer, effectsOf(run.request));
        if (own == null) {
            Effect other = about(answer, provider.ledger().effects());
            throw other == null
                    ? mistake(Mistake.ANSWER_WITHOUT_EFFECT, "request " + run.request + " was answered with " + answer)
                    : mistake(
                            Mistake.ANSWER_OF_ANOTHER,
                            "request " + run.request + " was answered with " + answer + ", which is " + other.effectId()
                                    + " of request " + sentFor(other).request);
        }
        IdempotencyRecord record = record(run.request);
        if (record == null || record.state() != State.COMPLETED) {
            throw mistake(
                    Mistake.RECORD_FAILURE_SWALLOWED,
                    "request " + run.request + " was answered, and its record is "
                            + (record == null ? "not there" : record.state()));
        }
        Effect before = answered.putIfAbsent(run.request, own);
        if (before != null && !before.effectId().equals(own.effectId())) {
            throw duplicate(run.request, List.of(before, own));
        }
    }

    private @Nullable Effect about(O answer, Collection<Effect> effects) {
        return effects.stream()
                .filter(effect -> app.isAbout(answer, effect))
                .findFirst()
                .orElse(null);
    }

    private void check(Run run, IdempotencyException failure) {
        rethrowFound();
        if (failure instanceof MismatchException) {
            throw mistake(Mistake.UNSTABLE_PAYLOAD, "request " + run.request + " was refused with " + failure);
        }
        boolean saidNo = failure instanceof NotExecutedException || failure instanceof DeclinedException;
        for (Sent one : run.sent) {
            if (saidNo
                    && effectsOf(run.request).stream()
                            .anyMatch(effect -> effect.requestId().equals(one.id))) {
                throw mistake(
                        Mistake.AMBIGUOUS_CALLED_DEFINITE,
                        "request " + run.request + " was executed, the call " + one.outcome
                                + ", and the caller was told " + failure);
            }
        }
    }

    private void checkEffects() {
        for (int i = 0; i < program.requests().size(); i++) {
            List<Effect> effects = effectsOf(i);
            if (effects.size() > 1) {
                throw duplicate(i, effects);
            }
        }
    }

    /** "Not executed" for ever, and it was. */
    private void checkClosed(int request) {
        IdempotencyRecord record = record(request);
        List<Effect> effects = effectsOf(request);
        if (record != null && record.state() == State.CLOSED && !effects.isEmpty()) {
            throw mistake(
                    missing(request, sentFor(effects.get(0)), happened.size()),
                    "request " + request + " is closed as not executed, and has happened: " + effects);
        }
    }

    private MistakeError duplicate(int request, List<Effect> effects) {
        Sent first = sentFor(effects.get(0));
        Sent second = sentFor(effects.get(1));
        if (second.at.isBefore(first.at)) {
            var later = first;
            first = second;
            second = later;
        }
        return mistake(
                why(request, first, second),
                "request " + request + " has happened " + effects.size() + " times; the first call " + first.outcome
                        + ", the second was sent " + Duration.between(first.at, second.at) + " later");
    }

    private Mistake why(int request, Sent first, Sent second) {
        Set<IdempotencyEvent.Type> between = EnumSet.noneOf(IdempotencyEvent.Type.class);
        happened.subList(first.happened, second.happened).stream()
                .filter(event -> event.request() == request)
                .forEach(event -> between.add(event.type()));
        if (between.contains(IdempotencyEvent.Type.RELEASED)) {
            return Mistake.AMBIGUOUS_CALLED_DEFINITE;
        }
        if (between.contains(IdempotencyEvent.Type.REEXECUTED)) {
            return missing(request, first, second.happened);
        }
        if (between.contains(IdempotencyEvent.Type.RESENT)) {
            return Objects.equals(first.nativeKey, second.nativeKey) ? Mistake.WINDOW_TOO_LONG : Mistake.OWN_NATIVE_KEY;
        }
        return between.contains(IdempotencyEvent.Type.RESERVED) ? Mistake.RETENTION_TOO_SHORT : Mistake.UNEXPLAINED;
    }

    /** Why "the provider has nothing" was believed. */
    private Mistake missing(int request, Sent first, int until) {
        Instant end = until < happened.size() ? happened.get(until).at() : time.now();
        Asked last = null;
        for (Asked one : asked) {
            if (one.request() == request
                    && !one.at().isBefore(first.at)
                    && !one.at().isAfter(end)) {
                last = one;
            }
        }
        if (last == null) {
            return Mistake.UNEXPLAINED;
        }
        if (last.shown() == null) {
            return Mistake.LOOKUP_ERROR_IS_MISSING;
        }
        return last.shown().isEmpty() ? Mistake.QUIESCENCE_TOO_SHORT : Mistake.LOOKUP_MISSES;
    }

    // ---- the story

    private void trace(String line) {
        trace.add(String.format("%12s  %s", Duration.between(START, time.now()), line));
    }

    private MistakeError mistake(Mistake mistake, String details) {
        return remembered(new MistakeError(mistake, details + "\n" + story()));
    }

    /** The engine takes what a call throws for a failure of the call: what was found is thrown again behind it. */
    private <E extends AssertionError> E remembered(E error) {
        if (found == null) {
            found = error;
        }
        return error;
    }

    private String story() {
        return program + "\nWhat happened" + (calm ? " (the last faults are over)" : "") + "\n  "
                + String.join("\n  ", trace);
    }
}

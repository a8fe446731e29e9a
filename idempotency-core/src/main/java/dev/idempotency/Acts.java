package dev.idempotency;

import dev.idempotency.Admin.Ruling;
import dev.idempotency.Decision.Verdict;
import dev.idempotency.RefusedException.Reason;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a person's act is done: refused if it must be, else written to the trail as intended, then to the record, then to the
 * trail again. The line that the act leaves in the record's history ends with the act's id, so that whoever repeats the act
 * can see that it was done. Thread-safe.
 */
final class Acts {
    private static final int PAGE = 100;

    /** Bytes of replaced results that a history keeps. */
    static final int MOST_OLD_RESULTS = 256 * 1024;

    private static final Pattern ACT = Pattern.compile("; act ([0-9a-f]{32})$");
    private static final Pattern PAYLOAD = Pattern.compile("; payload ([^:;]+):([0-9a-f]+)$");

    private static final StateMachine MACHINE = new StateMachine();

    /**
     * What an act makes of a record.
     *
     * @param detail what of the act nothing else in the trail says
     */
    record Plan(Write write, List<IdempotencyEvent.Type> events, String detail) {}

    /** Says what an act makes of a record, or refuses it. */
    @FunctionalInterface
    interface Deed {
        Plan plan(IdempotencyRecord standing, Line line, Instant now);
    }

    /** What an act leaves in the record's history. */
    record Line(String who, String reason) {
        static Line of(Ruling ruling, String id) {
            return new Line(ruling.who(), said(ruling) + "; act " + id);
        }

        static Line approved(AuditEntry request, Ruling approval) {
            return new Line(
                    request.who() + ", approved by " + approval.who(),
                    (request.act() == Act.WITHDRAW ? "withdraws what opened the key: " : "") + request.why()
                            + "; evidence: " + request.evidence() + "; approved: " + said(approval) + "; act "
                            + request.id());
        }

        private static String said(Ruling ruling) {
            return ruling.why() + "; evidence: " + ruling.evidence();
        }

        String text() {
            return who + ": " + reason;
        }

        boolean isIn(@Nullable IdempotencyRecord record) {
            return record != null
                    && record.evidence().stream().anyMatch(line -> line.detail().equals(text()));
        }
    }

    private final AuditedStore store;
    private final Duration quiescence;
    private final Duration retention;
    private final List<IdempotencyListener> listeners;
    private final @Nullable NearCache near;

    Acts(
            AuditedStore store,
            Duration quiescence,
            Duration retention,
            List<IdempotencyListener> listeners,
            @Nullable NearCache near) {
        this.store = store;
        this.quiescence = quiescence;
        this.retention = retention;
        this.listeners = listeners;
        this.near = near;
    }

    // ---- one person's acts

    /** @param outcome what {@link Act#EXECUTED} is to record, as {@link #outcome} says; empty for any other act */
    IdempotencyRecord act(Act act, IdempotencyKey key, long version, Ruling ruling, String outcome, Deed deed) {
        Objects.requireNonNull(ruling, "ruling");
        Snapshot snapshot = store.find(Objects.requireNonNull(key, "key"));
        IdempotencyRecord standing = known(key, snapshot);
        List<AuditEntry> trail = store.audit(key, null, PAGE);
        AuditEntry begun = begun(trail, act, version, ruling, outcome);
        if (begun != null && Line.of(ruling, begun.id()).isIn(standing)) {
            append(begun, Phase.APPLIED, "found to be done when it was repeated");
            return standing;
        }
        if (standing.version() != version) {
            if (begun != null && end(trail, begun.id()) == null) {
                append(begun, Phase.REFUSED, "found not to be done when it was repeated");
            }
            throw changed(key, standing);
        }
        boolean again = begun != null && isAbout(begun, standing);
        String id = again ? Objects.requireNonNull(begun).id() : newId();
        Line line = Line.of(ruling, id);
        Plan plan = deed.plan(standing, line, snapshot.now());
        AuditEntry intended = entry(id, standing, act, Phase.INTENDED, ruling, null, plan.detail());
        store.append(intended);
        return apply(standing, plan, intended, line);
    }

    /**
     * The same act by the same person, of which nobody may have seen the end. What the key is said to have come to is a part of
     * it: another result is another act.
     */
    private static @Nullable AuditEntry begun(
            List<AuditEntry> trail, Act act, long version, Ruling ruling, String outcome) {
        return trail.stream()
                .filter(entry -> entry.phase() == Phase.INTENDED
                        && entry.act() == act
                        && entry.version() == version
                        && isBy(entry, ruling)
                        && (act != Act.EXECUTED || entry.detail().equals(outcome)))
                .findFirst()
                .orElse(null);
    }

    private IdempotencyRecord apply(IdempotencyRecord standing, Plan plan, AuditEntry intended, Line line) {
        Snapshot snapshot = write(standing, plan.write());
        IdempotencyRecord after = snapshot.record();
        if (after == null || (!snapshot.applied() && !line.isIn(after))) {
            append(intended, Phase.REFUSED, "the record changed before this could be written");
            throw changed(intended.key(), after);
        }
        if (snapshot.applied()) {
            plan.events().forEach(type -> tell(type, after, line.text()));
        }
        append(intended, Phase.APPLIED, "the key is " + after.state() + " in generation " + after.generation());
        return after;
    }

    private Snapshot write(IdempotencyRecord standing, Write write) {
        try {
            return store.replace(standing, write);
        } finally {
            if (near != null) {
                near.drop(standing.key());
            }
        }
    }

    /**
     * Names an outcome without telling it.
     *
     * @throws IllegalArgumentException if it is a decline whose reason no caller could be given
     */
    static String outcome(@Nullable StoredResult result) {
        if (result != null && result.kind() == StoredResult.Kind.DECLINED) {
            requireReason(new String(result.bytes(), StandardCharsets.UTF_8));
        }
        return named(result);
    }

    private static String named(@Nullable StoredResult result) {
        if (result == null) {
            return "the result is not known";
        }
        byte[] bytes = result.bytes();
        boolean declined = result.kind() == StoredResult.Kind.DECLINED;
        return (declined ? "declined; " : "a result; ") + bytes.length + " bytes by codec " + result.codec()
                + ", sha256 " + HexFormat.of().formatHex(Digests.sha256(bytes));
    }

    /** The payload is the last word: a codec's name, which stands before it, cannot be taken for it. */
    private static String replaced(IdempotencyRecord standing) {
        Fingerprint payload = standing.fingerprint();
        return "replaces: "
                + (standing.state() == State.COMPLETED ? named(standing.result()) : "not executed")
                + (payload == null ? "" : "; payload " + payload.algorithm() + ":" + payload.digest());
    }

    /** A call's decline is taken as it comes; a person can be asked to say what it was. */
    private static void requireReason(String reason) {
        if (reason.isBlank() || reason.length() > DeclinedException.MAX_REASON) {
            throw new IllegalArgumentException("The reason of the decline has " + reason.length()
                    + " characters and must have 1 to " + DeclinedException.MAX_REASON
                    + " that are not all blanks, because every caller is given it");
        }
    }

    Deed executed(@Nullable StoredResult result, String outcome) {
        return (standing, line, now) -> {
            List<IdempotencyEvent.Type> events = new ArrayList<>();
            IdempotencyRecord doubt = inDoubt(standing, now, events);
            events.add(IdempotencyEvent.Type.FOUND);
            return plan(
                    standing,
                    doubt,
                    new Event.Found(doubt.token(), result, line.text(), spans(standing)),
                    now,
                    events,
                    outcome);
        };
    }

    Deed notExecuted() {
        return (standing, line, now) -> {
            List<IdempotencyEvent.Type> events = new ArrayList<>();
            IdempotencyRecord doubt = inDoubt(standing, now, events);
            Event.Close close = new Event.Close(doubt.token(), false, quiescence, line.text(), spans(standing));
            if (MACHINE.decide(doubt, close, now).verdict() != Verdict.CHANGE) {
                throw notQuiescent(standing, doubt, now);
            }
            events.add(IdempotencyEvent.Type.CLOSED);
            return plan(standing, doubt, close, now, events, waited(standing));
        };
    }

    /** Closed and opened again in one write: nobody meets the key closed. */
    Deed reExecuted() {
        Deed notExecuted = notExecuted();
        return (standing, line, now) -> {
            Plan closing = notExecuted.plan(standing, line, now);
            List<IdempotencyEvent.Type> events = new ArrayList<>(closing.events());
            events.add(IdempotencyEvent.Type.OVERRIDDEN);
            IdempotencyRecord closed = closing.write().at(now);
            return plan(standing, closed, opening(closed, standing, line), now, events, closing.detail());
        };
    }

    Deed reopened() {
        return (standing, line, now) -> {
            if (standing.state() != State.CLOSED) {
                throw wrongState(
                        standing,
                        standing.state() == State.IN_DOUBT
                                ? "decide first that it was not executed, or re-execute it"
                                : "only a closed one is opened again for its own payload");
            }
            return plan(
                    standing,
                    standing,
                    opening(standing, standing, line),
                    now,
                    List.of(IdempotencyEvent.Type.OVERRIDDEN),
                    "");
        };
    }

    /** How long the key has had to be in doubt, and who said so: whoever shortens it answers for it. */
    private String waited(IdempotencyRecord standing) {
        Duration agreed = standing.terms().quiescence();
        if (agreed != null) {
            return "waiting period " + Durations.text(agreed) + ", agreed on when the key was reserved";
        }
        return "waiting period " + Durations.text(quiescence)
                + (quiescence.compareTo(Admin.QUIESCENCE) < 0
                        ? ", set for this act; " + Durations.text(Admin.QUIESCENCE) + " is the default"
                        : "");
    }

    private Event opening(IdempotencyRecord closed, IdempotencyRecord standing, Line line) {
        return new Event.Overrule(
                closed.version(),
                closed.token(),
                Objects.requireNonNull(closed.fingerprint(), "fingerprint"),
                line.who(),
                line.reason(),
                spans(standing));
    }

    /** The record in doubt, or as it will be in the same write. */
    private static IdempotencyRecord inDoubt(
            IdempotencyRecord standing, Instant now, List<IdempotencyEvent.Type> events) {
        if (standing.state() == State.IN_DOUBT) {
            return standing;
        }
        if (!standing.isLapsed(now)) {
            throw wrongState(
                    standing,
                    switch (standing.state()) {
                        case IN_FLIGHT ->
                            "wait for its attempt, or until its lease is over at "
                                    + standing.times().leaseUntil();
                        case CLOSED -> "it was not executed; reopen it if it is wanted after all";
                        case COMPLETED -> "its outcome stands; another payload needs an override";
                        default -> "nothing is in doubt; execute the request";
                    });
        }
        events.add(IdempotencyEvent.Type.LAPSED);
        return lapse(standing, now).at(now);
    }

    private static Write lapse(IdempotencyRecord standing, Instant now) {
        return MACHINE.decide(standing, new Event.Expire(standing.token()), now).toWrite();
    }

    /** A lapsed attempt comes into doubt even so, or it would never become quiescent. */
    private RefusedException notQuiescent(IdempotencyRecord standing, IdempotencyRecord doubt, Instant now) {
        IdempotencyRecord waiting = doubt;
        if (standing.state() == State.IN_FLIGHT) {
            Snapshot snapshot = store.replace(standing, lapse(standing, now));
            if (!snapshot.applied() || snapshot.record() == null) {
                return changed(standing.key(), snapshot.record());
            }
            waiting = Objects.requireNonNull(snapshot.record());
            tell(IdempotencyEvent.Type.LAPSED, waiting, "found by a person");
        }
        Instant until = StateMachine.quiescentAt(waiting, quiescence);
        return new RefusedException(
                standing.key(),
                Reason.NOT_QUIESCENT,
                "The key is in doubt since " + waiting.times().stateSince() + ", as version " + waiting.version()
                        + "; what is in flight may take effect until " + until + ". Decide then",
                until);
    }

    private static Plan plan(
            IdempotencyRecord standing,
            IdempotencyRecord from,
            Event event,
            Instant now,
            List<IdempotencyEvent.Type> events,
            String detail) {
        Write write = MACHINE.decide(from, event, now).toWrite();
        // The store takes old times from the record that it replaces, not from one in between.
        var next = write.next()
                .with()
                .times(standing.times())
                .evidence(bounded(write.next().evidence()))
                .build();
        return new Plan(
                new Write(
                        next,
                        write.created(),
                        write.firstSent(),
                        write.newState(),
                        write.lease(),
                        write.retention(),
                        write.tombstone()),
                events,
                detail);
    }

    /**
     * The history without the oldest of the results that overrides have replaced, where all of them are more than a row should
     * carry: every later write has to carry them again. The trail has a digest of each. The latest one is kept whatever its size:
     * its attempt may still answer.
     */
    private static List<Evidence> bounded(List<Evidence> history) {
        List<Evidence> bounded = new ArrayList<>(history);
        long room = MOST_OLD_RESULTS;
        boolean newest = true;
        for (int i = bounded.size() - 1; i >= 0; i--) {
            Evidence line = bounded.get(i);
            StoredResult result = line.result();
            if (line.kind() != Evidence.Kind.OVERRIDE || result == null) {
                continue;
            }
            room -= result.size();
            if (newest) {
                newest = false;
            } else if (room < 0) {
                bounded.set(i, new Evidence(line.kind(), line.at(), line.attempt(), line.detail(), null));
            }
        }
        return bounded;
    }

    /** The tombstone is the one that the key was reserved with. */
    private Event.Spans spans(IdempotencyRecord standing) {
        IdempotencyRecord.Times times = standing.times();
        return new Event.Spans(Duration.ZERO, retention, Duration.between(times.expiresAt(), times.forgetAt()));
    }

    // ---- two people's acts

    AuditEntry request(IdempotencyKey key, long version, Fingerprint fingerprint, Ruling ruling) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(fingerprint, "fingerprint");
        Objects.requireNonNull(ruling, "ruling");
        requireCanBe(fingerprint);
        IdempotencyRecord standing = known(key, store.find(key));
        if (standing.version() != version) {
            throw changed(key, standing);
        }
        if (!standing.state().isTerminal()) {
            throw wrongState(
                    standing,
                    standing.state() == State.OPEN && standing.generation() > 1
                            ? "an override needs a completed or closed one; withdraw the one that opened it"
                            : "an override needs a completed or closed one");
        }
        if (fingerprint.equals(standing.fingerprint())) {
            throw new RefusedException(
                    key,
                    Reason.SAME_PAYLOAD,
                    standing.state() == State.CLOSED
                            ? "The key has this payload already; reopen it"
                            : "The key is completed with this very payload; there is nothing to override",
                    null);
        }
        for (AuditEntry pending : pending(store.audit(key, null, PAGE), standing)) {
            if (pending.act() == Act.OVERRIDE && fingerprint.equals(pending.fingerprint()) && isBy(pending, ruling)) {
                return pending;
            }
        }
        return store.append(entry(newId(), standing, Act.OVERRIDE, Phase.REQUESTED, ruling, fingerprint, ""));
    }

    AuditEntry requestWithdrawal(IdempotencyKey key, long version, Ruling ruling) {
        Objects.requireNonNull(ruling, "ruling");
        Snapshot snapshot = store.find(Objects.requireNonNull(key, "key"));
        IdempotencyRecord standing = known(key, snapshot);
        if (standing.version() != version) {
            throw changed(key, standing);
        }
        if (standing.state() != State.OPEN || standing.generation() == 1) {
            throw wrongState(standing, "only what has opened a key can be withdrawn, and only while it is open");
        }
        Fingerprint payload = payloadBefore(standing);
        withdrawal(standing, payload, "", "", snapshot.now());
        for (AuditEntry pending : pending(store.audit(key, null, PAGE), standing)) {
            if (pending.act() == Act.WITHDRAW && isBy(pending, ruling)) {
                return pending;
            }
        }
        return store.append(entry(newId(), standing, Act.WITHDRAW, Phase.REQUESTED, ruling, payload, ""));
    }

    /** Refuses what the record does not bear, so that nobody is asked to approve it. */
    private Event withdrawal(IdempotencyRecord standing, Fingerprint payload, String who, String reason, Instant now) {
        var withdraw = new Event.Withdraw(standing.version(), standing.token(), payload, who, reason, spans(standing));
        if (MACHINE.decide(standing, withdraw, now).verdict() != Verdict.CHANGE) {
            throw wrongState(
                    standing,
                    "an attempt was made since it was opened, or its history does not say any more what it had come to");
        }
        return withdraw;
    }

    /** The payload that the key had before it was opened: one person's act keeps it, and of two people's the trail has it. */
    private Fingerprint payloadBefore(IdempotencyRecord standing) {
        String opened = standing.evidence().stream()
                .filter(line -> line.kind() == Evidence.Kind.OVERRIDE)
                .reduce((older, newer) -> newer)
                .map(Evidence::detail)
                .orElse("");
        Matcher id = ACT.matcher(opened);
        if (id.find()) {
            for (AuditEntry entry : entriesOf(standing.key(), id.group(1))) {
                if (entry.act() != Act.OVERRIDE) {
                    return Objects.requireNonNull(standing.fingerprint(), "fingerprint");
                }
                Matcher payload = PAYLOAD.matcher(entry.detail());
                if (entry.phase() == Phase.INTENDED && payload.find()) {
                    return new Fingerprint(payload.group(1), payload.group(2));
                }
            }
        }
        throw wrongState(standing, "the audit trail does not say which payload it had before it was opened");
    }

    /** A mistyped fingerprint would bind the key to a payload that nobody can have. */
    private static void requireCanBe(Fingerprint fingerprint) {
        if (!fingerprint.algorithm().equals(Fingerprint.JCS_SHA256)
                || !fingerprint.digest().matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("The fingerprint is none that a request can have: it must be "
                    + Fingerprint.JCS_SHA256 + " with 64 lower-case hexadecimal digits; take it from"
                    + " Operation.fingerprintOf or from the MismatchException");
        }
    }

    /** @param kind {@link Act#OVERRIDE} or {@link Act#WITHDRAW} */
    IdempotencyRecord approve(Act kind, IdempotencyKey key, String requestId, Ruling ruling) {
        Objects.requireNonNull(ruling, "ruling");
        List<AuditEntry> act = entriesOf(key, requestId);
        AuditEntry request = requestIn(act, kind, key);
        if (Names.isSame(request.who(), ruling.who())) {
            throw new RefusedException(
                    key, Reason.SAME_PERSON, "Who approves is who asked; it takes a second person", null);
        }
        Snapshot snapshot = store.find(key);
        IdempotencyRecord standing = known(key, snapshot);
        Line line = Line.approved(request, ruling);
        Fingerprint payload = Objects.requireNonNull(request.fingerprint(), "fingerprint");
        AuditEntry intended = entry(
                requestId,
                standing,
                kind,
                Phase.INTENDED,
                ruling,
                payload,
                kind == Act.OVERRIDE ? replaced(standing) : "");
        if (line.isIn(standing)) {
            append(intended, Phase.APPLIED, "found to be done when it was repeated");
            return standing;
        }
        refuseEnded(key, act, standing);
        if (!isAbout(request, standing)) {
            throw changed(key, standing);
        }
        Event event = kind == Act.OVERRIDE
                ? new Event.Overrule(
                        request.version(), request.token(), payload, line.who(), line.reason(), spans(standing))
                : withdrawal(standing, payload, line.who(), line.reason(), snapshot.now());
        Plan plan = plan(standing, standing, event, snapshot.now(), List.of(IdempotencyEvent.Type.OVERRIDDEN), "");
        AuditEntry first = store.append(intended);
        if (!isBy(first, ruling)) {
            // One request, one approval: whoever is written down first applies it, and the trail gets its end from him
            // alone.
            throw new RefusedException(
                    key,
                    Reason.NO_REQUEST,
                    "Somebody else has begun to approve the request at " + first.at()
                            + ". If the record stays as it is, he"
                            + " repeats it, or somebody refuses the request and asks anew",
                    null);
        }
        // Whoever refuses it writes that down before he is told so: one of the two sees the other.
        refuseEnded(key, entriesOf(key, requestId), standing);
        return apply(standing, plan, intended, line);
    }

    /** @param kind {@link Act#OVERRIDE} or {@link Act#WITHDRAW} */
    AuditEntry refuse(Act kind, IdempotencyKey key, String requestId, Ruling ruling) {
        Objects.requireNonNull(ruling, "ruling");
        List<AuditEntry> act = entriesOf(key, requestId);
        AuditEntry request = requestIn(act, kind, key);
        AuditEntry end = end(act, requestId);
        if (end != null && end.phase() == Phase.REFUSED && isBy(end, ruling)) {
            return end;
        }
        refuseEnded(key, act, store.find(key).record());
        return store.append(new AuditEntry(
                requestId,
                null,
                key,
                request.version(),
                request.token(),
                request.generation(),
                kind,
                Phase.REFUSED,
                ruling.who(),
                ruling.why(),
                ruling.evidence(),
                request.fingerprint(),
                "refused by a person"));
    }

    /** The requests that wait for an approval and hold for the record as it stands, newest first. */
    static List<AuditEntry> pending(List<AuditEntry> trail, IdempotencyRecord standing) {
        return trail.stream()
                .filter(entry ->
                        entry.phase() == Phase.REQUESTED && isAbout(entry, standing) && end(trail, entry.id()) == null)
                .toList();
    }

    private static void refuseEnded(IdempotencyKey key, List<AuditEntry> act, @Nullable IdempotencyRecord standing) {
        String id = act.get(0).id();
        AuditEntry end = end(act, id);
        if (end != null) {
            throw new RefusedException(
                    key, Reason.NO_REQUEST, "The request was " + end.phase() + " at " + end.at() + "; ask anew", null);
        }
        boolean done = standing != null
                && standing.evidence().stream().anyMatch(line -> line.detail().endsWith("; act " + id));
        if (done) {
            throw new RefusedException(
                    key, Reason.NO_REQUEST, "The request was approved by somebody else; ask anew", null);
        }
    }

    /** All phases of one act, newest first; empty if there is none with this id. */
    private List<AuditEntry> entriesOf(IdempotencyKey key, String requestId) {
        Objects.requireNonNull(requestId, "requestId");
        List<AuditEntry> found = new ArrayList<>();
        AuditEntry before = null;
        while (true) {
            List<AuditEntry> page = store.audit(Objects.requireNonNull(key, "key"), before, PAGE);
            for (AuditEntry entry : page) {
                if (entry.id().equals(requestId)) {
                    found.add(entry);
                    if (entry.phase() == Phase.REQUESTED) {
                        return found;
                    }
                }
            }
            if (page.size() < PAGE) {
                return found;
            }
            before = page.get(page.size() - 1);
        }
    }

    private static AuditEntry requestIn(List<AuditEntry> act, Act kind, IdempotencyKey key) {
        AuditEntry first = act.isEmpty() ? null : act.get(act.size() - 1);
        if (first == null || first.phase() != Phase.REQUESTED || first.act() != kind) {
            throw new RefusedException(
                    key,
                    Reason.NO_REQUEST,
                    kind == Act.OVERRIDE
                            ? "Nobody has asked for an override with this id; ask first"
                            : "Nobody has asked to withdraw anything with this id; ask first",
                    null);
        }
        return first;
    }

    // ---- entries

    private static AuditEntry entry(
            String id,
            IdempotencyRecord standing,
            Act act,
            Phase phase,
            Ruling ruling,
            @Nullable Fingerprint fingerprint,
            String detail) {
        return new AuditEntry(
                id,
                null,
                standing.key(),
                standing.version(),
                standing.token(),
                standing.generation(),
                act,
                phase,
                ruling.who(),
                ruling.why(),
                ruling.evidence(),
                fingerprint,
                detail);
    }

    private void append(AuditEntry act, Phase phase, String detail) {
        var entry = new AuditEntry(
                act.id(),
                null,
                act.key(),
                act.version(),
                act.token(),
                act.generation(),
                act.act(),
                phase,
                act.who(),
                act.why(),
                act.evidence(),
                act.fingerprint(),
                detail);
        try {
            store.append(entry);
        } catch (StoreException e) {
            throw new StoreException(
                    "The act on " + act.key() + " was " + phase
                            + ", and the audit trail does not say so yet; repeat it",
                    true,
                    e);
        }
    }

    private static @Nullable AuditEntry end(List<AuditEntry> trail, String id) {
        return trail.stream()
                .filter(entry ->
                        entry.id().equals(id) && (entry.phase() == Phase.APPLIED || entry.phase() == Phase.REFUSED))
                .findFirst()
                .orElse(null);
    }

    private static boolean isAbout(AuditEntry entry, IdempotencyRecord record) {
        return entry.version() == record.version()
                && entry.token().equals(record.token())
                && entry.generation() == record.generation();
    }

    private static boolean isBy(AuditEntry entry, Ruling ruling) {
        return entry.who().equals(ruling.who())
                && entry.why().equals(ruling.why())
                && entry.evidence().equals(ruling.evidence());
    }

    /** 128 random bits, as an attempt has them. */
    private static String newId() {
        return AttemptToken.random().value();
    }

    // ---- refusals

    private static IdempotencyRecord known(IdempotencyKey key, Snapshot snapshot) {
        if (snapshot.record() == null) {
            throw new RefusedException(
                    key, Reason.UNKNOWN_KEY, "No record stands for the key: it was never used, or is forgotten", null);
        }
        return snapshot.record();
    }

    private static RefusedException changed(IdempotencyKey key, @Nullable IdempotencyRecord standing) {
        String what = standing == null ? "it is gone" : standing.state() + ", version " + standing.version();
        return new RefusedException(
                key,
                Reason.CHANGED,
                "The record has changed since it was reviewed: " + what + "; review it again",
                null);
    }

    private static RefusedException wrongState(IdempotencyRecord standing, String what) {
        return new RefusedException(
                standing.key(), Reason.WRONG_STATE, "The key is " + standing.state() + ": " + what, null);
    }

    private void tell(IdempotencyEvent.Type type, IdempotencyRecord record, String detail) {
        var event = new IdempotencyEvent(type, record.key(), record.generation(), record.attempt(), detail);
        Doubts.log(event);
        for (IdempotencyListener listener : listeners) {
            Audience.quietly(type.name(), () -> listener.on(event));
        }
    }
}

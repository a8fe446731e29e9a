package dev.idempotency.testkit;

import dev.idempotency.store.Evidence;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The protocol of one key, written down a second time: 28 events by 5 states. What the library decides can be compared with
 * it, event by event. It shares no code with the library's own state machine, keeps its state in fields, and knows no store.
 *
 * <p>Tokens, fingerprints and results are any text that tells them apart. All times are the store's. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class ReferenceKeyModel {
    /** The longest history that is kept; overrides are never dropped from it. */
    public static final int MAX_HISTORY = 64;

    /** The 28 events. */
    public enum Row {
        /** A caller wants the write, and says the same as the record. */
        RESERVE,
        /** The same reservation again. */
        RESERVE_OWN,
        /** A caller wants another write under the same key. */
        RESERVE_MISMATCH,
        /** The attempt is alive. */
        RENEW_OWN,
        /** A superseded attempt is alive. */
        RENEW_STALE,
        /** The attempt has an outcome. */
        COMPLETE_OWN,
        /** A superseded attempt has an outcome. */
        COMPLETE_STALE,
        /** The attempt proves that it has not sent anything. */
        RELEASE_OWN,
        /** A superseded attempt proves that it has not sent anything. */
        RELEASE_STALE,
        /** The attempt does not know. */
        DOUBT_OWN,
        /** A superseded attempt does not know. */
        DOUBT_STALE,
        /** Somebody saw that the lease is over, and it is. */
        EXPIRE_LAPSED,
        /** Somebody thought that the lease is over. */
        EXPIRE_EARLY,
        /** A same-transaction operation takes over after the lease. */
        TAKE_OVER,
        /** A worker without a caller is about to ask the provider. */
        CLAIM,
        /** The same native key is sent again inside its window. */
        RESEND,
        /** The same native key is to be sent again after its window. */
        RESEND_LATE,
        /** The provider has the write. */
        FOUND,
        /** The provider has nothing, for certain, and is called again. */
        REEXECUTE,
        /** The provider has nothing, but that does not count yet. */
        NOT_QUIESCENT,
        /** The provider has nothing, for certain, and the key is closed. */
        CLOSE,
        /** Somebody acts on an attempt that is not the latest. */
        RECOVERY_STALE,
        /** Two people let another payload take over what they reviewed. */
        OVERRIDE,
        /** Two people reviewed something that has changed. */
        OVERRIDE_STALE,
        /** Two people take back what they reviewed: that the key was opened. */
        WITHDRAW,
        /** Two people want to take back something that has changed. */
        WITHDRAW_STALE,
        /** The record is to be removed, and its time is over. */
        PURGE,
        /** The record is to be removed before its time. */
        PURGE_EARLY
    }

    /** What becomes of an event. */
    public enum Verdict {
        /** It is accepted and changes the record. */
        CHANGE,
        /** It is accepted and changes nothing. */
        SAME,
        /** It is refused; at most the history grows. */
        REFUSED
    }

    /** What the one who caused the event is told. */
    public enum Code {
        /** The attempt owns the key. */
        ACQUIRED,
        /** The lease runs anew. */
        RENEWED,
        /** Other workers without a caller are held off. */
        CLAIMED,
        /** The outcome is recorded. */
        COMPLETED,
        /** The key is free again. */
        RELEASED,
        /** The key is in doubt. */
        IN_DOUBT,
        /** A further attempt with the same native key. */
        RESENT,
        /** A further attempt after evidence that there was no effect. */
        REEXECUTED,
        /** A further attempt of a same-transaction operation. */
        TAKEN_OVER,
        /** Closed as not executed. */
        CLOSED,
        /** Reopened for another payload. */
        OVERRIDDEN,
        /** What stood before it was reopened stands again. */
        WITHDRAWN,
        /** Nothing stands any more. */
        FORGOTTEN,
        /** It is as the event wants it already. */
        UNCHANGED,
        /** Another attempt has the key and a lease. */
        WAIT,
        /** Another attempt has the key and no lease any more. */
        LAPSED,
        /** The recorded outcome answers. */
        REPLAY,
        /** "Not executed" answers. */
        REPLAY_NOT_EXECUTED,
        /** The operation ran, and its result is gone. */
        RESULT_EXPIRED,
        /** Another payload. */
        MISMATCH,
        /** The token was used and released before. */
        BURNED,
        /** The attempt has lost the key. */
        LOST,
        /** The attempt's lease is over, and the key in doubt. */
        LEASE_LOST,
        /** The key is resolved. */
        DONE,
        /** Another attempt has taken the place. */
        SUPERSEDED,
        /** The event does not fit the state. */
        STATE,
        /** It is too early. */
        NOT_YET,
        /** The provider's window is closed. */
        WINDOW_CLOSED,
        /** Something may still be in flight. */
        NOT_QUIESCENT,
        /** The key is not resolved. */
        NON_TERMINAL,
        /** What was reviewed is not what stands. */
        CHANGED
    }

    /** What somebody must look at. */
    public enum Alarm {
        /** An outcome for a key that is not reserved. */
        ORPHAN,
        /** A second, different outcome. */
        CONFLICT,
        /** An outcome for a key that was closed as not executed. */
        CONTRADICTION,
        /** A superseded attempt had an outcome of its own. */
        DUPLICATE
    }

    /**
     * What became of one event.
     *
     * @param row which of the 28 events it was
     * @param before the state that it met
     * @param verdict whether it counted
     * @param code what the answer is
     * @param alarm what somebody must look at; null for nothing
     */
    public record Outcome(
            Row row,
            State before,
            Verdict verdict,
            Code code,
            @Nullable Alarm alarm) {}

    /**
     * One line of the history.
     *
     * @param kind what happened
     * @param attempt to which attempt
     * @param result the outcome that was learnt but is not the answer; null for none
     */
    public record Line(
            Evidence.Kind kind, int attempt, @Nullable String result) {}

    /**
     * How long things last.
     *
     * @param lease an attempt
     * @param retention a result
     * @param tombstone the record after its result
     */
    public record Spans(Duration lease, Duration retention, Duration tombstone) {}

    /** How a generation ended: with a result, with one that nobody knows, or closed. */
    private record Ending(@Nullable String result, boolean closed) {}

    private final RecoveryTerms terms;
    private boolean exists;
    private State state = State.OPEN;
    private long version;
    private int generation;
    private @Nullable String fingerprint;
    private String token = "";
    private int attempt;
    private int nativeKeyAttempt;
    private int nativeKeyGeneration;
    private @Nullable String result;
    private List<Line> history = List.of();
    /** What the earlier generations ended with. */
    private final List<Ending> outcomes = new ArrayList<>();
    /** Whether an attempt was made in this generation. */
    private boolean tried;

    private Instant createdAt = Instant.EPOCH;
    private Instant firstSentAt = Instant.EPOCH;
    private Instant stateSince = Instant.EPOCH;
    private Instant leaseUntil = Instant.EPOCH;
    private Instant claimedUntil = Instant.EPOCH;
    private long claimedVersion;
    private Instant expiresAt = Instant.EPOCH;
    private Instant forgetAt = Instant.EPOCH;

    /**
     * Creates the model of a key that nobody has used.
     *
     * @param terms how a doubt may be resolved
     * @throws NullPointerException if the terms are null
     */
    public ReferenceKeyModel(RecoveryTerms terms) {
        this.terms = Objects.requireNonNull(terms, "terms");
    }

    // ---- the 28 events

    /**
     * A caller wants the write.
     *
     * @param by the attempt's token, new or the caller's own from before
     * @param payload the fingerprint of what it says
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome reserve(String by, String payload, Spans spans, Instant now) {
        if (!exists) {
            return start(Row.RESERVE, State.OPEN, by, payload, spans, now);
        }
        var over = isForgettable(now);
        var before = over ? State.OPEN : state;
        if (by.equals(token)) {
            return switch (before) {
                case OPEN -> refused(Row.RESERVE_OWN, before, Code.BURNED);
                case IN_FLIGHT -> {
                    leaseUntil = now.plus(spans.lease());
                    yield changed(Row.RESERVE_OWN, before, Code.ACQUIRED);
                }
                case IN_DOUBT -> refused(Row.RESERVE_OWN, before, Code.IN_DOUBT);
                case COMPLETED, CLOSED -> meet(Row.RESERVE_OWN, before, payload, now);
            };
        }
        if (before == State.OPEN && (over || fingerprint == null || fingerprint.equals(payload))) {
            return start(Row.RESERVE, before, by, payload, spans, now);
        }
        return meet(payload.equals(fingerprint) ? Row.RESERVE : Row.RESERVE_MISMATCH, before, payload, now);
    }

    private Outcome meet(Row row, State before, String payload, Instant now) {
        if (!payload.equals(fingerprint)) {
            return refused(row, before, Code.MISMATCH);
        }
        return switch (before) {
            case IN_FLIGHT -> refused(row, before, now.isBefore(leaseUntil) ? Code.WAIT : Code.LAPSED);
            case IN_DOUBT -> refused(row, before, Code.IN_DOUBT);
            case COMPLETED ->
                now.isBefore(expiresAt) ? same(row, before, Code.REPLAY) : refused(row, before, Code.RESULT_EXPIRED);
            default -> same(row, before, Code.REPLAY_NOT_EXECUTED);
        };
    }

    private Outcome start(Row row, State before, String by, String payload, Spans spans, Instant now) {
        var anew = !exists || isForgettable(now);
        if (anew) {
            generation = 1;
            history = List.of();
            outcomes.clear();
            createdAt = now;
            expiresAt = Instant.MIN;
        }
        exists = true;
        fingerprint = payload;
        token = by;
        attempt = 1;
        tried = true;
        result = null;
        // What was used before in this generation, and freed, may be known to the provider since then.
        if (anew || nativeKeyGeneration != generation || nativeKeyAttempt != 1) {
            firstSentAt = now;
        }
        nativeKeyGeneration = generation;
        nativeKeyAttempt = 1;
        enter(State.IN_FLIGHT, now);
        leaseUntil = now.plus(spans.lease());
        // The call may take a lease; what it brings is kept for the retention after that.
        keep(spans.retention().plus(spans.lease()), spans.tombstone(), now);
        return changed(row, before, Code.ACQUIRED);
    }

    /**
     * An attempt is alive.
     *
     * @param by its token
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome renew(String by, Spans spans, Instant now) {
        if (!isOwn(by)) {
            return refused(Row.RENEW_STALE, state, Code.LOST);
        }
        return switch (state) {
            case OPEN -> refused(Row.RENEW_OWN, state, Code.LOST);
            case IN_FLIGHT -> {
                leaseUntil = now.plus(spans.lease());
                yield changed(Row.RENEW_OWN, state, Code.RENEWED);
            }
            case IN_DOUBT -> refused(Row.RENEW_OWN, state, Code.LEASE_LOST);
            case COMPLETED, CLOSED -> refused(Row.RENEW_OWN, state, Code.DONE);
        };
    }

    /**
     * An attempt has a definite outcome.
     *
     * @param by its token
     * @param ofGeneration the generation that it is an attempt of
     * @param number its number
     * @param outcome the outcome
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome complete(String by, int ofGeneration, int number, String outcome, Spans spans, Instant now) {
        var own = isOwn(by) && ofGeneration == generation;
        var row = own ? Row.COMPLETE_OWN : Row.COMPLETE_STALE;
        var before = state;
        if (!own && exists && (ofGeneration < generation || state.isTerminal())) {
            return outdated(ofGeneration, number, outcome);
        }
        if (state == State.OPEN) {
            if (exists) {
                learn(Evidence.Kind.SUPERSEDED, number, outcome);
            }
            return alarmed(row, Code.LOST, Alarm.ORPHAN);
        }
        if (!own) {
            learn(Evidence.Kind.SUPERSEDED, number, outcome);
            return refused(row, before, Code.SUPERSEDED);
        }
        if (state.isTerminal() && !isUnknown()) {
            return resolved(row, number, outcome);
        }
        if (state != State.IN_FLIGHT) {
            append(Evidence.Kind.LATE_RESULT, attempt, null);
        }
        record(outcome, spans, now);
        return changed(row, before, Code.COMPLETED);
    }

    /** An outcome of an attempt that is not the latest, for a generation whose outcome is settled. */
    private Outcome outdated(int ofGeneration, int number, String outcome) {
        var ended = ofGeneration == generation
                ? new Ending(result, state == State.CLOSED)
                : ofGeneration <= outcomes.size() ? outcomes.get(ofGeneration - 1) : new Ending(null, true);
        if (outcome.equals(ended.result())) {
            return refused(Row.COMPLETE_STALE, state, Code.SUPERSEDED);
        }
        if (ended.result() == null && !ended.closed()) {
            learn(Evidence.Kind.SUPERSEDED, number, outcome);
            return refused(Row.COMPLETE_STALE, state, Code.SUPERSEDED);
        }
        var duplicate = !ended.closed();
        learn(duplicate ? Evidence.Kind.DUPLICATE : Evidence.Kind.CONTRADICTION, number, outcome);
        return alarmed(Row.COMPLETE_STALE, Code.SUPERSEDED, duplicate ? Alarm.DUPLICATE : Alarm.CONTRADICTION);
    }

    /** That it ran is recorded, and what came of it is not; in one transaction an attempt knows both or neither. */
    private boolean isUnknown() {
        return state == State.COMPLETED && result == null && terms.policy() != RecoveryTerms.Policy.SAME_TRANSACTION;
    }

    /** An outcome for a key whose outcome is settled. */
    private Outcome resolved(Row row, int number, @Nullable String outcome) {
        if (state == State.COMPLETED) {
            if (outcome == null || outcome.equals(result)) {
                return same(row, state, Code.COMPLETED);
            }
            learn(Evidence.Kind.CONFLICT, number, outcome);
            return alarmed(row, Code.DONE, Alarm.CONFLICT);
        }
        learn(Evidence.Kind.CONTRADICTION, number, outcome);
        return alarmed(row, Code.DONE, Alarm.CONTRADICTION);
    }

    /**
     * An attempt proves that nothing was executed. That frees the key only for the first attempt: an earlier one may have
     * been.
     *
     * @param by its token
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome release(String by, Spans spans, Instant now) {
        var row = isOwn(by) ? Row.RELEASE_OWN : Row.RELEASE_STALE;
        var before = state;
        if (state == State.OPEN) {
            return same(row, before, Code.UNCHANGED);
        }
        if (!isOwn(by)) {
            return refused(row, before, Code.SUPERSEDED);
        }
        if (state.isTerminal()) {
            return refused(row, before, Code.DONE);
        }
        // In one transaction with the record, no earlier attempt can have an effect any more.
        if (attempt == 1 || terms.policy() == RecoveryTerms.Policy.SAME_TRANSACTION) {
            append(Evidence.Kind.RELEASED, attempt, null);
            // After an override, only the payload that was agreed on may come.
            fingerprint = generation == 1 ? null : fingerprint;
            enter(State.OPEN, now);
            keep(spans.retention(), spans.tombstone(), now);
            return changed(row, before, Code.RELEASED);
        }
        if (state == State.IN_DOUBT) {
            return same(row, before, Code.IN_DOUBT);
        }
        append(Evidence.Kind.IN_DOUBT, attempt, null);
        enter(State.IN_DOUBT, now);
        return changed(row, before, Code.IN_DOUBT);
    }

    /**
     * An attempt does not know what became of its call.
     *
     * @param by its token
     * @param now the store's time
     * @return what became of it
     */
    public Outcome markInDoubt(String by, Instant now) {
        var row = isOwn(by) ? Row.DOUBT_OWN : Row.DOUBT_STALE;
        var before = state;
        if (state == State.OPEN) {
            return refused(row, before, Code.LOST);
        }
        if (!isOwn(by)) {
            return refused(row, before, Code.SUPERSEDED);
        }
        return switch (state) {
            case IN_FLIGHT -> {
                append(Evidence.Kind.IN_DOUBT, attempt, null);
                enter(State.IN_DOUBT, now);
                yield changed(row, before, Code.IN_DOUBT);
            }
            case IN_DOUBT -> same(row, before, Code.UNCHANGED);
            default -> refused(row, before, Code.DONE);
        };
    }

    /**
     * Somebody saw that the lease of an attempt is over.
     *
     * @param expected the attempt's token
     * @param now the store's time
     * @return what became of it
     */
    public Outcome expire(String expected, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        var lapsed = !now.isBefore(leaseUntil);
        var row = lapsed ? Row.EXPIRE_LAPSED : Row.EXPIRE_EARLY;
        var before = state;
        return switch (state) {
            case IN_FLIGHT -> {
                if (!lapsed) {
                    yield refused(row, before, Code.NOT_YET);
                }
                append(Evidence.Kind.LAPSED, attempt, null);
                enter(State.IN_DOUBT, now);
                yield changed(row, before, Code.IN_DOUBT);
            }
            case IN_DOUBT -> same(row, before, Code.UNCHANGED);
            default -> refused(row, before, Code.STATE);
        };
    }

    /**
     * A same-transaction operation takes a lapsed attempt over.
     *
     * @param expected the lapsed attempt's token
     * @param by the new attempt's token
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome takeOver(String expected, String by, Spans spans, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        var before = state;
        if (state == State.IN_FLIGHT && now.isBefore(leaseUntil)) {
            return refused(Row.EXPIRE_EARLY, before, Code.NOT_YET);
        }
        return switch (state) {
            case IN_FLIGHT -> {
                next(Evidence.Kind.TAKEN_OVER, by, spans, now);
                yield changed(Row.TAKE_OVER, before, Code.TAKEN_OVER);
            }
            case OPEN, IN_DOUBT -> refused(Row.TAKE_OVER, before, Code.STATE);
            default -> refused(Row.TAKE_OVER, before, Code.DONE);
        };
    }

    /**
     * A worker without a caller is about to ask the provider. Whatever is written next ends its claim.
     *
     * @param expected the token of the attempt in doubt
     * @param duration how long others are held off
     * @param now the store's time
     * @return what became of it
     */
    public Outcome claim(String expected, Duration duration, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        var before = state;
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(Row.CLAIM, before, Code.STATE);
            case IN_DOUBT -> {
                var claimed = claimedUntil();
                if (claimed != null && now.isBefore(claimed)) {
                    yield refused(Row.CLAIM, before, Code.NOT_YET);
                }
                var outcome = changed(Row.CLAIM, before, Code.CLAIMED);
                claimedUntil = now.plus(duration);
                claimedVersion = version;
                yield outcome;
            }
            default -> refused(Row.CLAIM, before, Code.DONE);
        };
    }

    /**
     * The same native key is to be sent again.
     *
     * @param expected the token of the attempt in doubt
     * @param by the new attempt's token
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome resend(String expected, String by, Spans spans, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        var within = terms.resendWithin();
        var open = within != null && now.isBefore(firstSentAt.plus(within));
        var row = open ? Row.RESEND : Row.RESEND_LATE;
        var before = state;
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(row, before, Code.STATE);
            case IN_DOUBT -> {
                if (!open) {
                    yield refused(row, before, Code.WINDOW_CLOSED);
                }
                next(Evidence.Kind.RESENT, by, spans, now);
                yield changed(row, before, Code.RESENT);
            }
            default -> refused(row, before, Code.DONE);
        };
    }

    /**
     * The provider has the write.
     *
     * @param expected the token of the attempt in doubt
     * @param outcome what it has; null when it is not known
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome found(String expected, @Nullable String outcome, Spans spans, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        var before = state;
        if (isUnknown() && outcome != null) {
            append(Evidence.Kind.FOUND, attempt, null);
            record(outcome, spans, now);
            return changed(Row.FOUND, before, Code.COMPLETED);
        }
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(Row.FOUND, before, Code.STATE);
            case IN_DOUBT -> {
                append(Evidence.Kind.FOUND, attempt, null);
                record(outcome, spans, now);
                yield changed(Row.FOUND, before, Code.COMPLETED);
            }
            default -> resolved(Row.FOUND, attempt, outcome);
        };
    }

    /**
     * The provider has nothing, and the call is to be made again.
     *
     * @param expected the token of the attempt in doubt
     * @param by the new attempt's token
     * @param sealed whether the provider will refuse the attempt in doubt for ever
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome reexecute(String expected, String by, boolean sealed, Spans spans, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        if (!sealed && !isQuiescent(now)) {
            return notQuiescent();
        }
        var before = state;
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(Row.REEXECUTE, before, Code.STATE);
            case IN_DOUBT -> {
                next(Evidence.Kind.REEXECUTED, by, spans, now);
                if (sealed) {
                    nativeKeyAttempt = attempt;
                    firstSentAt = now;
                }
                yield changed(Row.REEXECUTE, before, Code.REEXECUTED);
            }
            default -> refused(Row.REEXECUTE, before, Code.DONE);
        };
    }

    /**
     * The provider has nothing, and the key is to be closed as not executed.
     *
     * @param expected the token of the attempt in doubt
     * @param sealed whether the provider will refuse the attempt in doubt for ever
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome close(String expected, boolean sealed, Spans spans, Instant now) {
        if (!isOwn(expected)) {
            return stale();
        }
        if (!sealed && !isQuiescent(now)) {
            return notQuiescent();
        }
        var before = state;
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(Row.CLOSE, before, Code.STATE);
            case IN_DOUBT -> {
                append(Evidence.Kind.CLOSED, attempt, null);
                enter(State.CLOSED, now);
                keep(spans.retention(), spans.tombstone(), now);
                yield changed(Row.CLOSE, before, Code.CLOSED);
            }
            case COMPLETED -> refused(Row.CLOSE, before, Code.DONE);
            case CLOSED -> same(Row.CLOSE, before, Code.UNCHANGED);
        };
    }

    /**
     * Two people let another payload take over the key.
     *
     * @param expected the token that they reviewed
     * @param reviewed the version that they reviewed
     * @param payload the other payload's fingerprint
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome override(String expected, long reviewed, String payload, Spans spans, Instant now) {
        var row = isOwn(expected) && reviewed == version ? Row.OVERRIDE : Row.OVERRIDE_STALE;
        var before = state;
        if (state == State.OPEN) {
            return refused(row, before, Code.STATE);
        }
        if (row == Row.OVERRIDE_STALE) {
            return refused(row, before, Code.CHANGED);
        }
        if (state.isUnresolved()) {
            return refused(row, before, Code.NON_TERMINAL);
        }
        append(Evidence.Kind.OVERRIDE, attempt, result);
        outcomes.add(new Ending(result, state == State.CLOSED));
        generation++;
        fingerprint = payload;
        result = null;
        tried = false;
        enter(State.OPEN, now);
        keep(spans.retention(), spans.tombstone(), now);
        return changed(row, before, Code.OVERRIDDEN);
    }

    /**
     * Two people take back that the key was opened, before anybody has used it.
     *
     * @param expected the token that they reviewed
     * @param reviewed the version that they reviewed
     * @param payload the fingerprint of what stood before
     * @param spans how long things last
     * @param now the store's time
     * @return what became of it
     */
    public Outcome withdraw(String expected, long reviewed, String payload, Spans spans, Instant now) {
        var before = state;
        if (!isOwn(expected) || reviewed != version) {
            return refused(Row.WITHDRAW_STALE, before, Code.CHANGED);
        }
        if (state != State.OPEN || tried) {
            return refused(Row.WITHDRAW, before, Code.STATE);
        }
        var ending = outcomes.get(outcomes.size() - 1);
        append(ending.closed() ? Evidence.Kind.CLOSED : Evidence.Kind.FOUND, attempt, null);
        fingerprint = payload;
        result = ending.result();
        enter(ending.closed() ? State.CLOSED : State.COMPLETED, now);
        keep(spans.retention(), spans.tombstone(), now);
        return changed(Row.WITHDRAW, before, Code.WITHDRAWN);
    }

    /**
     * The record is to be removed.
     *
     * @param now the store's time
     * @return what became of it
     */
    public Outcome purge(Instant now) {
        var before = state;
        if (!exists) {
            return same(Row.PURGE, before, Code.FORGOTTEN);
        }
        var row = now.isBefore(forgetAt) ? Row.PURGE_EARLY : Row.PURGE;
        if (state.isUnresolved()) {
            return refused(row, before, Code.NON_TERMINAL);
        }
        if (row == Row.PURGE_EARLY) {
            return refused(row, before, Code.NOT_YET);
        }
        exists = false;
        state = State.OPEN;
        version = 0;
        claimedVersion = 0;
        token = "";
        return new Outcome(row, before, Verdict.CHANGE, Code.FORGOTTEN, null);
    }

    // ---- what happens to the fields

    private boolean isOwn(String by) {
        return exists && by.equals(token);
    }

    private boolean isForgettable(Instant now) {
        return !state.isUnresolved() && !now.isBefore(forgetAt);
    }

    private boolean isQuiescent(Instant now) {
        var quiescence = terms.quiescence();
        return quiescence != null && !now.isBefore(stateSince.plus(quiescence));
    }

    private Outcome stale() {
        return refused(Row.RECOVERY_STALE, state, state == State.OPEN ? Code.STATE : Code.SUPERSEDED);
    }

    private Outcome notQuiescent() {
        return switch (state) {
            case OPEN, IN_FLIGHT -> refused(Row.NOT_QUIESCENT, state, Code.STATE);
            case IN_DOUBT -> refused(Row.NOT_QUIESCENT, state, Code.NOT_QUIESCENT);
            default -> refused(Row.NOT_QUIESCENT, state, Code.DONE);
        };
    }

    private void enter(State next, Instant now) {
        state = next;
        stateSince = now;
    }

    private void next(Evidence.Kind how, String by, Spans spans, Instant now) {
        append(how, attempt, null);
        attempt++;
        token = by;
        enter(State.IN_FLIGHT, now);
        leaseUntil = now.plus(spans.lease());
    }

    private void record(@Nullable String outcome, Spans spans, Instant now) {
        result = outcome;
        enter(State.COMPLETED, now);
        keep(spans.retention(), spans.tombstone(), now);
    }

    private void keep(Duration retention, Duration tombstone, Instant now) {
        var wanted = now.plus(retention);
        expiresAt = wanted.isAfter(expiresAt) ? wanted : expiresAt;
        forgetAt = expiresAt.plus(tombstone);
    }

    private void append(Evidence.Kind kind, int number, @Nullable String outcome) {
        var all = new ArrayList<>(history);
        if (all.size() >= MAX_HISTORY) {
            all.stream()
                    .filter(line -> line.kind() != Evidence.Kind.OVERRIDE)
                    .findFirst()
                    .ifPresent(all::remove);
        }
        all.add(new Line(kind, number, outcome));
        history = List.copyOf(all);
    }

    /** An outcome that is not the answer is written down once. */
    private void learn(Evidence.Kind kind, int number, @Nullable String outcome) {
        if (!history.contains(new Line(kind, number, outcome))) {
            append(kind, number, outcome);
            version++;
        }
    }

    private Outcome changed(Row row, State before, Code code) {
        version++;
        return new Outcome(row, before, Verdict.CHANGE, code, null);
    }

    private static Outcome same(Row row, State before, Code code) {
        return new Outcome(row, before, Verdict.SAME, code, null);
    }

    private static Outcome refused(Row row, State before, Code code) {
        return new Outcome(row, before, Verdict.REFUSED, code, null);
    }

    private Outcome alarmed(Row row, Code code, Alarm alarm) {
        return new Outcome(row, state, Verdict.REFUSED, code, alarm);
    }

    // ---- what the fields are

    /**
     * Whether a record stands.
     *
     * @return false before the first reservation and after a purge; then the other fields mean nothing
     */
    public boolean exists() {
        return exists;
    }

    /**
     * The state.
     *
     * @return {@link State#OPEN} when no record stands
     */
    public State state() {
        return state;
    }

    /**
     * The number of writes.
     *
     * @return from 1
     */
    public long version() {
        return version;
    }

    /**
     * The generation.
     *
     * @return 1, and one more with every override
     */
    public int generation() {
        return generation;
    }

    /**
     * What the payload must be.
     *
     * @return null when any may come
     */
    public @Nullable String fingerprint() {
        return fingerprint;
    }

    /**
     * The latest attempt's token.
     *
     * @return the token
     */
    public String token() {
        return token;
    }

    /**
     * The latest attempt's number.
     *
     * @return from 1
     */
    public int attempt() {
        return attempt;
    }

    /**
     * The attempt that first used the native key of the latest one.
     *
     * @return 1, or the first attempt after the last seal
     */
    public int nativeKeyAttempt() {
        return nativeKeyAttempt;
    }

    /**
     * The generation of the native key of the latest attempt.
     *
     * @return the key's own; that of the attempt that came before, while nothing was reserved since the key was opened
     */
    public int nativeKeyGeneration() {
        return nativeKeyGeneration;
    }

    /**
     * The answer.
     *
     * @return null unless completed, and when it is known only that the write was made
     */
    public @Nullable String result() {
        return result;
    }

    /**
     * The history.
     *
     * @return oldest first; cannot be changed
     */
    public List<Line> history() {
        return history;
    }

    /**
     * When the key was first reserved.
     *
     * @return the store's time
     */
    public Instant createdAt() {
        return createdAt;
    }

    /**
     * The earliest moment at which the native key can have been sent.
     *
     * @return the store's time
     */
    public Instant firstSentAt() {
        return firstSentAt;
    }

    /**
     * When the key came into its state; in doubt, what quiescence counts from.
     *
     * @return the store's time
     */
    public Instant stateSince() {
        return stateSince;
    }

    /**
     * Until when a worker has claimed the recovery of the key.
     *
     * @return null if nobody has, or something was written since
     */
    public @Nullable Instant claimedUntil() {
        return state == State.IN_DOUBT && claimedVersion == version ? claimedUntil : null;
    }

    /**
     * When the latest attempt's lease ends or would have ended.
     *
     * @return the store's time; of no meaning to others unless in flight
     */
    public Instant leaseUntil() {
        return leaseUntil;
    }

    /**
     * When the answer ends.
     *
     * @return the store's time
     */
    public Instant expiresAt() {
        return expiresAt;
    }

    /**
     * When the record may be removed.
     *
     * @return the store's time
     */
    public Instant forgetAt() {
        return forgetAt;
    }
}

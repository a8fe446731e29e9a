package dev.idempotency;

import static dev.idempotency.StateMachine.Rule.*;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The protocol: 28 events by 5 states, every cell decided. The same table stands in {@code docs/state-machine.md}, and a
 * test holds the two together.
 */
final class StateMachine implements Transitions {
    /** The longest history that a record keeps; overrides are never dropped from it. */
    static final int MAX_EVIDENCE = 64;

    /** The 28 events: what happened, and how it relates to the record. Columns in the order of {@link State}. */
    enum Row {
        RESERVE("reserve, fingerprint equal, new token", START, CONFLICT, CONFLICT, CONFLICT, CONFLICT),
        RESERVE_OWN("reserve, own token again", START_UNLESS_BURNED, ACQUIRE, OWN_DOUBT, CONFLICT, CONFLICT),
        RESERVE_MISMATCH("reserve, fingerprint differs", CONFLICT, CONFLICT, CONFLICT, CONFLICT, CONFLICT),
        RENEW_OWN("renew, own token", LOST, RENEW, LEASE_LOST, DONE, DONE),
        RENEW_STALE("renew, stale token", LOST, LOST, LOST, LOST, LOST),
        COMPLETE_OWN("complete, own token", ORPHANED, COMPLETE, COMPLETE_LATE, COMPLETE_AGAIN, CONTRADICT),
        COMPLETE_STALE("complete, stale token", ORPHANED, OUTDATED, OUTDATED, OUTDATED_COMPLETED, OUTDATED_CLOSED),
        RELEASE_OWN("release unsent, own token", UNCHANGED, RELEASE, RELEASE_DOUBT, DONE, DONE),
        RELEASE_STALE("release unsent, stale token", UNCHANGED, SUPERSEDED, SUPERSEDED, SUPERSEDED, SUPERSEDED),
        DOUBT_OWN("mark in doubt, own token", LOST, DOUBT, UNCHANGED, DONE, DONE),
        DOUBT_STALE("mark in doubt, stale token", LOST, SUPERSEDED, SUPERSEDED, SUPERSEDED, SUPERSEDED),
        EXPIRE_LAPSED("expire, lease over", STATE, LAPSE, UNCHANGED, STATE, STATE),
        EXPIRE_EARLY("expire, lease left", STATE, NOT_YET, UNCHANGED, STATE, STATE),
        TAKE_OVER("take over, lease over, same transaction only", STATE, TAKE, STATE, DONE, DONE),
        CLAIM("claim for recovery", STATE, STATE, Rule.CLAIM, DONE, DONE),
        RESEND("re-send, window open", STATE, STATE, SEND_AGAIN, DONE, DONE),
        RESEND_LATE("re-send, window over", STATE, STATE, WINDOW_CLOSED, DONE, DONE),
        FOUND("found", STATE, STATE, FIND, COMPLETE_AGAIN, CONTRADICT),
        REEXECUTE("re-execute, quiescent or sealed", STATE, STATE, EXECUTE_AGAIN, DONE, DONE),
        NOT_QUIESCENT("re-execute or close, not quiescent", STATE, STATE, Rule.NOT_QUIESCENT, DONE, DONE),
        CLOSE("close as not executed, quiescent or sealed", STATE, STATE, Rule.CLOSE, DONE, UNCHANGED),
        RECOVERY_STALE("recovery, stale token", STATE, SUPERSEDED, SUPERSEDED, SUPERSEDED, SUPERSEDED),
        OVERRIDE("override, reviewed version", STATE, NON_TERMINAL, NON_TERMINAL, Rule.OVERRIDE, Rule.OVERRIDE),
        OVERRIDE_STALE("override, stale version", STATE, CHANGED, CHANGED, CHANGED, CHANGED),
        WITHDRAW("withdraw, reviewed version", Rule.WITHDRAW, STATE, STATE, STATE, STATE),
        WITHDRAW_STALE("withdraw, stale version", CHANGED, CHANGED, CHANGED, CHANGED, CHANGED),
        PURGE("purge, due", FORGET, NON_TERMINAL, NON_TERMINAL, FORGET, FORGET),
        PURGE_EARLY("purge, early", NOT_YET, NON_TERMINAL, NON_TERMINAL, NOT_YET, NOT_YET);

        final String event;
        private final Rule open;
        private final Rule inFlight;
        private final Rule inDoubt;
        private final Rule completed;
        private final Rule closed;

        Row(String event, Rule open, Rule inFlight, Rule inDoubt, Rule completed, Rule closed) {
            this.event = event;
            this.open = open;
            this.inFlight = inFlight;
            this.inDoubt = inDoubt;
            this.completed = completed;
            this.closed = closed;
        }

        Rule rule(State state) {
            return switch (state) {
                case OPEN -> open;
                case IN_FLIGHT -> inFlight;
                case IN_DOUBT -> inDoubt;
                case COMPLETED -> completed;
                case CLOSED -> closed;
            };
        }
    }

    /** What a cell of the table does. */
    enum Rule {
        START,
        START_UNLESS_BURNED,
        CONFLICT,
        ACQUIRE,
        OWN_DOUBT,
        RENEW,
        COMPLETE,
        COMPLETE_LATE,
        COMPLETE_AGAIN,
        CONTRADICT,
        ORPHANED,
        OUTDATED,
        OUTDATED_COMPLETED,
        OUTDATED_CLOSED,
        RELEASE,
        RELEASE_DOUBT,
        DOUBT,
        LAPSE,
        TAKE,
        CLAIM,
        SEND_AGAIN,
        FIND,
        EXECUTE_AGAIN,
        CLOSE,
        OVERRIDE,
        WITHDRAW,
        FORGET,
        UNCHANGED,
        LOST,
        LEASE_LOST,
        DONE,
        SUPERSEDED,
        STATE,
        NOT_YET,
        WINDOW_CLOSED,
        NOT_QUIESCENT,
        NON_TERMINAL,
        CHANGED
    }

    @Override
    public Decision decide(@Nullable IdempotencyRecord record, Event event, Instant now) {
        return apply(rule(record, event, now), record, event, now);
    }

    /** The cell that an event falls into. */
    static Rule rule(@Nullable IdempotencyRecord record, Event event, Instant now) {
        if (record == null) {
            return rowOfNothing(event).rule(State.OPEN);
        }
        boolean forgettable = event instanceof Event.Reserve && record.isForgettable(now);
        return row(record, event, now).rule(forgettable ? State.OPEN : record.state());
    }

    private static Row rowOfNothing(Event event) {
        if (event instanceof Event.Reserve) {
            return Row.RESERVE;
        }
        if (event instanceof Event.Renew) {
            return Row.RENEW_STALE;
        }
        if (event instanceof Event.Complete) {
            return Row.COMPLETE_STALE;
        }
        if (event instanceof Event.Release) {
            return Row.RELEASE_STALE;
        }
        if (event instanceof Event.MarkInDoubt) {
            return Row.DOUBT_STALE;
        }
        if (event instanceof Event.Overrule) {
            return Row.OVERRIDE_STALE;
        }
        if (event instanceof Event.Withdraw) {
            return Row.WITHDRAW_STALE;
        }
        return event instanceof Event.Purge ? Row.PURGE : Row.RECOVERY_STALE;
    }

    /** Which of the 28 events it is. */
    static Row row(IdempotencyRecord record, Event event, Instant now) {
        if (event instanceof Event.Reserve reserve) {
            if (record.token().equals(reserve.token())) {
                return Row.RESERVE_OWN;
            }
            Fingerprint bound = record.isForgettable(now) ? null : record.fingerprint();
            return bound == null || bound.equals(reserve.fingerprint()) ? Row.RESERVE : Row.RESERVE_MISMATCH;
        }
        if (event instanceof Event.Renew renew) {
            return record.token().equals(renew.token()) ? Row.RENEW_OWN : Row.RENEW_STALE;
        }
        if (event instanceof Event.Complete complete) {
            boolean own = record.token().equals(complete.token()) && record.generation() == complete.generation();
            return own ? Row.COMPLETE_OWN : Row.COMPLETE_STALE;
        }
        if (event instanceof Event.Release release) {
            return record.token().equals(release.token()) ? Row.RELEASE_OWN : Row.RELEASE_STALE;
        }
        if (event instanceof Event.MarkInDoubt doubt) {
            return record.token().equals(doubt.token()) ? Row.DOUBT_OWN : Row.DOUBT_STALE;
        }
        if (event instanceof Event.Overrule override) {
            return isReviewed(record, override.version(), override.expected()) ? Row.OVERRIDE : Row.OVERRIDE_STALE;
        }
        if (event instanceof Event.Withdraw withdraw) {
            return isReviewed(record, withdraw.version(), withdraw.expected()) ? Row.WITHDRAW : Row.WITHDRAW_STALE;
        }
        if (event instanceof Event.Purge) {
            return record.isForgettable(now) ? Row.PURGE : Row.PURGE_EARLY;
        }
        return recoveryRow(record, event, now);
    }

    private static boolean isReviewed(IdempotencyRecord record, long version, AttemptToken expected) {
        return record.token().equals(expected) && record.version() == version;
    }

    /** Events of those who do not own the attempt: they hold for the attempt that was read, and for no other. */
    private static Row recoveryRow(IdempotencyRecord record, Event event, Instant now) {
        if (!record.token().equals(expected(event))) {
            return Row.RECOVERY_STALE;
        }
        boolean leaseLeft = record.state() == State.IN_FLIGHT && !record.isLapsed(now);
        if (event instanceof Event.Expire) {
            return leaseLeft ? Row.EXPIRE_EARLY : Row.EXPIRE_LAPSED;
        }
        if (event instanceof Event.TakeOver) {
            return leaseLeft ? Row.EXPIRE_EARLY : Row.TAKE_OVER;
        }
        if (event instanceof Event.Claim) {
            return Row.CLAIM;
        }
        if (event instanceof Event.Resend) {
            return windowIsOpen(record, now) ? Row.RESEND : Row.RESEND_LATE;
        }
        if (event instanceof Event.ReExecute again) {
            return again.sealed() || isQuiescent(record, null, now) ? Row.REEXECUTE : Row.NOT_QUIESCENT;
        }
        if (event instanceof Event.Close close) {
            return close.sealed() || isQuiescent(record, close.quiescence(), now) ? Row.CLOSE : Row.NOT_QUIESCENT;
        }
        return Row.FOUND;
    }

    private static @Nullable AttemptToken expected(Event event) {
        if (event instanceof Event.Expire expire) {
            return expire.expected();
        }
        if (event instanceof Event.TakeOver takeOver) {
            return takeOver.expected();
        }
        if (event instanceof Event.Claim claim) {
            return claim.expected();
        }
        if (event instanceof Event.Resend resend) {
            return resend.expected();
        }
        if (event instanceof Event.ReExecute again) {
            return again.expected();
        }
        if (event instanceof Event.Close close) {
            return close.expected();
        }
        return event instanceof Event.Found found ? found.expected() : null;
    }

    private static boolean windowIsOpen(IdempotencyRecord record, Instant now) {
        Duration guard = record.terms().resendWithin();
        return guard != null && now.isBefore(record.times().firstSentAt().plus(guard));
    }

    private static boolean isQuiescent(IdempotencyRecord record, @Nullable Duration otherwise, Instant now) {
        Instant quiescentAt = quiescentAt(record, otherwise);
        return quiescentAt != null && !now.isBefore(quiescentAt);
    }

    /**
     * When a record in doubt is quiescent.
     *
     * @param otherwise what counts where the key has agreed on no quiescence; null when then nothing counts
     * @return null when it never is
     */
    static @Nullable Instant quiescentAt(IdempotencyRecord record, @Nullable Duration otherwise) {
        Duration agreed = record.terms().quiescence();
        Duration quiescence = agreed == null ? otherwise : agreed;
        return quiescence == null ? null : record.times().stateSince().plus(quiescence);
    }

    private static Decision apply(Rule rule, @Nullable IdempotencyRecord record, Event event, Instant now) {
        return switch (rule) {
            case START, START_UNLESS_BURNED -> start(rule, record, (Event.Reserve) event, now);
            case CONFLICT -> conflict(record, (Event.Reserve) event, now);
            case ORPHANED -> orphaned(record, (Event.Complete) event, now);
            case UNCHANGED -> Decision.same(Decision.Reason.UNCHANGED);
            case FORGET ->
                new Decision(
                        record == null ? Decision.Verdict.SAME : Decision.Verdict.CHANGE,
                        Decision.Reason.FORGOTTEN,
                        null,
                        null);
            case LOST -> Decision.refused(Decision.Reason.LOST);
            case LEASE_LOST -> Decision.refused(Decision.Reason.LEASE_LOST);
            case DONE -> Decision.refused(Decision.Reason.DONE);
            case SUPERSEDED -> Decision.refused(Decision.Reason.SUPERSEDED);
            case STATE -> Decision.refused(Decision.Reason.STATE);
            case NOT_YET -> Decision.refused(Decision.Reason.NOT_YET);
            case WINDOW_CLOSED -> Decision.refused(Decision.Reason.WINDOW_CLOSED);
            case NOT_QUIESCENT -> Decision.refused(Decision.Reason.NOT_QUIESCENT);
            case NON_TERMINAL -> Decision.refused(Decision.Reason.NON_TERMINAL);
            case CHANGED -> Decision.refused(Decision.Reason.CHANGED);
            case OWN_DOUBT -> Decision.refused(Decision.Reason.IN_DOUBT);
            default -> change(rule, Objects.requireNonNull(record, "record"), event, now);
        };
    }

    private static Decision change(Rule rule, IdempotencyRecord record, Event event, Instant now) {
        return switch (rule) {
            case ACQUIRE -> renew(record, ((Event.Reserve) event).spans(), Decision.Reason.ACQUIRED);
            case RENEW -> renew(record, ((Event.Renew) event).spans(), Decision.Reason.RENEWED);
            case COMPLETE, COMPLETE_LATE, FIND -> complete(rule, record, event, now);
            case COMPLETE_AGAIN -> completeAgain(record, event, now);
            case CONTRADICT -> alarm(record, event, now, Evidence.Kind.CONTRADICTION, Decision.Reason.DONE);
            case OUTDATED, OUTDATED_COMPLETED, OUTDATED_CLOSED -> outdated(record, (Event.Complete) event, now);
            case RELEASE, RELEASE_DOUBT -> release(rule, record, ((Event.Release) event).spans(), now);
            case DOUBT -> doubt(record, Evidence.Kind.IN_DOUBT, ((Event.MarkInDoubt) event).reason(), now);
            case LAPSE ->
                doubt(
                        record,
                        Evidence.Kind.LAPSED,
                        "lease over at " + record.times().leaseUntil(),
                        now);
            case TAKE -> {
                var takeOver = (Event.TakeOver) event;
                yield attempt(
                        record, record.nativeKey(), takeOver.token(), takeOver.spans(), Evidence.Kind.TAKEN_OVER, now);
            }
            case CLAIM -> claim(record, (Event.Claim) event, now);
            case SEND_AGAIN -> {
                var resend = (Event.Resend) event;
                yield attempt(record, record.nativeKey(), resend.token(), resend.spans(), Evidence.Kind.RESENT, now);
            }
            case EXECUTE_AGAIN -> {
                var again = (Event.ReExecute) event;
                yield attempt(
                        record,
                        again.sealed() ? newNativeKey(record, again.keyFormat()) : record.nativeKey(),
                        again.token(),
                        again.spans(),
                        Evidence.Kind.REEXECUTED,
                        now);
            }
            case CLOSE -> close(record, (Event.Close) event, now);
            case OVERRIDE -> override(record, (Event.Overrule) event, now);
            case WITHDRAW -> withdraw(record, (Event.Withdraw) event, now);
            default -> throw new IllegalStateException("no transition for " + rule);
        };
    }

    private static Decision conflict(@Nullable IdempotencyRecord record, Event.Reserve reserve, Instant now) {
        return switch (ConflictTable.meet(record, reserve.fingerprint(), now)) {
            case WAIT -> Decision.refused(Decision.Reason.WAIT);
            case EXPIRE -> Decision.refused(Decision.Reason.LAPSED);
            case RECOVER -> Decision.refused(Decision.Reason.IN_DOUBT);
            case REPLAY -> Decision.same(Decision.Reason.REPLAY);
            case REPLAY_NOT_EXECUTED -> Decision.same(Decision.Reason.REPLAY_NOT_EXECUTED);
            case RESULT_EXPIRED -> Decision.refused(Decision.Reason.RESULT_EXPIRED);
            case MISMATCH -> Decision.refused(Decision.Reason.MISMATCH);
            case RESERVE -> start(START, record, reserve, now);
        };
    }

    private static Decision start(Rule rule, @Nullable IdempotencyRecord record, Event.Reserve reserve, Instant now) {
        if (rule == START_UNLESS_BURNED && record != null) {
            return Decision.refused(Decision.Reason.BURNED);
        }
        boolean fresh = record == null || record.isForgettable(now);
        int generation = record == null || fresh ? 1 : record.generation();
        String nativeKey = NativeKeys.derive(reserve.key(), generation, 1, reserve.keyFormat());
        // The provider may count its window from a request that it refused: what it has seen keeps its first send.
        boolean firstSent = record == null || fresh || !nativeKey.equals(record.nativeKey());
        var next = new IdempotencyRecord(
                reserve.key(),
                generation,
                reserve.fingerprint(),
                State.IN_FLIGHT,
                record == null ? 1 : record.version() + 1,
                reserve.token(),
                1,
                nativeKey,
                reserve.terms(),
                null,
                reserve.request(),
                record == null || fresh ? List.of() : record.evidence(),
                record == null || fresh ? IdempotencyRecord.Times.UNSET : record.times());
        // One lease more than the retention, so that recording a short call need not move the expiry: in SQL that keeps
        // the second write off every index.
        Duration retention = reserve.spans().retention().plus(reserve.spans().lease());
        return Decision.change(
                Decision.Reason.ACQUIRED,
                new Write(
                        next,
                        fresh,
                        firstSent,
                        true,
                        reserve.spans().lease(),
                        retention,
                        reserve.spans().tombstone()));
    }

    private static Decision renew(IdempotencyRecord record, Event.Spans spans, Decision.Reason reason) {
        var next = record.with().version(record.version() + 1).build();
        return Decision.change(reason, new Write(next, false, false, false, spans.lease(), null, Duration.ZERO));
    }

    private static Decision complete(Rule rule, IdempotencyRecord record, Event event, Instant now) {
        var builder = record.with()
                .version(record.version() + 1)
                .state(State.COMPLETED)
                .request(null)
                .result(result(event));
        if (rule == COMPLETE_LATE) {
            builder.evidence(
                    appended(record, Evidence.Kind.LATE_RESULT, "the attempt's own answer came late", null, now));
        } else if (rule == FIND) {
            builder.evidence(appended(record, Evidence.Kind.FOUND, ((Event.Found) event).how(), null, now));
        }
        return Decision.change(Decision.Reason.COMPLETED, terminal(builder.build(), spans(event)));
    }

    /** That it ran was recorded without its result, which is now known. */
    private static Decision completeAgain(IdempotencyRecord record, Event event, Instant now) {
        StoredResult result = result(event);
        // That it ran, without a result, contradicts no result.
        if (result == null || isSame(record.result(), result)) {
            return Decision.same(Decision.Reason.COMPLETED);
        }
        if (record.result() != null
                || !mayBeOf(result)
                || record.terms().policy() == RecoveryTerms.Policy.SAME_TRANSACTION) {
            return alarm(record, event, now, Evidence.Kind.CONFLICT, Decision.Reason.DONE);
        }
        return complete(event instanceof Event.Complete ? COMPLETE_LATE : FIND, record, event, now);
    }

    /** Whether it may be the result of a write of which is known only that it was made: a decline is not. */
    private static boolean mayBeOf(StoredResult result) {
        return result.kind() == StoredResult.Kind.RESULT;
    }

    private static Decision release(Rule rule, IdempotencyRecord record, Event.Spans spans, Instant now) {
        // No earlier attempt of a same-transaction operation can commit any more.
        if (record.attempt() > 1 && record.terms().policy() != RecoveryTerms.Policy.SAME_TRANSACTION) {
            return rule == RELEASE_DOUBT
                    ? Decision.same(Decision.Reason.IN_DOUBT)
                    : doubt(record, Evidence.Kind.IN_DOUBT, "nothing was sent, but an earlier attempt was", now);
        }
        var next = record.with()
                .version(record.version() + 1)
                .state(State.OPEN)
                .request(null)
                // What two people have agreed on stays agreed on: after an override only that payload may run.
                .fingerprint(record.generation() > 1 ? record.fingerprint() : null)
                .evidence(appended(record, Evidence.Kind.RELEASED, "nothing was executed", null, now))
                .build();
        // Kept from now on: the provider may have counted the native key's window from this very refusal.
        return Decision.change(
                Decision.Reason.RELEASED,
                new Write(next, false, false, true, null, spans.retention(), spans.tombstone()));
    }

    private static Decision doubt(IdempotencyRecord record, Evidence.Kind kind, String reason, Instant now) {
        var next = record.with()
                .version(record.version() + 1)
                .state(State.IN_DOUBT)
                .evidence(appended(record, kind, reason, null, now))
                .build();
        return Decision.change(
                Decision.Reason.IN_DOUBT, new Write(next, false, false, true, null, null, Duration.ZERO));
    }

    /** Says nothing about the write, and holds off nobody but other claims. */
    private static Decision claim(IdempotencyRecord record, Event.Claim claim, Instant now) {
        Instant claimedUntil = record.times().leaseUntil();
        if (claimedUntil != null && now.isBefore(claimedUntil)) {
            return Decision.refused(Decision.Reason.NOT_YET);
        }
        var next = record.with().version(record.version() + 1).build();
        return Decision.change(
                Decision.Reason.CLAIMED, new Write(next, false, false, false, claim.duration(), null, Duration.ZERO));
    }

    /** A further attempt at a write that was reserved before. */
    private static Decision attempt(
            IdempotencyRecord record,
            String nativeKey,
            AttemptToken token,
            Event.Spans spans,
            Evidence.Kind kind,
            Instant now) {
        var next = record.with()
                .version(record.version() + 1)
                .state(State.IN_FLIGHT)
                .token(token)
                .nativeKey(nativeKey)
                .attempt(record.attempt() + 1)
                .evidence(appended(record, kind, "as attempt " + (record.attempt() + 1), null, now))
                .build();
        Decision.Reason reason = switch (kind) {
            case RESENT -> Decision.Reason.RESENT;
            case TAKEN_OVER -> Decision.Reason.TAKEN_OVER;
            default -> Decision.Reason.REEXECUTED;
        };
        // Only a new native key has a new first send. That there is no effect says nothing about how long the provider
        // has
        // known the key, so that its window does not start again, and what is over stays over.
        boolean firstSent = !nativeKey.equals(record.nativeKey());
        return Decision.change(reason, new Write(next, false, firstSent, true, spans.lease(), null, Duration.ZERO));
    }

    /**
     * Whether the latest attempt sends a native key again because the provider will recognise it. Only that needs an open
     * window: where nothing was executed, it does not matter what the provider knows.
     */
    static boolean isResent(IdempotencyRecord record) {
        if (record.attempt() == 1) {
            return false;
        }
        List<Evidence> history = record.evidence();
        for (int i = history.size() - 1; i >= 0; i--) {
            Evidence line = history.get(i);
            boolean begins = switch (line.kind()) {
                case RESENT, REEXECUTED, TAKEN_OVER -> line.attempt() == record.attempt() - 1;
                default -> false;
            };
            if (begins) {
                return line.kind() == Evidence.Kind.RESENT;
            }
        }
        return true;
    }

    /** What the provider sealed it will refuse for ever, so the next attempt needs another native key. */
    private static String newNativeKey(IdempotencyRecord record, ProviderProfile.KeyFormat format) {
        return NativeKeys.derive(record.key(), record.generation(), record.attempt() + 1, format);
    }

    private static Decision close(IdempotencyRecord record, Event.Close close, Instant now) {
        var next = record.with()
                .version(record.version() + 1)
                .state(State.CLOSED)
                .request(null)
                .evidence(appended(record, Evidence.Kind.CLOSED, close.how(), null, now))
                .build();
        return Decision.change(Decision.Reason.CLOSED, terminal(next, close.spans()));
    }

    private static Decision override(IdempotencyRecord record, Event.Overrule override, Instant now) {
        String detail = override.who() + ": " + override.reason();
        var next = record.with()
                .version(record.version() + 1)
                .generation(record.generation() + 1)
                .state(State.OPEN)
                .fingerprint(override.fingerprint())
                .result(null)
                .evidence(appended(record, Evidence.Kind.OVERRIDE, detail, record.result(), now))
                .build();
        return Decision.change(Decision.Reason.OVERRIDDEN, terminal(next, override.spans()));
    }

    /**
     * The generation stays, so that the nth line of an override goes on to end the nth generation: the old outcome becomes the
     * outcome of this generation, too.
     */
    private static Decision withdraw(IdempotencyRecord record, Event.Withdraw withdraw, Instant now) {
        List<Evidence> history = record.evidence();
        int opened = history.size() - 1;
        while (opened >= 0 && history.get(opened).kind() != Evidence.Kind.OVERRIDE) {
            if (history.get(opened).kind() == Evidence.Kind.RELEASED) {
                return Decision.refused(Decision.Reason.STATE);
            }
            opened--;
        }
        if (opened < 0) {
            return Decision.refused(Decision.Reason.STATE);
        }
        StoredResult result = history.get(opened).result();
        boolean executed = result != null;
        boolean closed = false;
        for (int i = opened - 1; i >= 0 && history.get(i).kind() != Evidence.Kind.OVERRIDE; i--) {
            executed |= history.get(i).kind() == Evidence.Kind.FOUND;
            closed |= history.get(i).kind() == Evidence.Kind.CLOSED;
        }
        if (!executed && !closed) {
            // The line that told what it was has made room for others. Taken for closed, it might be made a second
            // time.
            return Decision.refused(Decision.Reason.STATE);
        }
        String detail = withdraw.who() + ": " + withdraw.reason();
        Evidence.Kind kind = executed ? Evidence.Kind.FOUND : Evidence.Kind.CLOSED;
        var next = record.with()
                .version(record.version() + 1)
                .state(executed ? State.COMPLETED : State.CLOSED)
                .fingerprint(withdraw.fingerprint())
                .result(result)
                .evidence(appended(record, kind, detail, null, now))
                .build();
        return Decision.change(Decision.Reason.WITHDRAWN, terminal(next, withdraw.spans()));
    }

    private static Write terminal(IdempotencyRecord next, Event.Spans spans) {
        return new Write(next, false, false, true, null, spans.retention(), spans.tombstone());
    }

    private static Decision orphaned(@Nullable IdempotencyRecord record, Event.Complete complete, Instant now) {
        if (record != null && record.generation() > complete.generation()) {
            return outdated(record, complete, now);
        }
        Write write = record == null ? null : evidenceOnly(record, complete, now, Evidence.Kind.SUPERSEDED);
        return new Decision(Decision.Verdict.REFUSED, Decision.Reason.LOST, write, IdempotencyEvent.Type.ORPHAN);
    }

    /** The answer of an attempt that is not the latest: right, if it is the one that its generation has recorded. */
    private static Decision outdated(IdempotencyRecord record, Event.Complete complete, Instant now) {
        boolean settled = record.state().isTerminal() || record.generation() > complete.generation();
        if (!settled) {
            Write write = evidenceOnly(record, complete, now, Evidence.Kind.SUPERSEDED);
            return new Decision(Decision.Verdict.REFUSED, Decision.Reason.SUPERSEDED, write, null);
        }
        StoredResult recorded = recordedIn(record, complete.generation());
        if (isSame(recorded, complete.result())) {
            return Decision.refused(Decision.Reason.SUPERSEDED);
        }
        boolean closed = isClosed(record, complete.generation());
        if (recorded == null && !closed && mayBeOf(complete.result())) {
            Write write = evidenceOnly(record, complete, now, Evidence.Kind.SUPERSEDED);
            return new Decision(Decision.Verdict.REFUSED, Decision.Reason.SUPERSEDED, write, null);
        }
        var kind = closed ? Evidence.Kind.CONTRADICTION : Evidence.Kind.DUPLICATE;
        return alarm(record, complete, now, kind, Decision.Reason.SUPERSEDED);
    }

    /** The outcome of this generation, or of an earlier one: the nth override ended generation n and kept its outcome. */
    private static @Nullable StoredResult recordedIn(IdempotencyRecord record, int generation) {
        if (generation == record.generation()) {
            return record.result();
        }
        return record.evidence().stream()
                .filter(line -> line.kind() == Evidence.Kind.OVERRIDE)
                .skip(generation - 1L)
                .findFirst()
                .map(Evidence::result)
                .orElse(null);
    }

    /** An earlier generation without an outcome was closed, unless a line before its end says that it ran. */
    private static boolean isClosed(IdempotencyRecord record, int generation) {
        if (generation == record.generation()) {
            return record.state() == State.CLOSED;
        }
        int ended = 1;
        boolean found = false;
        for (Evidence line : record.evidence()) {
            if (line.kind() == Evidence.Kind.OVERRIDE) {
                if (ended == generation) {
                    return line.result() == null && !found;
                }
                ended++;
                found = false;
            } else {
                found |= line.kind() == Evidence.Kind.FOUND;
            }
        }
        return true;
    }

    private static Decision alarm(
            IdempotencyRecord record, Event event, Instant now, Evidence.Kind kind, Decision.Reason reason) {
        Write write = evidenceOnly(record, event, now, kind);
        return new Decision(Decision.Verdict.REFUSED, reason, write, IdempotencyEvent.Type.valueOf(kind.name()));
    }

    /** Null when the record has this very line already: the reply of an earlier write was lost. */
    private static @Nullable Write evidenceOnly(
            IdempotencyRecord record, Event event, Instant now, Evidence.Kind kind) {
        int attempt = event instanceof Event.Complete complete ? complete.attempt() : record.attempt();
        StoredResult result = result(event);
        boolean known = record.evidence().stream()
                .anyMatch(line ->
                        line.kind() == kind && line.attempt() == attempt && Objects.equals(line.result(), result));
        if (known) {
            return null;
        }
        var line = new Evidence(kind, now, attempt, "an answer that could not be recorded", result);
        var next = record.with()
                .version(record.version() + 1)
                .evidence(appended(record.evidence(), line))
                .build();
        return new Write(next, false, false, false, null, null, Duration.ZERO);
    }

    private static List<Evidence> appended(
            IdempotencyRecord record, Evidence.Kind kind, String detail, @Nullable StoredResult result, Instant now) {
        return appended(record.evidence(), new Evidence(kind, now, record.attempt(), detail, result));
    }

    private static List<Evidence> appended(List<Evidence> history, Evidence line) {
        var all = new ArrayList<>(history);
        for (int i = 0; all.size() >= MAX_EVIDENCE && i < all.size(); ) {
            if (all.get(i).kind() == Evidence.Kind.OVERRIDE) {
                i++;
            } else {
                all.remove(i);
            }
        }
        all.add(line);
        return all;
    }

    private static boolean isSame(@Nullable StoredResult one, StoredResult other) {
        return one != null && one.equals(other);
    }

    private static @Nullable StoredResult result(Event event) {
        return event instanceof Event.Complete complete ? complete.result() : ((Event.Found) event).result();
    }

    private static Event.Spans spans(Event event) {
        return event instanceof Event.Complete complete ? complete.spans() : ((Event.Found) event).spans();
    }
}

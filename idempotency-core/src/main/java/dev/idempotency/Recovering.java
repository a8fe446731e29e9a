package dev.idempotency;

import dev.idempotency.Decision.Verdict;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What an execution does about a key in doubt: asks for evidence, and acts on it. */
final class Recovering<I, O extends @Nullable Object> {
    private final Execution<I, O> execution;
    private final OperationSpec<I, O> spec;
    private final Ports ports;
    private final StoreSteps steps;
    private final CallFailures failures;

    private boolean recovered;

    Recovering(
            Execution<I, O> execution, OperationSpec<I, O> spec, Ports ports, StoreSteps steps, CallFailures failures) {
        this.execution = execution;
        this.spec = spec;
        this.ports = ports;
        this.steps = steps;
        this.failures = failures;
    }

    /** The recovery policy, as it was agreed when the key was reserved. */
    Step<Answer<O>> recover(IdempotencyRecord standing, Instant now) {
        Policy policy = standing.terms().policy();
        if ((policy == Policy.SAME_TRANSACTION) != (spec.sameTransaction() != null)) {
            return inDoubt(
                    standing,
                    null,
                    "It was reserved "
                            + (policy == Policy.SAME_TRANSACTION ? "to be called in" : "for a call outside of")
                            + " a transaction of the store, and the operation has changed; only a person's decision"
                            + " resolves it.");
        }
        if (policy == Policy.HOLD) {
            return inDoubt(
                    standing,
                    null,
                    "Under hold, as agreed when the key was reserved, only a late answer or a person's decision (Admin,"
                            + " or idempotency-cli) resolves it.");
        }
        long delay = nextRecovery();
        if (delay < 0) {
            return inDoubt(standing, resolvableAt(standing, now), "Executing the request again later resolves it.");
        }
        return delay == 0
                ? investigate(standing, now)
                : new Step.Pause<>(Duration.ofMillis(delay), execution::interrupted, this::lookForDoubt);
    }

    /** A lapsed attempt whose transaction cannot be committed once another has the key. */
    boolean mayTakeOver(IdempotencyRecord lapsed) {
        return spec.sameTransaction() != null && lapsed.terms().policy() == Policy.SAME_TRANSACTION;
    }

    Step<Answer<O>> takeOver(IdempotencyRecord lapsed, Instant now) {
        AttemptToken token = ports.tokens().get();
        Decision decision =
                ports.machine().decide(lapsed, new Event.TakeOver(lapsed.token(), token, spec.spans()), now);
        return decision.verdict() == Verdict.CHANGE
                ? execution.acquire("take over", lapsed, decision, token, IdempotencyEvent.Type.TAKEN_OVER)
                : execution.look();
    }

    /** The first recovery is free; more come out of the operation's retry. */
    private long nextRecovery() {
        if (!recovered) {
            recovered = true;
            return 0;
        }
        Throwable last = failures.last();
        long delay = last == null ? -1 : failures.retryDelay(last);
        return delay < 0 ? -1 : Math.max(1, delay);
    }

    /** After a pause: the same, unless somebody else has settled the key meanwhile. */
    private Step<Answer<O>> lookForDoubt() {
        return steps.ask(
                Step.Request.find(execution.key()),
                snapshot -> {
                    IdempotencyRecord standing = snapshot.record();
                    return standing != null
                                    && ConflictTable.meet(standing, execution.fingerprint(), snapshot.now())
                                            == ConflictTable.Meeting.RECOVER
                            ? investigate(standing, snapshot.now())
                            : execution.meet(snapshot, null);
                },
                execution::storeFailed);
    }

    private Step<Answer<O>> investigate(IdempotencyRecord standing, Instant now) {
        return switch (standing.terms().policy()) {
            case NATIVE, NATIVE_THEN_LOOKUP -> resend(standing, now);
            case LOOKUP -> lookUp(standing, now);
            case SEAL -> seal(standing, now);
            case SAME_TRANSACTION -> missing(standing, now, false);
            case HOLD -> inDoubt(standing, null, "Only a person's decision (Admin, or idempotency-cli) resolves it.");
        };
    }

    private Step<Answer<O>> resend(IdempotencyRecord standing, Instant now) {
        if (spec.nativeKeyUse().isMissing(standing)) {
            return standing.terms().policy() == Policy.NATIVE_THEN_LOOKUP
                    ? lookUp(standing, now)
                    : inDoubt(
                            standing,
                            null,
                            "It is not sent again, because its call, or the latest one of this operation, never asked for"
                                    + " attempt.nativeKey(), so that the provider would not recognise it. Send that key;"
                                    + " what is in doubt without it, only a person's decision (Admin, or"
                                    + " idempotency-cli) resolves.");
        }
        AttemptToken token = ports.tokens().get();
        Decision decision =
                ports.machine().decide(standing, new Event.Resend(standing.token(), token, spec.spans()), now);
        if (decision.verdict() == Verdict.CHANGE) {
            return execution.acquire("re-send", standing, decision, token, IdempotencyEvent.Type.RESENT);
        }
        return standing.terms().policy() == Policy.NATIVE_THEN_LOOKUP
                ? lookUp(standing, now)
                : inDoubt(
                        standing,
                        null,
                        "The provider's window is over; only a person's decision (Admin, or idempotency-cli) resolves it.");
    }

    private Step<Answer<O>> lookUp(IdempotencyRecord standing, Instant now) {
        return spec.recovery().lookupFunction() == null
                ? inDoubt(standing, null, "This operation has no lookup any more; give it one, or decide.")
                : askProvider(standing, now, false);
    }

    private Step<Answer<O>> seal(IdempotencyRecord standing, Instant now) {
        return spec.recovery().sealFunction() == null
                ? inDoubt(standing, null, "This operation has no seal any more; give it one, or decide.")
                : askProvider(standing, now, true);
    }

    private Step<Answer<O>> askProvider(IdempotencyRecord standing, Instant now, boolean seal) {
        return execution.hasCaller() ? ask(standing, now, seal) : claim(standing, now, seal);
    }

    /** Without a caller nothing is urgent: of all workers of all processes, one at a time asks. */
    private Step<Answer<O>> claim(IdempotencyRecord standing, Instant now, boolean seal) {
        // Twice the time after which the question is given up, so that a claim outlives it.
        Duration duration = spec.recoveryTimeout().multipliedBy(2);
        Decision decision = ports.machine().decide(standing, new Event.Claim(standing.token(), duration), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return execution.busy();
        }
        return steps.ask(
                Step.Request.replace("claim", standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord claimed = snapshot.record();
                    return snapshot.applied() && claimed != null
                            ? ask(claimed, snapshot.now(), seal)
                            : execution.busy();
                },
                execution::storeFailed);
    }

    private Step<Answer<O>> ask(IdempotencyRecord standing, Instant now, boolean seal) {
        execution.emit(IdempotencyEvent.Type.RECOVERY_STARTED, standing, seal ? "seal" : "lookup");
        return new Step.Investigate<>(
                new RunningAttempt(standing, null), seal, outcome -> investigated(standing, now, seal, outcome));
    }

    /**
     * What the provider said.
     *
     * @param askedAt the store's time before the provider was asked: only that counts for quiescence
     */
    private Step<Answer<O>> investigated(
            IdempotencyRecord standing, Instant askedAt, boolean seal, Step.Outcome outcome) {
        Throwable failure = outcome.failure();
        if (failure == null && outcome.value() instanceof Finding<?> finding) {
            if (finding instanceof Finding.Found<?> found) {
                return found(standing, askedAt, execution.typed(found.result()));
            }
            if (finding instanceof Finding.Missing<?>) {
                return missing(standing, askedAt, seal);
            }
            String reason = ((Finding.Unknown<?>) finding).reason();
            execution.emit(IdempotencyEvent.Type.RECOVERY_FAILED, standing, "unknown");
            return inDoubt(standing, null, "The provider did not say: " + reason + ".");
        }
        if (failure != null) {
            failure = failures.note(failure);
        }
        String what = (seal ? "The seal" : "The lookup")
                + (failure == null ? " returned null." : " failed; executing the request again repeats it.");
        execution.emit(
                IdempotencyEvent.Type.RECOVERY_FAILED,
                standing,
                failure == null ? "null" : failure.getClass().getName());
        return inDoubt(standing, null, what);
    }

    private Step<Answer<O>> found(IdempotencyRecord standing, Instant now, O value) {
        StoredResult result;
        try {
            result = spec.outcomes().encode(value);
        } catch (Throwable e) {
            failures.note(e);
            return inDoubt(standing, null, "What the provider has cannot be encoded.");
        }
        Decision decision =
                ports.machine().decide(standing, new Event.Found(standing.token(), result, spec.spans()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return execution.look();
        }
        return settle(
                "found", standing, decision, IdempotencyEvent.Type.FOUND, after -> execution.recorded(after, result));
    }

    private Step<Answer<O>> missing(IdempotencyRecord standing, Instant askedAt, boolean sealed) {
        WhenMissing whenMissing = standing.terms().whenMissing();
        if (whenMissing == WhenMissing.HOLD) {
            return inDoubt(standing, null, "The provider has nothing yet; a late answer or a person resolves it.");
        }
        if (whenMissing == WhenMissing.CLOSE) {
            Decision decision =
                    ports.machine().decide(standing, new Event.Close(standing.token(), sealed, spec.spans()), askedAt);
            return decision.verdict() == Verdict.CHANGE
                    ? settle("close", standing, decision, IdempotencyEvent.Type.CLOSED, after -> closed())
                    : notYetQuiescent(standing, askedAt);
        }
        AttemptToken token = ports.tokens().get();
        Decision decision = ports.machine()
                .decide(
                        standing,
                        new Event.ReExecute(
                                standing.token(), token, sealed, spec.recovery().keyFormat(), spec.spans()),
                        askedAt);
        return decision.verdict() == Verdict.CHANGE
                ? execution.acquire("re-execute", standing, decision, token, IdempotencyEvent.Type.REEXECUTED)
                : notYetQuiescent(standing, askedAt);
    }

    private Answer<O> closed() {
        return Answer.failed(() -> new NotExecutedException(
                execution.key(), "The write was not executed; the key is closed", true, failures.last()));
    }

    private Step<Answer<O>> notYetQuiescent(IdempotencyRecord standing, Instant now) {
        Instant quiescentAt = quiescentAt(standing);
        if (quiescentAt != null) {
            long left = Duration.between(now, quiescentAt).toNanos();
            if (left <= execution.waitLeft()) {
                return new Step.Pause<>(
                        Duration.ofNanos(Math.max(1, left)), execution::interrupted, this::lookForDoubt);
            }
        }
        return inDoubt(
                standing, quiescentAt, "The provider has nothing yet; executing the request again later resolves it.");
    }

    /** Null where executing the request again need not wait for quiescence. */
    private static @Nullable Instant resolvableAt(IdempotencyRecord standing, Instant now) {
        Duration window = standing.terms().resendWithin();
        boolean open =
                window != null && now.isBefore(standing.times().firstSentAt().plus(window));
        return open ? null : quiescentAt(standing);
    }

    private static @Nullable Instant quiescentAt(IdempotencyRecord standing) {
        Duration quiescence = standing.terms().quiescence();
        return quiescence == null || standing.state() != State.IN_DOUBT
                ? null
                : standing.times().stateSince().plus(quiescence);
    }

    private Step<Answer<O>> settle(
            String name,
            IdempotencyRecord standing,
            Decision decision,
            IdempotencyEvent.Type how,
            Function<IdempotencyRecord, Answer<O>> answer) {
        return steps.ask(
                Step.Request.replace(name, standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord after = snapshot.record();
                    if (!snapshot.applied() || after == null) {
                        return execution.meet(snapshot, null);
                    }
                    execution.emit(how, standing, "");
                    return execution.done(answer.apply(after));
                },
                execution::storeFailed);
    }

    Step<Answer<O>> inDoubt(IdempotencyRecord standing, @Nullable Instant resolvableAt, String what) {
        Instant since = standing.state() == State.IN_DOUBT ? standing.times().stateSince() : null;
        Throwable cause = failures.last();
        return execution.done(Answer.failed(
                () -> new InDoubtException(execution.key(), standing.attempt(), since, resolvableAt, what, cause)));
    }
}

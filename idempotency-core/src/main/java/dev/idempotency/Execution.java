package dev.idempotency;

import dev.idempotency.Decision.Verdict;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.WakingStore;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of one request: reserve, call, record, in {@link Step}s. Each method is what happens between two steps, and each
 * step is a point at which the process may die.
 */
final class Execution<I, O extends @Nullable Object> {
    private final OperationSpec<I, O> spec;
    private final Ports ports;
    private final I request;
    private final IdempotencyKey key;
    private final Fingerprint fingerprint;
    private final boolean hasCaller;
    private final long waitUntil;
    private final Consumer<Lease> onLease;
    private final StoreSteps steps;
    private final CallFailures failures;
    private final Recovering<I, O> recovering;

    private @Nullable Lease lease;
    private @Nullable WakeUp wakeUp;
    private @Nullable StoredRequest kept;
    private int polls;
    private int recognised;
    private boolean mayHaveActed;
    private @Nullable Consumer<Answer<O>> onOverdue;

    Execution(OperationSpec<I, O> spec, Ports ports, I request, IdempotencyKey key, Fingerprint fingerprint) {
        this(
                spec,
                ports,
                request,
                key,
                fingerprint,
                ports.nanoTime().getAsLong() + spec.waitAtMost().toNanos(),
                lease -> {});
    }

    /**
     * A run with a caller.
     *
     * @param waitUntil how long it may wait for others, on this process's monotonic clock
     * @param onLease hears of each lease that the run acquires
     */
    Execution(
            OperationSpec<I, O> spec,
            Ports ports,
            I request,
            IdempotencyKey key,
            Fingerprint fingerprint,
            long waitUntil,
            Consumer<Lease> onLease) {
        this(spec, ports, request, key, fingerprint, true, waitUntil, onLease);
    }

    /** A run that only resolves what stands: it makes no reservation, and waits for nobody. */
    static <I, O extends @Nullable Object> Execution<I, O> withoutCaller(
            OperationSpec<I, O> spec, Ports ports, I request, IdempotencyKey key, Fingerprint fingerprint) {
        return new Execution<>(
                spec, ports, request, key, fingerprint, false, ports.nanoTime().getAsLong(), lease -> {});
    }

    private Execution(
            OperationSpec<I, O> spec,
            Ports ports,
            I request,
            IdempotencyKey key,
            Fingerprint fingerprint,
            boolean hasCaller,
            long waitUntil,
            Consumer<Lease> onLease) {
        this.spec = spec;
        this.ports = ports;
        this.request = request;
        this.key = key;
        this.fingerprint = fingerprint;
        this.hasCaller = hasCaller;
        this.waitUntil = waitUntil;
        this.onLease = onLease;
        this.steps = new StoreSteps(ports, key, spec.waitAtMost());
        this.failures = new CallFailures(spec.failures(), key, spec.retry());
        this.recovering = new Recovering<>(this, spec, ports, steps, failures);
    }

    I request() {
        return request;
    }

    IdempotencyKey key() {
        return key;
    }

    Fingerprint fingerprint() {
        return fingerprint;
    }

    /** Whether somebody wants the answer, and a key that is free is to be reserved. */
    boolean hasCaller() {
        return hasCaller;
    }

    Watch watch() {
        return ports.watch();
    }

    /** How long this run may still wait for others, in nanoseconds. */
    long waitLeft() {
        return waitUntil - nanoTime();
    }

    /** Hears what the caller gets when the call has run into its time-out; the run itself goes on waiting for the call. */
    void onOverdue(Consumer<Answer<O>> hears) {
        onOverdue = hears;
    }

    /** The answer that is known in this process, if there is one: the run then takes no step of the store. */
    @Nullable
    Answer<O> near() {
        NearCache near = ports.near();
        Snapshot seen = near == null ? null : near.find(key, nanoTime());
        if (seen == null || seen.record() == null || spec.isJoined()) {
            return null;
        }
        IdempotencyRecord outcome = seen.record();
        return switch (ConflictTable.meet(outcome, fingerprint, seen.now())) {
            case REPLAY -> {
                ports.replays().count(true);
                yield replay(outcome);
            }
            case MISMATCH -> mismatch(outcome);
            default -> null;
        };
    }

    /** Not from within a transaction of the caller's: what it sees may be rolled back. */
    private void keepNear(IdempotencyRecord record, Instant now) {
        NearCache near = ports.near();
        if (near != null && !spec.isJoined()) {
            near.keep(record, now, steps.askedAt());
        }
    }

    Step<Answer<O>> start() {
        return ports.replays().prevail() ? look() : reserve();
    }

    // ---- reserve

    private Step<Answer<O>> reserve() {
        AttemptToken token = ports.tokens().get();
        long askedAt = nanoTime();
        Write write =
                ports.machine().decide(null, reservation(token), steps.time()).toWrite();
        return steps.ask(
                Step.Request.reserve(write),
                snapshot -> {
                    if (!snapshot.applied()) {
                        return meet(snapshot, token);
                    }
                    ports.replays().count(false);
                    return acquired(snapshot, askedAt, IdempotencyEvent.Type.RESERVED);
                },
                failure -> unreserved(token, failure));
    }

    /** Encoded once, and not for a run that never reserves. */
    private @Nullable StoredRequest kept() {
        if (kept == null) {
            kept = spec.keep(request, key, fingerprint);
        }
        return kept;
    }

    private Event.Reserve reservation(AttemptToken token) {
        return new Event.Reserve(
                key, fingerprint, token, spec.terms(), kept(), spec.recovery().keyFormat(), spec.spans());
    }

    /** Nothing was sent. If the reservation was written all the same, it is released as soon as the store is back. */
    private Step<Answer<O>> unreserved(AttemptToken token, StoreException failure) {
        Step<?> afterwards = failure.mayHaveWritten() ? releaseAfterwards(token, 1) : null;
        return new Step.Done<>(unreachable(failure), afterwards);
    }

    /** A run whose own call may have made the write must not be told that nothing was sent. */
    private Answer<O> unreachable(StoreException failure) {
        return mayHaveActed
                ? unresolved(
                        "The store failed before it was resolved; executing the request again later resolves it.",
                        failure)
                : Answer.failedAlone(() -> failure);
    }

    private Answer<O> unresolved(String what, Throwable cause) {
        int attempt = lease().record().attempt();
        return Answer.failedAlone(() -> new InDoubtException(key, attempt, null, null, what, cause));
    }

    private Step<Boolean> releaseAfterwards(AttemptToken token, int tries) {
        return steps.afterwards(tries, Step.Request.find(key), reply -> {
            Snapshot snapshot = reply.snapshot();
            if (snapshot == null) {
                return releaseAfterwards(token, tries + 1);
            }
            IdempotencyRecord standing = snapshot.record();
            if (standing == null || !standing.token().equals(token)) {
                return new Step.Done<>(true, null);
            }
            Decision decision =
                    ports.machine().decide(standing, new Event.Release(token, spec.spans()), snapshot.now());
            if (decision.verdict() != Verdict.CHANGE) {
                return new Step.Done<>(true, null);
            }
            return steps.afterwards(
                    tries,
                    Step.Request.replace("release", standing, decision.toWrite()),
                    written -> written.snapshot() != null && written.snapshot().applied()
                            ? new Step.Done<>(true, null)
                            : releaseAfterwards(token, tries + 1));
        });
    }

    /** The key was there already. */
    Step<Answer<O>> meet(Snapshot snapshot, @Nullable AttemptToken own) {
        IdempotencyRecord standing = snapshot.record();
        if (standing == null) {
            return mayHaveActed ? vanished() : begin();
        }
        if (own != null && standing.token().equals(own)) {
            return recognise(standing, snapshot.now(), own);
        }
        if (!hasCaller) {
            return meetAlone(standing, snapshot.now());
        }
        return switch (ConflictTable.meet(standing, fingerprint, snapshot.now())) {
            case RESERVE -> mayHaveActed ? reopened(standing) : takeOpen(standing, snapshot.now());
            case WAIT -> await(standing, snapshot.now());
            case EXPIRE ->
                recovering.mayTakeOver(standing)
                        ? recovering.takeOver(standing, snapshot.now())
                        : expire(standing, snapshot.now());
            case RECOVER -> recovering.recover(standing, snapshot.now());
            case REPLAY -> {
                ports.replays().count(true);
                keepNear(standing, snapshot.now());
                yield done(replay(standing));
            }
            case REPLAY_NOT_EXECUTED -> {
                emit(IdempotencyEvent.Type.REPLAYED, standing, "not executed");
                yield done(Answer.failed(() -> new NotExecutedException(
                        key, "The key is closed: the write was not executed, and will not be", true, null)));
            }
            case RESULT_EXPIRED -> {
                emit(IdempotencyEvent.Type.RESULT_UNAVAILABLE, standing, "expired");
                yield done(Answer.failed(() -> new ResultUnavailableException(
                        key, "The operation ran, but its result has expired; no further call is made", null)));
            }
            case MISMATCH -> done(mismatch(standing));
        };
    }

    private Answer<O> mismatch(IdempotencyRecord standing) {
        emit(IdempotencyEvent.Type.MISMATCHED, standing, "");
        return Answer.failed(() -> new MismatchException(key, fingerprint));
    }

    private Step<Answer<O>> begin() {
        return hasCaller ? reserve() : settled();
    }

    // ---- without a caller

    /** Resolves the key if it stands unresolved, and does nothing else. */
    Step<Answer<O>> recover() {
        return look();
    }

    private Step<Answer<O>> meetAlone(IdempotencyRecord standing, Instant now) {
        return switch (ConflictTable.meet(standing, fingerprint, now)) {
            case EXPIRE -> expire(standing, now);
            case RECOVER -> recovering.recover(standing, now);
            case WAIT -> busy();
            default -> settled();
        };
    }

    /** Nobody asks for the outcome. */
    private Step<Answer<O>> settled() {
        return done(Answer.of(() -> typed(null)));
    }

    /** Another run has the key, or another worker the recovery of it. */
    Step<Answer<O>> busy() {
        return done(Answer.failedAlone(() -> new InFlightException(key, "Another run is in flight", null)));
    }

    // ---- with or without

    /** Our own write stands: the reply to it was lost. Only an acknowledged write makes it ours. */
    private Step<Answer<O>> recognise(IdempotencyRecord standing, Instant now, AttemptToken own) {
        Decision decision = ports.machine().decide(standing, reservation(own), now);
        if (decision.verdict() == Verdict.CHANGE) {
            if (++recognised > StoreSteps.TRIES) {
                return unreserved(
                        own,
                        new StoreException(
                                "The store takes the reservation each time, and each time says that it may not have",
                                true,
                                null));
            }
            return acquire("recognise", standing, decision, own, IdempotencyEvent.Type.RESERVED);
        }
        return decision.reason() == Decision.Reason.IN_DOUBT
                ? release(standing, now, new NotExecutedException("it lapsed before it was known to be reserved", null))
                : hasCaller ? reserve() : look();
    }

    /** This run may have made the write already: whoever reopened the key did not know, so it takes a fresh execution. */
    private Step<Answer<O>> reopened(IdempotencyRecord standing) {
        return recovering.inDoubt(standing, null, "The key was reopened or forgotten before its outcome was recorded.");
    }

    private Step<Answer<O>> takeOpen(IdempotencyRecord standing, Instant now) {
        AttemptToken token = ports.tokens().get();
        Decision decision = ports.machine().decide(standing, reservation(token), now);
        return decision.verdict() == Verdict.CHANGE
                ? acquire("reserve", standing, decision, token, IdempotencyEvent.Type.RESERVED)
                : look();
    }

    /** Enters IN_FLIGHT by replacing what stands. */
    Step<Answer<O>> acquire(
            String name, IdempotencyRecord standing, Decision decision, AttemptToken token, IdempotencyEvent.Type how) {
        long askedAt = nanoTime();
        return steps.ask(
                Step.Request.replace(name, standing, decision.toWrite()),
                snapshot -> snapshot.applied() ? acquired(snapshot, askedAt, how) : meet(snapshot, token),
                failure -> unreserved(token, failure));
    }

    // ---- wait

    private Step<Answer<O>> await(IdempotencyRecord standing, Instant now) {
        long left = waitLeft();
        if (left <= 0) {
            emit(IdempotencyEvent.Type.IN_FLIGHT_REFUSED, standing, "");
            boolean refused = spec.waitAtMost().isZero();
            String what = refused
                    ? "Another run is in flight"
                    : "Another run is still in flight after " + Durations.text(spec.waitAtMost());
            Instant lapses = standing.times().leaseUntil();
            return done(Answer.failedAlone(
                    () -> new InFlightException(key, lapses == null ? what : what + leaseEnds(lapses), null)));
        }
        if (polls == 0) {
            emit(IdempotencyEvent.Type.WAITING, standing, "");
        }
        Instant leaseUntil = standing.times().leaseUntil();
        long leaseLeft =
                leaseUntil == null ? left : Duration.between(now, leaseUntil).toNanos();
        return pauseAndLook(Math.min(left, Math.max(leaseLeft, 0)));
    }

    private static String leaseEnds(Instant lapses) {
        return ". Should its process be dead, its lease ends at " + lapses
                + " by the store's clock: execute the same request again then";
    }

    private Step<Answer<O>> pauseAndLook(long atMostNanos) {
        long interval = Duration.ofMillis(ports.backoff().apply(++polls)).toNanos();
        return new Step.Pause<>(
                Duration.ofNanos(Math.max(1, Math.min(interval, atMostNanos))),
                this::interrupted,
                true,
                this::lookAgain);
    }

    private Step<Answer<O>> lookAgain() {
        if (wakeUp != null) {
            wakeUp.look();
        }
        return look();
    }

    /** Ends when the store tells that the attempt which this run waits for has ended, or does not end. */
    CompletableFuture<@Nullable Void> woken(WakingStore store) {
        if (wakeUp == null) {
            wakeUp = WakeUp.on(store, key);
        }
        return wakeUp.next();
    }

    /** Nobody waits any more. */
    void stopWaiting() {
        if (wakeUp != null) {
            Audience.quietly("the end of a wait", wakeUp::close);
        }
    }

    Step<Answer<O>> look() {
        return steps.ask(Step.Request.find(key), snapshot -> meet(snapshot, null), this::storeFailed);
    }

    Step<Answer<O>> storeFailed(StoreException failure) {
        return done(unreachable(failure));
    }

    private Step<Answer<O>> expire(IdempotencyRecord standing, Instant now) {
        Decision decision = ports.machine().decide(standing, new Event.Expire(standing.token()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return look();
        }
        return steps.ask(
                Step.Request.replace("expire", standing, decision.toWrite()),
                snapshot -> {
                    if (snapshot.applied()) {
                        emit(IdempotencyEvent.Type.LAPSED, standing, "");
                    }
                    return meet(snapshot, null);
                },
                this::storeFailed);
    }

    private Answer<O> replay(IdempotencyRecord standing) {
        StoredResult result = standing.result();
        Outcomes.Read<O> read = spec.outcomes().read(key, result);
        if (read.unavailable() == null) {
            boolean declined = result != null && result.kind() == StoredResult.Kind.DECLINED;
            emit(IdempotencyEvent.Type.REPLAYED, standing, declined ? "declined" : "");
        }
        return told(standing, read);
    }

    /** The outcome that is recorded now, as everybody gets it from here on: this run's caller, too. */
    Answer<O> recorded(IdempotencyRecord standing, StoredResult own) {
        StoredResult result = standing.result();
        return told(standing, spec.outcomes().read(key, result == null ? own : result));
    }

    private Answer<O> told(IdempotencyRecord standing, Outcomes.Read<O> read) {
        if (read.unavailable() != null) {
            emit(IdempotencyEvent.Type.RESULT_UNAVAILABLE, standing, read.unavailable());
        }
        return read.answer();
    }

    // ---- call

    private Step<Answer<O>> acquired(Snapshot snapshot, long askedAt, IdempotencyEvent.Type how) {
        IdempotencyRecord record = Objects.requireNonNull(snapshot.record(), "record");
        lease = new Lease(ports, spec.spans(), spec.callTimeout(), snapshot, record, askedAt);
        // With the key, earlier transactions of this run have lost their chance to be committed.
        mayHaveActed &= spec.sameTransaction() == null;
        emit(how, record, "");
        onLease.accept(lease);
        Consumer<Answer<O>> hears = onOverdue;
        if (hears != null) {
            lease.onOverdue(() -> hears.accept(overdue()));
        }
        ports.leases().accept(lease);
        return send();
    }

    private Lease lease() {
        return Objects.requireNonNull(lease, "lease");
    }

    private Step<Answer<O>> send() {
        IdempotencyRecord record = lease().record();
        if (!lease().maySend()) {
            return unsent(
                    new NotExecutedException("the lease or the provider's window was over before the call", null));
        }
        emit(IdempotencyEvent.Type.CALLING, record, "");
        var attempt = new RunningAttempt(record, lease);
        if (spec.sameTransaction() == null) {
            return new Step.Call<>(attempt, outcome -> called(attempt, outcome));
        }
        var recorded = new Recorded();
        return new Step.Transact<>(attempt, recorded, ending -> transacted(recorded, ending));
    }

    private Step<Answer<O>> called(RunningAttempt attempt, Step.Outcome outcome) {
        Throwable failure = outcome.failure();
        if (failure == null) {
            mayHaveActed = true;
            String returned = spec.nativeKeyUse().ended(attempt, "the call returned, but its result cannot be encoded");
            O value = typed(outcome.value());
            StoredResult result;
            try {
                result = spec.outcomes().encode(value);
            } catch (Throwable e) {
                return doubt(e, returned);
            }
            failures.succeeded();
            return record(result);
        }
        failure = failures.note(failure);
        if (failure instanceof DeclinedException declined && failures.isDecline(declined)) {
            mayHaveActed = true;
            var unused = spec.nativeKeyUse().ended(attempt, "declined");
            return declined(declined);
        }
        return switch (failures.classify(failure)) {
            case NOT_SENT, NOT_EXECUTED -> unsent(failure);
            case AMBIGUOUS ->
                doubt(failure, spec.nativeKeyUse().ended(attempt, "the call failed with " + Doubts.name(failure)));
        };
    }

    private Step<Answer<O>> declined(DeclinedException declined) {
        return record(Outcomes.decline(declined.reason()));
    }

    /** Proof that nothing was executed: the call may be made again under the same reservation, or the key is freed. */
    private Step<Answer<O>> unsent(Throwable failure) {
        long delay = lease().isLost() ? -1 : failures.retryDelay(failure);
        Duration pause = Duration.ofMillis(Math.max(1, delay));
        if (delay < 0 || Waits.nanos(pause) > lease().callLeft()) {
            return release(lease().record(), steps.time(), failure);
        }
        emit(IdempotencyEvent.Type.RETRIED, lease().record(), failure.getClass().getName());
        return new Step.Pause<>(
                pause,
                () -> release(lease().record(), steps.time(), failure),
                lease().isEnded() ? this::regain : this::send);
    }

    /** The lease was ended for a record that was then rolled back: the same attempt goes on under a new one. */
    private Step<Answer<O>> regain() {
        IdempotencyRecord own = lease().record();
        Decision decision = ports.machine().decide(own, reservation(own.token()), steps.time());
        return decision.verdict() == Verdict.CHANGE
                ? acquire("renew", own, decision, own.token(), IdempotencyEvent.Type.RENEWED)
                : look();
    }

    private Step<Answer<O>> release(IdempotencyRecord standing, Instant now, Throwable failure) {
        endLease();
        Decision decision = ports.machine().decide(standing, new Event.Release(standing.token(), spec.spans()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return decision.reason() == Decision.Reason.IN_DOUBT ? recovering.recover(standing, now) : look();
        }
        return steps.ask(
                Step.Request.replace("release", standing, decision.toWrite()),
                snapshot -> released(standing, snapshot, failure),
                unreachable -> new Step.Done<>(unreleased(standing, failure), releaseAfterwards(standing.token(), 1)));
    }

    private Step<Answer<O>> released(IdempotencyRecord before, Snapshot snapshot, Throwable failure) {
        IdempotencyRecord standing = snapshot.record();
        if (standing == null || !standing.token().equals(before.token())) {
            return meet(snapshot, null);
        }
        if (standing.state() == State.OPEN) {
            emit(IdempotencyEvent.Type.RELEASED, standing, failure.getClass().getName());
            return done(notExecuted(failure));
        }
        return snapshot.applied()
                ? recovering.recover(standing, snapshot.now())
                : release(standing, snapshot.now(), failure);
    }

    /** This attempt did nothing, but an earlier one of the key may have. */
    private Answer<O> unreleased(IdempotencyRecord standing, Throwable failure) {
        return standing.attempt() == 1 || spec.sameTransaction() != null
                ? notExecuted(failure)
                : Answer.failedAlone(() -> new InDoubtException(
                        key, standing.attempt(), null, null, "The store could not be told.", failure));
    }

    private Answer<O> notExecuted(Throwable failure) {
        return Answer.failed(
                () -> new NotExecutedException(key, "Nothing was executed, and the key is free again", false, failure));
    }

    // ---- call and record in one transaction

    /** What is recorded in the transaction of the call; the answer counts once that is committed. */
    private final class Recorded implements Step.Recording {
        private @Nullable StoredResult result;
        private @Nullable IdempotencyRecord record;
        private boolean late;

        @Override
        public boolean record(@Nullable Object returned, Step.Replacing transaction) throws Exception {
            O value = typed(returned);
            result = spec.outcomes().encode(value);
            // A result that cannot be read again is found while the call can still be rolled back.
            spec.outcomes().requireReadable(result);
            // A renewal would wait for the commit.
            endLease();
            IdempotencyRecord standing = lease().record();
            Instant now = steps.time();
            while (true) {
                Decision decision = completed(standing, now, result);
                if (decision.verdict() != Verdict.CHANGE) {
                    return false;
                }
                late = standing.state() == State.IN_DOUBT;
                Snapshot snapshot = transaction.replace(standing, decision.toWrite());
                standing = snapshot.record();
                if (standing == null) {
                    throw new IllegalStateException(
                            "The transaction does not see the record of its own attempt; it must be"
                                    + " on the database of the store, and must read what others have committed meanwhile");
                }
                if (snapshot.applied()) {
                    record = standing;
                    return true;
                }
                now = snapshot.now();
            }
        }
    }

    private Step<Answer<O>> transacted(Recorded recorded, Step.Ending ending) {
        Throwable failure = ending.failure();
        if (ending.how() == Step.Ending.How.COMMITTED) {
            failures.succeeded();
            IdempotencyRecord record = Objects.requireNonNull(recorded.record, "record");
            emit(recorded.late ? IdempotencyEvent.Type.LATE_RESULT : IdempotencyEvent.Type.COMPLETED, record, "");
            return done(recorded(record, Objects.requireNonNull(recorded.result, "result")));
        }
        if (failure == null) {
            emit(IdempotencyEvent.Type.SUPERSEDED, lease().record(), "rolled back");
            return look();
        }
        if (ending.how() == Step.Ending.How.UNKNOWN) {
            return doubt(failure, "the outcome of the commit is unknown");
        }
        failure = failures.note(failure);
        return failure instanceof DeclinedException declined && failures.isDecline(declined)
                ? declined(declined)
                : unsent(failure);
    }

    // ---- record

    /** The caller gets an answer only after the record is confirmed. */
    private Step<Answer<O>> record(StoredResult result) {
        // A renewal that meets our own completion would take the lease for lost.
        endLease();
        return record(lease().record(), steps.time(), result);
    }

    private Step<Answer<O>> record(IdempotencyRecord standing, Instant now, StoredResult result) {
        Decision decision = completed(standing, now, result);
        if (decision.verdict() == Verdict.SAME) {
            return done(recorded(standing, result));
        }
        if (decision.write() == null) {
            return unrecorded(standing, decision);
        }
        return steps.ask(
                Step.Request.replace("complete", standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord after = snapshot.record();
                    if (after == null) {
                        return vanished();
                    }
                    if (!snapshot.applied()) {
                        return record(after, snapshot.now(), result);
                    }
                    if (decision.verdict() == Verdict.REFUSED) {
                        return unrecorded(after, decision);
                    }
                    keepNear(after, snapshot.now());
                    if (standing.state() != State.IN_FLIGHT) {
                        emit(IdempotencyEvent.Type.LATE_RESULT, after, "");
                    }
                    emit(
                            result.kind() == StoredResult.Kind.DECLINED
                                    ? IdempotencyEvent.Type.DECLINED
                                    : IdempotencyEvent.Type.COMPLETED,
                            after,
                            "");
                    return done(recorded(after, result));
                },
                failure -> unconfirmed(standing, now, result, failure));
    }

    private Decision completed(IdempotencyRecord standing, Instant now, StoredResult result) {
        IdempotencyRecord own = lease().record();
        var complete = new Event.Complete(
                own.token(), own.generation(), own.attempt(), spec.asRecorded(standing, result), spec.spans());
        Decision decision = ports.machine().decide(standing, complete, now);
        // What was rolled back did nothing: it is no evidence of anything.
        return spec.sameTransaction() != null && decision.verdict() == Verdict.REFUSED
                ? Decision.refused(decision.reason())
                : decision;
    }

    /** Somebody else has settled the key: his record is the answer, ours is evidence. */
    private Step<Answer<O>> unrecorded(IdempotencyRecord standing, Decision decision) {
        endLease();
        emit(IdempotencyEvent.Type.SUPERSEDED, standing, "");
        if (decision.alarm() != null) {
            emit(decision.alarm(), standing, "");
        }
        return look();
    }

    private Step<Answer<O>> vanished() {
        IdempotencyRecord own = lease().record();
        emit(IdempotencyEvent.Type.ORPHAN, own, "the record of a running attempt is gone");
        return done(Answer.failed(() -> new InDoubtException(
                key, own.attempt(), null, null, "The store has lost the record of this attempt.", null)));
    }

    /** The answer is known here and nowhere else: it goes on being offered to the store without the caller. */
    private Step<Answer<O>> unconfirmed(
            IdempotencyRecord standing, Instant now, StoredResult result, StoreException failure) {
        endLease();
        Answer<O> answer = Answer.failed(() -> new InDoubtException(
                key,
                standing.attempt(),
                null,
                null,
                "The call ended, but its outcome could not be recorded yet; this process keeps trying.",
                failure));
        return new Step.Done<>(answer, recordAfterwards(standing, now, result, 1));
    }

    private Step<Boolean> recordAfterwards(IdempotencyRecord standing, Instant now, StoredResult result, int tries) {
        Decision decision = completed(standing, now, result);
        if (decision.write() == null) {
            return new Step.Done<>(decision.verdict() == Verdict.SAME, null);
        }
        return steps.afterwards(tries, Step.Request.replace("complete", standing, decision.toWrite()), reply -> {
            Snapshot snapshot = reply.snapshot();
            if (snapshot == null) {
                return recordAfterwards(standing, now, result, tries + 1);
            }
            IdempotencyRecord after = snapshot.record();
            if (after == null) {
                emit(IdempotencyEvent.Type.ORPHAN, standing, "the record of an attempt in doubt is gone");
                return new Step.Done<>(false, null);
            }
            if (!snapshot.applied()) {
                return recordAfterwards(after, snapshot.now(), result, tries + 1);
            }
            boolean recorded = decision.verdict() == Verdict.CHANGE;
            emit(recorded ? IdempotencyEvent.Type.LATE_RESULT : IdempotencyEvent.Type.SUPERSEDED, after, "");
            if (decision.alarm() != null) {
                emit(decision.alarm(), after, "");
            }
            return new Step.Done<>(recorded, null);
        });
    }

    // ---- in doubt

    private Step<Answer<O>> doubt(Throwable failure, String reason) {
        mayHaveActed = true;
        failures.note(failure);
        endLease();
        return doubt(lease().record(), steps.time(), reason);
    }

    private Step<Answer<O>> doubt(IdempotencyRecord standing, Instant now, String reason) {
        AttemptToken token = lease().record().token();
        Decision decision = ports.machine().decide(standing, new Event.MarkInDoubt(token, reason), now);
        if (decision.verdict() == Verdict.SAME) {
            return recovering.recover(standing, now);
        }
        if (decision.verdict() == Verdict.REFUSED) {
            return look();
        }
        return steps.ask(
                Step.Request.replace("mark in doubt", standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord after = snapshot.record();
                    if (after == null) {
                        return vanished();
                    }
                    if (snapshot.applied()) {
                        emit(IdempotencyEvent.Type.IN_DOUBT, after, reason);
                        Doubts.began(key, after.attempt(), reason, failures.last());
                        return recovering.recover(after, snapshot.now());
                    }
                    return doubt(after, snapshot.now(), reason);
                },
                // The lease is not renewed any more, so the key comes into doubt by itself.
                failed -> recovering.inDoubt(
                        standing, null, "The store could not be told; the lease will lapse by itself."));
    }

    // ---- small change

    Step<Answer<O>> done(Answer<O> answer) {
        endLease();
        return new Step.Done<>(answer, null);
    }

    /** The caller was interrupted in a pause: in one before a recovery of his own attempt, or in a wait for another. */
    Step<Answer<O>> interrupted() {
        var cause = new InterruptedException();
        return done(
                mayHaveActed
                        ? unresolved(
                                "Interrupted before it was resolved; executing the request again later resolves it.",
                                cause)
                        : Answer.failedAlone(() ->
                                new InFlightException(key, "Interrupted while another run was in flight", cause)));
    }

    /** What a caller gets who would wait for the call for ever. */
    private Answer<O> overdue() {
        return unresolved(
                "The call has not ended within its timeout of " + Durations.text(spec.callTimeout())
                        + "; should its answer still come, it is recorded.",
                new TimeoutException("no answer after " + Durations.text(spec.callTimeout())));
    }

    /** Something went wrong that no step can tell the store: the lease is left to lapse. */
    void abandon() {
        endLease();
    }

    private void endLease() {
        if (lease != null) {
            lease.end();
        }
    }

    /** What the operation's own call, lookup or seal returned; null only where O allows it. */
    @SuppressWarnings({"unchecked", "NullAway"})
    O typed(@Nullable Object value) {
        return (O) value;
    }

    void emit(IdempotencyEvent.Type type, IdempotencyRecord record, String detail) {
        ports.events().accept(new IdempotencyEvent(type, key, record.generation(), record.attempt(), detail));
    }

    private long nanoTime() {
        return ports.nanoTime().getAsLong();
    }
}

package dev.idempotency;

import dev.idempotency.Decision.Verdict;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import io.github.resilience4j.retry.Retry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of one request: reserve, call, record, in {@link Step}s. Each method is what happens between two steps, and each
 * step is a point at which the process may die.
 */
final class Execution<I, O extends @Nullable Object> {
    /** How often a failing store is asked before the caller hears of it. */
    static final int STORE_TRIES = 5;

    /** How often an answer that could not be recorded is tried again after the caller has heard of it. */
    static final int BACKGROUND_TRIES = 500;

    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final OperationSpec<I, O> spec;
    private final Ports ports;
    private final I request;
    private final IdempotencyKey key;
    private final Fingerprint fingerprint;
    private final long waitUntil;
    private final Retry.@Nullable AsyncContext<Object> retry;

    private @Nullable Lease lease;
    private @Nullable Throwable lastFailure;
    private Instant storeTime = Instant.EPOCH;
    private long storeTimeSeenAt;
    private int polls;
    private boolean recovered;
    private boolean mayHaveActed;

    Execution(OperationSpec<I, O> spec, Ports ports, I request, IdempotencyKey key, Fingerprint fingerprint) {
        this.spec = spec;
        this.ports = ports;
        this.request = request;
        this.key = key;
        this.fingerprint = fingerprint;
        this.waitUntil = nanoTime() + spec.waitAtMost().toNanos();
        this.retry = spec.retry() == null ? null : spec.retry().asyncContext();
    }

    I request() {
        return request;
    }

    // ---- reserve

    Step<Answer<O>> start() {
        AttemptToken token = ports.tokens().get();
        long askedAt = nanoTime();
        Write write =
                ports.machine().decide(null, reservation(token), storeTime()).toWrite();
        return ask(
                "reserve",
                store -> store.reserve(write),
                snapshot -> snapshot.applied()
                        ? acquired(snapshot, askedAt, IdempotencyEvent.Type.RESERVED)
                        : meet(snapshot, token),
                failure -> unreserved(token, failure));
    }

    private Event.Reserve reservation(AttemptToken token) {
        return new Event.Reserve(
                key, fingerprint, token, spec.terms(), spec.recovery().keyFormat(), spec.spans());
    }

    /** Nothing was sent. If the reservation was written all the same, it is released as soon as the store is back. */
    private Step<Answer<O>> unreserved(AttemptToken token, StoreException failure) {
        Step<?> afterwards = failure.mayHaveWritten() ? releaseAfterwards(token, 1) : null;
        return new Step.Done<>(Answer.failedAlone(() -> failure), afterwards);
    }

    private Step<Boolean> releaseAfterwards(AttemptToken token, int tries) {
        return afterwards(tries, "find", store -> store.find(key), reply -> {
            Snapshot snapshot = reply.snapshot();
            if (snapshot == null) {
                return releaseAfterwards(token, tries + 1);
            }
            IdempotencyRecord standing = snapshot.record();
            if (standing == null || !standing.token().equals(token)) {
                return new Step.Done<>(true, null);
            }
            Decision decision = ports.machine().decide(standing, new Event.Release(token), snapshot.now());
            if (decision.verdict() != Verdict.CHANGE) {
                return new Step.Done<>(true, null);
            }
            return afterwards(
                    tries,
                    "release",
                    store -> store.replace(standing, decision.toWrite()),
                    written -> written.snapshot() != null && written.snapshot().applied()
                            ? new Step.Done<>(true, null)
                            : releaseAfterwards(token, tries + 1));
        });
    }

    /** The key was there already. */
    private Step<Answer<O>> meet(Snapshot snapshot, @Nullable AttemptToken own) {
        IdempotencyRecord standing = snapshot.record();
        if (standing == null) {
            return mayHaveActed ? vanished() : start();
        }
        if (own != null && standing.token().equals(own)) {
            return recognise(standing, snapshot.now(), own);
        }
        return switch (ConflictTable.meet(standing, fingerprint, snapshot.now())) {
            case RESERVE -> mayHaveActed ? reopened(standing) : takeOpen(standing, snapshot.now());
            case WAIT -> await(standing, snapshot.now());
            case EXPIRE -> expire(standing, snapshot.now());
            case RECOVER -> recover(standing, snapshot.now());
            case REPLAY -> replay(standing);
            case REPLAY_NOT_EXECUTED -> {
                emit(IdempotencyEvent.Type.REPLAYED, standing, "not executed");
                yield done(Answer.failed(() -> new NotExecutedException(
                        key, "The key is closed: the write was not executed, and will not be", true, null)));
            }
            case RESULT_EXPIRED -> {
                emit(IdempotencyEvent.Type.RESULT_UNAVAILABLE, standing, "expired");
                yield done(Answer.failed(() -> new ResultUnavailableException(
                        key, "The operation ran, but its result has expired; nothing was called", null)));
            }
            case MISMATCH -> {
                emit(IdempotencyEvent.Type.MISMATCHED, standing, "");
                yield done(Answer.failed(() -> new MismatchException(key)));
            }
        };
    }

    /** Our own write stands: the reply to it was lost. Only an acknowledged write makes it ours. */
    private Step<Answer<O>> recognise(IdempotencyRecord standing, Instant now, AttemptToken own) {
        Decision decision = ports.machine().decide(standing, reservation(own), now);
        if (decision.verdict() == Verdict.CHANGE) {
            return acquire("recognise", standing, decision, own, IdempotencyEvent.Type.RESERVED);
        }
        return decision.reason() == Decision.Reason.IN_DOUBT
                ? release(standing, now, new NotExecutedException("it lapsed before it was known to be reserved", null))
                : start();
    }

    /** This run may have made the write already: whoever reopened the key did not know, so it takes a fresh execution. */
    private Step<Answer<O>> reopened(IdempotencyRecord standing) {
        return inDoubt(standing, null, "The key was reopened or forgotten before its outcome was recorded.");
    }

    private Step<Answer<O>> takeOpen(IdempotencyRecord standing, Instant now) {
        AttemptToken token = ports.tokens().get();
        Decision decision = ports.machine().decide(standing, reservation(token), now);
        return decision.verdict() == Verdict.CHANGE
                ? acquire("reserve", standing, decision, token, IdempotencyEvent.Type.RESERVED)
                : look();
    }

    /** Enters IN_FLIGHT by replacing what stands. */
    private Step<Answer<O>> acquire(
            String name, IdempotencyRecord standing, Decision decision, AttemptToken token, IdempotencyEvent.Type how) {
        long askedAt = nanoTime();
        return ask(
                name,
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> snapshot.applied() ? acquired(snapshot, askedAt, how) : meet(snapshot, token),
                failure -> unreserved(token, failure));
    }

    // ---- wait

    private Step<Answer<O>> await(IdempotencyRecord standing, Instant now) {
        long left = waitUntil - nanoTime();
        if (left <= 0) {
            emit(IdempotencyEvent.Type.IN_FLIGHT_REFUSED, standing, "");
            boolean refused = spec.waitAtMost().isZero();
            return done(Answer.failedAlone(() -> new InFlightException(
                    key,
                    refused ? "Another run is in flight" : "Another run is still in flight after " + spec.waitAtMost(),
                    null)));
        }
        if (polls == 0) {
            emit(IdempotencyEvent.Type.WAITING, standing, "");
        }
        Instant leaseUntil = standing.times().leaseUntil();
        long leaseLeft =
                leaseUntil == null ? left : Duration.between(now, leaseUntil).toNanos();
        return pauseAndLook(Math.min(left, Math.max(leaseLeft, 0)));
    }

    private Step<Answer<O>> pauseAndLook(long atMostNanos) {
        long interval = Duration.ofMillis(ports.backoff().apply(++polls)).toNanos();
        return new Step.Pause<>(Duration.ofNanos(Math.max(1, Math.min(interval, atMostNanos))), true, this::look);
    }

    private Step<Answer<O>> look() {
        return ask("find", store -> store.find(key), snapshot -> meet(snapshot, null), this::storeFailed);
    }

    private Step<Answer<O>> storeFailed(StoreException failure) {
        return done(Answer.failedAlone(() -> failure));
    }

    private Step<Answer<O>> expire(IdempotencyRecord standing, Instant now) {
        Decision decision = ports.machine().decide(standing, new Event.Expire(standing.token()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return look();
        }
        return ask(
                "expire",
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> {
                    if (snapshot.applied()) {
                        emit(IdempotencyEvent.Type.LAPSED, standing, "");
                    }
                    return meet(snapshot, null);
                },
                this::storeFailed);
    }

    private Step<Answer<O>> replay(IdempotencyRecord standing) {
        StoredResult result = standing.result();
        if (result == null) {
            return unreadable(standing, "its result is gone", null);
        }
        if (result.kind() == StoredResult.Kind.DECLINED) {
            String reason = new String(result.bytes(), StandardCharsets.UTF_8);
            emit(IdempotencyEvent.Type.REPLAYED, standing, "declined");
            return done(Answer.failed(() -> new DeclinedException(key, reason)));
        }
        if (!result.codec().equals(spec.codec().id())) {
            return unreadable(standing, "its result was written by another codec, " + result.codec(), null);
        }
        O value;
        try {
            value = spec.codec().decode(result.bytes());
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            return unreadable(standing, "its result cannot be decoded", e);
        }
        emit(IdempotencyEvent.Type.REPLAYED, standing, "");
        return done(Answer.of(value));
    }

    private Step<Answer<O>> unreadable(IdempotencyRecord standing, String why, @Nullable Throwable cause) {
        emit(IdempotencyEvent.Type.RESULT_UNAVAILABLE, standing, why);
        return done(Answer.failed(() ->
                new ResultUnavailableException(key, "The operation ran, but " + why + "; nothing was called", cause)));
    }

    // ---- call

    private Step<Answer<O>> acquired(Snapshot snapshot, long askedAt, IdempotencyEvent.Type how) {
        IdempotencyRecord record = Objects.requireNonNull(snapshot.record(), "record");
        lease = new Lease(ports, spec.spans(), spec.callTimeout(), snapshot, record, askedAt);
        emit(how, record, "");
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
        return new Step.Call<>(new RunningAttempt(record, lease), this::called);
    }

    private Step<Answer<O>> called(Step.Outcome outcome) {
        Throwable failure = outcome.failure();
        if (failure == null) {
            mayHaveActed = true;
            O value = typed(outcome.value());
            StoredResult result;
            try {
                result = new StoredResult(
                        StoredResult.Kind.RESULT,
                        spec.codec().id(),
                        spec.codec().encode(value));
            } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
                return doubt(e, "the call returned, but its result cannot be encoded");
            }
            succeeded();
            return record(result, Answer.of(value));
        }
        failure = unwrapped(failure);
        lastFailure = failure;
        if (failure instanceof DeclinedException declined && isOwn(declined)) {
            mayHaveActed = true;
            byte[] reason = declined.reason().getBytes(StandardCharsets.UTF_8);
            return record(
                    new StoredResult(StoredResult.Kind.DECLINED, "text", reason),
                    Answer.failed(() -> new DeclinedException(key, declined.reason())));
        }
        return switch (classify(failure)) {
            case NOT_SENT, NOT_EXECUTED -> unsent(failure);
            case AMBIGUOUS ->
                doubt(failure, "the call failed with " + failure.getClass().getName());
        };
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable inner = failure;
        while ((inner instanceof CompletionException || inner instanceof ExecutionException)
                && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return inner;
    }

    private FailureClass classify(Throwable failure) {
        if (failure instanceof NotExecutedException notExecuted && isOwn(notExecuted)) {
            return FailureClass.NOT_EXECUTED;
        }
        try {
            FailureClass said = spec.failures().classify(failure);
            return said == null ? FailureClass.AMBIGUOUS : said;
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            if (e != failure) {
                failure.addSuppressed(e);
            }
            return FailureClass.AMBIGUOUS;
        }
    }

    /** The outcome of another operation inside the call proves nothing about the call. */
    private boolean isOwn(IdempotencyException outcome) {
        return outcome.key() == null || key.equals(outcome.key());
    }

    /** In milliseconds; negative if the retry does not want to. Its predicates and listeners are the user's code. */
    private long retryDelay(Throwable failure) {
        try {
            return retry == null ? -1 : retry.onError(failure);
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            if (e != failure) {
                failure.addSuppressed(e);
            }
            return -1;
        }
    }

    private void succeeded() {
        try {
            if (retry != null) {
                retry.onComplete();
            }
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            LOG.warn("A retry's listener failed on the success of {}; nothing else changes", key, e);
        }
    }

    /** Proof that nothing was executed: the call may be made again under the same reservation, or the key is freed. */
    private Step<Answer<O>> unsent(Throwable failure) {
        long delay = lease().isLost() ? -1 : retryDelay(failure);
        if (delay < 0) {
            return release(lease().record(), storeTime(), failure);
        }
        emit(IdempotencyEvent.Type.RETRIED, lease().record(), failure.getClass().getName());
        return new Step.Pause<>(Duration.ofMillis(Math.max(1, delay)), false, this::send);
    }

    private Step<Answer<O>> release(IdempotencyRecord standing, Instant now, Throwable failure) {
        endLease();
        Decision decision = ports.machine().decide(standing, new Event.Release(standing.token()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return decision.reason() == Decision.Reason.IN_DOUBT ? recover(standing, now) : look();
        }
        return ask(
                "release",
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> released(standing, snapshot, failure),
                unreachable -> new Step.Done<>(notExecuted(failure), releaseAfterwards(standing.token(), 1)));
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
        return snapshot.applied() ? recover(standing, snapshot.now()) : release(standing, snapshot.now(), failure);
    }

    private Answer<O> notExecuted(Throwable failure) {
        return Answer.failed(
                () -> new NotExecutedException(key, "Nothing was executed, and the key is free again", false, failure));
    }

    // ---- record

    /** The caller gets an answer only after the record is confirmed. */
    private Step<Answer<O>> record(StoredResult result, Answer<O> answer) {
        // A renewal that meets our own completion would take the lease for lost.
        endLease();
        return record(lease().record(), storeTime(), result, answer);
    }

    private Step<Answer<O>> record(IdempotencyRecord standing, Instant now, StoredResult result, Answer<O> answer) {
        Decision decision = ports.machine().decide(standing, completion(result), now);
        if (decision.verdict() == Verdict.SAME) {
            return done(answer);
        }
        if (decision.write() == null) {
            return unrecorded(standing, decision);
        }
        return ask(
                "complete",
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord after = snapshot.record();
                    if (after == null) {
                        return vanished();
                    }
                    if (!snapshot.applied()) {
                        return record(after, snapshot.now(), result, answer);
                    }
                    if (decision.verdict() == Verdict.REFUSED) {
                        return unrecorded(after, decision);
                    }
                    if (standing.state() == State.IN_DOUBT) {
                        emit(IdempotencyEvent.Type.LATE_RESULT, after, "");
                    }
                    emit(
                            result.kind() == StoredResult.Kind.DECLINED
                                    ? IdempotencyEvent.Type.DECLINED
                                    : IdempotencyEvent.Type.COMPLETED,
                            after,
                            "");
                    return done(answer);
                },
                failure -> unconfirmed(standing, now, result, failure));
    }

    private Event.Complete completion(StoredResult result) {
        IdempotencyRecord own = lease().record();
        return new Event.Complete(own.token(), own.generation(), own.attempt(), result, spec.spans());
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
        Decision decision = ports.machine().decide(standing, completion(result), now);
        if (decision.write() == null) {
            return new Step.Done<>(decision.verdict() == Verdict.SAME, null);
        }
        return afterwards(tries, "complete", store -> store.replace(standing, decision.toWrite()), reply -> {
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
        lastFailure = failure;
        endLease();
        return doubt(lease().record(), storeTime(), reason);
    }

    private Step<Answer<O>> doubt(IdempotencyRecord standing, Instant now, String reason) {
        AttemptToken token = lease().record().token();
        Decision decision = ports.machine().decide(standing, new Event.MarkInDoubt(token, reason), now);
        if (decision.verdict() == Verdict.SAME) {
            return recover(standing, now);
        }
        if (decision.verdict() == Verdict.REFUSED) {
            return look();
        }
        return ask(
                "mark in doubt",
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> {
                    IdempotencyRecord after = snapshot.record();
                    if (after == null) {
                        return vanished();
                    }
                    if (snapshot.applied()) {
                        emit(IdempotencyEvent.Type.IN_DOUBT, after, reason);
                        return recover(after, snapshot.now());
                    }
                    return doubt(after, snapshot.now(), reason);
                },
                // The lease is not renewed any more, so the key comes into doubt by itself.
                failed -> inDoubt(standing, null, "The store could not be told; the lease will lapse by itself."));
    }

    /** The recovery policy, as it was agreed when the key was reserved. */
    private Step<Answer<O>> recover(IdempotencyRecord standing, Instant now) {
        Policy policy = standing.terms().policy();
        if (policy == Policy.HOLD || policy == Policy.SAME_TRANSACTION) {
            return inDoubt(standing, null, "Only a late answer or a person's decision resolves it.");
        }
        long delay = nextRecovery();
        if (delay < 0) {
            return inDoubt(standing, resolvableAt(standing, now), "Executing the request again later resolves it.");
        }
        return delay == 0
                ? investigate(standing, now)
                : new Step.Pause<>(Duration.ofMillis(delay), true, this::lookForDoubt);
    }

    /** The first recovery is free; more come out of the operation's retry. */
    private long nextRecovery() {
        if (!recovered) {
            recovered = true;
            return 0;
        }
        if (retry == null || lastFailure == null) {
            return -1;
        }
        long delay = retryDelay(lastFailure);
        return delay < 0 ? -1 : Math.max(1, delay);
    }

    /** After a pause: the same, unless somebody else has settled the key meanwhile. */
    private Step<Answer<O>> lookForDoubt() {
        return ask(
                "find",
                store -> store.find(key),
                snapshot -> {
                    IdempotencyRecord standing = snapshot.record();
                    return standing != null
                                    && ConflictTable.meet(standing, fingerprint, snapshot.now())
                                            == ConflictTable.Meeting.RECOVER
                            ? investigate(standing, snapshot.now())
                            : meet(snapshot, null);
                },
                this::storeFailed);
    }

    private Step<Answer<O>> investigate(IdempotencyRecord standing, Instant now) {
        return switch (standing.terms().policy()) {
            case NATIVE, NATIVE_THEN_LOOKUP -> resend(standing, now);
            case LOOKUP -> lookUp(standing, now);
            case SEAL -> seal(standing, now);
            case HOLD, SAME_TRANSACTION -> inDoubt(standing, null, "Only a person's decision resolves it.");
        };
    }

    private Step<Answer<O>> resend(IdempotencyRecord standing, Instant now) {
        AttemptToken token = ports.tokens().get();
        Decision decision =
                ports.machine().decide(standing, new Event.Resend(standing.token(), token, spec.spans()), now);
        if (decision.verdict() == Verdict.CHANGE) {
            return acquire("re-send", standing, decision, token, IdempotencyEvent.Type.RESENT);
        }
        return standing.terms().policy() == Policy.NATIVE_THEN_LOOKUP
                ? lookUp(standing, now)
                : inDoubt(standing, null, "The provider's window is over; only a person's decision resolves it.");
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
        emit(IdempotencyEvent.Type.RECOVERY_STARTED, standing, seal ? "seal" : "lookup");
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
                return found(standing, askedAt, typed(found.result()));
            }
            if (finding instanceof Finding.Missing<?>) {
                return missing(standing, askedAt, seal);
            }
            String reason = ((Finding.Unknown<?>) finding).reason();
            emit(IdempotencyEvent.Type.RECOVERY_FAILED, standing, "unknown");
            return inDoubt(standing, null, "The provider did not say: " + reason + ".");
        }
        if (failure != null) {
            lastFailure = unwrapped(failure);
        }
        String what = (seal ? "The seal" : "The lookup")
                + (failure == null ? " returned null." : " failed; executing the request again repeats it.");
        emit(
                IdempotencyEvent.Type.RECOVERY_FAILED,
                standing,
                failure == null ? "null" : failure.getClass().getName());
        return inDoubt(standing, null, what);
    }

    private Step<Answer<O>> found(IdempotencyRecord standing, Instant now, O value) {
        StoredResult result;
        try {
            result = new StoredResult(
                    StoredResult.Kind.RESULT, spec.codec().id(), spec.codec().encode(value));
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            lastFailure = e;
            return inDoubt(standing, null, "What the provider has cannot be encoded.");
        }
        Decision decision =
                ports.machine().decide(standing, new Event.Found(standing.token(), result, spec.spans()), now);
        if (decision.verdict() != Verdict.CHANGE) {
            return look();
        }
        return settle("found", standing, decision, IdempotencyEvent.Type.FOUND, Answer.of(value));
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
                    ? settle("close", standing, decision, IdempotencyEvent.Type.CLOSED, closed())
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
                ? acquire("re-execute", standing, decision, token, IdempotencyEvent.Type.REEXECUTED)
                : notYetQuiescent(standing, askedAt);
    }

    private Answer<O> closed() {
        return Answer.failed(() ->
                new NotExecutedException(key, "The write was not executed; the key is closed", true, lastFailure));
    }

    private Step<Answer<O>> notYetQuiescent(IdempotencyRecord standing, Instant now) {
        Instant quiescentAt = quiescentAt(standing);
        if (quiescentAt != null) {
            long left = Duration.between(now, quiescentAt).toNanos();
            if (left <= waitUntil - nanoTime()) {
                return new Step.Pause<>(Duration.ofNanos(Math.max(1, left)), true, this::lookForDoubt);
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
            String name, IdempotencyRecord standing, Decision decision, IdempotencyEvent.Type how, Answer<O> answer) {
        return ask(
                name,
                store -> store.replace(standing, decision.toWrite()),
                snapshot -> {
                    if (!snapshot.applied()) {
                        return meet(snapshot, null);
                    }
                    emit(how, standing, "");
                    return done(answer);
                },
                this::storeFailed);
    }

    private Step<Answer<O>> inDoubt(IdempotencyRecord standing, @Nullable Instant resolvableAt, String what) {
        Instant since = standing.state() == State.IN_DOUBT ? standing.times().stateSince() : null;
        Throwable cause = lastFailure;
        return done(
                Answer.failed(() -> new InDoubtException(key, standing.attempt(), since, resolvableAt, what, cause)));
    }

    // ---- small change

    private Step<Answer<O>> done(Answer<O> answer) {
        endLease();
        return new Step.Done<>(answer, null);
    }

    /** The caller was interrupted in a pause: in one before a recovery of his own attempt, or in a wait for another. */
    Answer<O> interrupted(InterruptedException cause) {
        Lease own = lease;
        if (mayHaveActed && own != null) {
            return Answer.failedAlone(() -> new InDoubtException(
                    key,
                    own.record().attempt(),
                    null,
                    null,
                    "Interrupted before it was resolved; executing the request again later resolves it.",
                    cause));
        }
        return Answer.failedAlone(
                () -> new InFlightException(key, "Interrupted while another run was in flight", cause));
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

    /** Asks the store, and asks again with the very same write while it fails. */
    private Step<Answer<O>> ask(
            String name,
            Function<IdempotencyStore, Snapshot> run,
            Function<Snapshot, Step<Answer<O>>> then,
            Function<StoreException, Step<Answer<O>>> givenUp) {
        return ask(new Step.Request(name, run), then, givenUp, false, 1);
    }

    private Step<Answer<O>> ask(
            Step.Request request,
            Function<Snapshot, Step<Answer<O>>> then,
            Function<StoreException, Step<Answer<O>>> givenUp,
            boolean mayHaveWritten,
            int tries) {
        return new Step.Ask<>(request, reply -> {
            StoreException failure = reply.failure();
            if (failure == null) {
                return then.apply(seen(reply));
            }
            failed(request);
            boolean ambiguous = mayHaveWritten || failure.mayHaveWritten();
            if (tries < STORE_TRIES) {
                return backOff(tries, () -> ask(request, then, givenUp, ambiguous, tries + 1));
            }
            return givenUp.apply(
                    ambiguous == failure.mayHaveWritten()
                            ? failure
                            : new StoreException("An earlier try may have been written", true, failure));
        });
    }

    /** The same without a caller, and for much longer. */
    private Step<Boolean> afterwards(
            int tries,
            String name,
            Function<IdempotencyStore, Snapshot> run,
            Function<Step.Reply, Step<Boolean>> then) {
        var request = new Step.Request(name, run);
        return tries > BACKGROUND_TRIES
                ? new Step.Done<>(false, null)
                : backOff(
                        tries,
                        () -> new Step.Ask<>(request, reply -> {
                            if (reply.snapshot() == null) {
                                failed(request);
                            } else {
                                seen(reply);
                            }
                            return then.apply(reply);
                        }));
    }

    private <R> Step<R> backOff(int tries, Supplier<Step<R>> then) {
        return new Step.Pause<>(Duration.ofMillis(Math.max(1, ports.backoff().apply(tries))), false, then);
    }

    private Snapshot seen(Step.Reply reply) {
        Snapshot snapshot = reply.standing();
        storeTime = snapshot.now();
        storeTimeSeenAt = nanoTime();
        return snapshot;
    }

    private void failed(Step.Request request) {
        ports.events().accept(new IdempotencyEvent(IdempotencyEvent.Type.STORE_FAILED, key, 0, 0, request.name()));
    }

    /** About what the store's clock says now: for the history only, never for a decision. */
    private Instant storeTime() {
        return storeTime.plusNanos(nanoTime() - storeTimeSeenAt);
    }

    /** What the operation's own call, lookup or seal returned; null only where O allows it. */
    @SuppressWarnings({"unchecked", "NullAway"})
    private O typed(@Nullable Object value) {
        return (O) value;
    }

    private void emit(IdempotencyEvent.Type type, IdempotencyRecord record, String detail) {
        ports.events().accept(new IdempotencyEvent(type, key, record.generation(), record.attempt(), detail));
    }

    private long nanoTime() {
        return ports.nanoTime().getAsLong();
    }
}

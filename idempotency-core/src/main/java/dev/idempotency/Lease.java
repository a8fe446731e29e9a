package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An attempt's right to record, and until when it may send. Thread-safe: the call, its renewals and its signals meet here.
 *
 * <p>It is <em>lost</em> when others may take the attempt for dead, and <em>overdue</em> when the call has run into its time-out;
 * what is overdue is lost as well. It has <em>ended</em> when its run needs it no more.
 */
final class Lease {
    private final Ports ports;
    private final Event.Spans spans;
    private final long renewUntil;
    private final @Nullable Long windowEnd;
    private final Signal onLost = new Signal("a lost lease");
    private final Signal onOverdue = new Signal("a call that has run into its time-out");

    private IdempotencyRecord record;
    private long deadline;
    private Runnable onEnd = () -> {};
    private boolean lost;
    private boolean ended;

    /**
     * A lease that the store has just confirmed.
     *
     * @param askedAt the monotonic time before the store was asked: the store's lease cannot end earlier than ours
     */
    Lease(
            Ports ports,
            Event.Spans spans,
            Duration callTimeout,
            Snapshot confirmed,
            IdempotencyRecord record,
            long askedAt) {
        this.ports = ports;
        this.spans = spans;
        this.record = record;
        this.deadline = askedAt + spans.lease().toNanos();
        this.renewUntil = askedAt + callTimeout.toNanos();
        Duration guard = record.terms().resendWithin();
        this.windowEnd = guard == null || guard.equals(ProviderProfile.ENDLESS) || !StateMachine.isResent(record)
                ? null
                : askedAt + left(confirmed.now(), record.times().firstSentAt().plus(guard));
    }

    private static long left(Instant now, Instant end) {
        return Duration.between(now, end).toNanos();
    }

    synchronized IdempotencyRecord record() {
        return record;
    }

    /** A renewed lease says nothing about the provider's window: a re-send needs both. */
    synchronized boolean maySend() {
        long now = ports.nanoTime().getAsLong();
        return !lost && deadline - now > 0 && (windowEnd == null || windowEnd - now > 0);
    }

    synchronized boolean isLost() {
        return lost;
    }

    synchronized boolean isEnded() {
        return ended;
    }

    /** Whether others may take the attempt for dead: the lease was lost, or this process's clock says that it is over. */
    synchronized boolean isOver() {
        return lost || (!ended && deadline - ports.nanoTime().getAsLong() <= 0);
    }

    /** How long the call may still take, in nanoseconds. */
    long callLeft() {
        return renewUntil - ports.nanoTime().getAsLong();
    }

    /** No more renewals. */
    void end() {
        Runnable stop;
        synchronized (this) {
            ended = true;
            stop = onEnd;
        }
        stop.run();
    }

    /** How the next renewal is called off; replaces what was said before. */
    void onEnd(Runnable stop) {
        boolean over;
        synchronized (this) {
            onEnd = stop;
            over = ended;
        }
        if (over) {
            stop.run();
        }
    }

    void onLost(Runnable action) {
        onLost.listen(action);
    }

    /** As {@link #onLost}, for code of the user's: it may take its time, and must not keep others from being renewed. */
    void signalLost(Runnable action) {
        onLost.listen(() -> ports.elsewhere().execute(() -> Audience.quietly("a lost lease", action)));
    }

    void onOverdue(Runnable action) {
        onOverdue.listen(action);
    }

    /**
     * One renewal; made before a third of the lease is over, until the lease has ended. A lease that is lost is not renewed any
     * more, and is looked at until its call is overdue.
     *
     * @return in the end, whether to come again
     */
    Step<Boolean> renew() {
        if (isEnded()) {
            return new Step.Done<>(false, null);
        }
        long now = ports.nanoTime().getAsLong();
        if (renewUntil - now <= 0) {
            lose("the call has run into its timeout");
            onOverdue.give();
            return new Step.Done<>(false, null);
        }
        if (isLost()) {
            return new Step.Done<>(true, null);
        }
        IdempotencyRecord current = record();
        // No estimate of the store's time: as long as nobody has taken the attempt for lapsed, it may renew its lease,
        // however late.
        Instant whileItRuns = current.times().stateSince();
        Decision decision = ports.machine().decide(current, new Event.Renew(current.token(), spans), whileItRuns);
        if (decision.verdict() != Decision.Verdict.CHANGE) {
            return lose("the attempt has been taken for lapsed");
        }
        return new Step.Ask<>(
                Step.Request.replace("renew", current, decision.toWrite()), reply -> renewed(current, now, reply));
    }

    private Step<Boolean> renewed(IdempotencyRecord before, long askedAt, Step.Reply reply) {
        Snapshot snapshot = reply.snapshot();
        if (snapshot == null) {
            ports.events().accept(event(IdempotencyEvent.Type.STORE_FAILED, "renew"));
            synchronized (this) {
                if (deadline - ports.nanoTime().getAsLong() > 0) {
                    return new Step.Done<>(true, null);
                }
            }
            return lose("the store could not be reached in time");
        }
        IdempotencyRecord standing = snapshot.record();
        if (snapshot.applied() && standing != null) {
            synchronized (this) {
                record = standing;
                deadline = askedAt + spans.lease().toNanos();
            }
            ports.events().accept(event(IdempotencyEvent.Type.RENEWED, ""));
            return new Step.Done<>(true, null);
        }
        if (standing == null
                || !standing.token().equals(before.token())
                || standing.generation() != before.generation()) {
            return lose("another attempt has the key");
        }
        synchronized (this) {
            record = standing;
        }
        return renew();
    }

    private Step<Boolean> lose(String why) {
        synchronized (this) {
            if (lost || ended) {
                return new Step.Done<>(!ended, null);
            }
            lost = true;
        }
        ports.events().accept(event(IdempotencyEvent.Type.LEASE_LOST, why));
        onLost.give();
        return new Step.Done<>(true, null);
    }

    private IdempotencyEvent event(IdempotencyEvent.Type type, String detail) {
        IdempotencyRecord current = record();
        return new IdempotencyEvent(type, current.key(), current.generation(), current.attempt(), detail);
    }
}

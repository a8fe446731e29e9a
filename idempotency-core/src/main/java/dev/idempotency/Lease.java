package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An attempt's right to record, and until when it may send. Thread-safe: the call, its renewals and its signal meet here.
 */
final class Lease {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final Ports ports;
    private final Event.Spans spans;
    private final long renewUntil;
    private final @Nullable Long windowEnd;
    private final List<Runnable> onLost = new ArrayList<>();

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
        this.windowEnd = guard == null || guard.equals(ProviderProfile.ENDLESS)
                ? null
                : askedAt + left(confirmed.now(), record.times().firstSentAt().plus(guard));
    }

    private static long left(Instant now, Instant end) {
        return Duration.between(now, end).toNanos();
    }

    synchronized IdempotencyRecord record() {
        return record;
    }

    /** A renewed lease says nothing about the provider's window: both must be left. */
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
        synchronized (this) {
            if (!lost) {
                onLost.add(action);
                return;
            }
        }
        action.run();
    }

    /** One renewal; made before a third of the lease is over, until {@link #isEnded()}. */
    Step<Boolean> renew() {
        if (isEnded()) {
            return new Step.Done<>(false, null);
        }
        long now = ports.nanoTime().getAsLong();
        if (renewUntil - now <= 0) {
            return lose("the call has run into its timeout");
        }
        IdempotencyRecord current = record();
        Decision decision = ports.machine()
                .decide(
                        current,
                        new Event.Renew(current.token(), spans),
                        current.times().stateSince());
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
        List<Runnable> actions;
        synchronized (this) {
            if (lost || ended) {
                return new Step.Done<>(false, null);
            }
            lost = true;
            ended = true;
            actions = List.copyOf(onLost);
        }
        ports.events().accept(event(IdempotencyEvent.Type.LEASE_LOST, why));
        for (Runnable action : actions) {
            try {
                action.run();
            } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
                LOG.warn("A signal for a lost lease failed; the others are given all the same", e);
            }
        }
        return new Step.Done<>(false, null);
    }

    private IdempotencyEvent event(IdempotencyEvent.Type type, String detail) {
        IdempotencyRecord current = record();
        return new IdempotencyEvent(type, current.key(), current.generation(), current.attempt(), detail);
    }
}

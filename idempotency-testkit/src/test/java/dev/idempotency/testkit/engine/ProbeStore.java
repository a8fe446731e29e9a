package dev.idempotency.testkit.engine;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A store that counts its steps, and in which chosen steps go wrong. */
final class ProbeStore extends ForwardingStore {
    /** What a step is for. */
    enum Kind {
        RESERVE,
        FIND,
        RENEW,
        ATTEMPT,
        COMPLETE,
        DOUBT,
        RELEASE,
        CLOSE,
        OVERRIDE,
        EVIDENCE;

        static Kind of(IdempotencyRecord expected, IdempotencyRecord next) {
            if (next.generation() > expected.generation()) {
                return OVERRIDE;
            }
            if (next.state() == expected.state()) {
                return next.state() == State.IN_FLIGHT ? RENEW : EVIDENCE;
            }
            return switch (next.state()) {
                case OPEN -> RELEASE;
                case IN_FLIGHT -> ATTEMPT;
                case IN_DOUBT -> DOUBT;
                case COMPLETED -> COMPLETE;
                case CLOSED -> CLOSE;
            };
        }
    }

    /** What goes wrong. */
    enum Trouble {
        /** The step is not taken. */
        REFUSED,
        /** The step is not taken, but nobody can know. */
        LOST,
        /** The step is taken, its reply is lost. */
        REPLY_LOST,
        /** The store has no record of the key any more. */
        FORGOTTEN
    }

    private final Map<Kind, AtomicInteger> steps = new EnumMap<>(Kind.class);
    private final Map<Kind, AtomicInteger> left = new EnumMap<>(Kind.class);
    private final Map<Kind, Trouble> troubles = new EnumMap<>(Kind.class);
    private final Map<Kind, Runnable> before = new EnumMap<>(Kind.class);
    private volatile boolean down;

    ProbeStore(IdempotencyStore store) {
        super(store);
        for (Kind kind : Kind.values()) {
            steps.put(kind, new AtomicInteger());
            left.put(kind, new AtomicInteger());
        }
    }

    /** The next {@code times} steps of a kind go wrong. */
    synchronized void trouble(Kind kind, Trouble trouble, int times) {
        troubles.put(kind, trouble);
        left.get(kind).set(times);
    }

    /** Runs once, just before the next step of a kind. */
    synchronized void beforeNext(Kind kind, Runnable action) {
        before.put(kind, action);
    }

    void down(boolean isDown) {
        down = isDown;
    }

    int steps(Kind kind) {
        return steps.get(kind).get();
    }

    int steps() {
        return steps.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    private Snapshot step(Kind kind, IdempotencyKey key, Supplier<Snapshot> step) {
        steps.get(kind).incrementAndGet();
        Runnable first;
        Trouble trouble;
        synchronized (this) {
            first = before.remove(kind);
            trouble = left.get(kind).getAndUpdate(n -> Math.max(0, n - 1)) > 0 ? troubles.get(kind) : null;
        }
        if (first != null) {
            first.run();
        }
        if (down || trouble == Trouble.REFUSED) {
            throw new StoreException("The store is down", false, null);
        }
        if (trouble == Trouble.LOST) {
            throw new StoreException("The request was lost", true, null);
        }
        if (trouble == Trouble.FORGOTTEN) {
            return new Snapshot(false, null, super.find(key).now());
        }
        Snapshot snapshot = step.get();
        if (trouble == Trouble.REPLY_LOST) {
            throw new StoreException("The reply was lost", true, null);
        }
        return snapshot;
    }

    @Override
    public Snapshot reserve(Write write) {
        return step(Kind.RESERVE, write.next().key(), () -> super.reserve(write));
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return step(Kind.of(expected, write.next()), expected.key(), () -> super.replace(expected, write));
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return step(Kind.FIND, key, () -> super.find(key));
    }
}

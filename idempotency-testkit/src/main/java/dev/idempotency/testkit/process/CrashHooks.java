package dev.idempotency.testkit.process;

import dev.idempotency.Finding;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Says when this process stands at a {@link CrashPoint}, so that it can die there: {@code Runtime.getRuntime().halt(1)}, or a
 * line to the process that kills or freezes it. Wrap the store, the listener, the call and its lookup or seal in one instance; the
 * engine stays as it is. Thread-safe as far as the reaction is.
 *
 * <p>Points inside a request (CP05 to CP09, CP19 more closely than {@link #seal} does) are for the client that makes it to report,
 * with {@link #reached}; CP21 is for the one who asks for an override.
 *
 * @since 0.1.0
 */
public final class CrashHooks {
    /** What happens at a point. */
    @FunctionalInterface
    public interface Reaction {
        /**
         * The process stands at a point. It goes on when this returns, and not before.
         *
         * @param point where
         * @param key which key it is about; null for a purge
         */
        void at(CrashPoint point, @Nullable IdempotencyKey key);
    }

    private final Reaction reaction;

    /**
     * Creates the hooks of a process.
     *
     * @param reaction what happens at each point; called on the thread that stands there
     * @throws NullPointerException if the reaction is null
     */
    public CrashHooks(Reaction reaction) {
        this.reaction = Objects.requireNonNull(reaction, "reaction");
    }

    /**
     * Reports a point.
     *
     * @param point where this thread stands
     * @param key which key it is about; null for a purge
     */
    public void reached(CrashPoint point, @Nullable IdempotencyKey key) {
        reaction.at(point, key);
    }

    /**
     * Reports CP01, CP02, CP10, CP11, CP13, CP16, CP20, CP22, CP23 and CP24.
     *
     * @param store the store
     * @return the same store, with a report before and after its writes
     */
    public IdempotencyStore store(IdempotencyStore store) {
        return new HookedStore(Objects.requireNonNull(store, "store"));
    }

    /**
     * As {@link #store(IdempotencyStore)}, for a store in whose transactions effects are written. CP10 is then before the record is
     * written into the transaction, CP11 after the commit.
     *
     * @param store the store
     * @param <T> the store's transaction
     * @return the same store, with a report before and after its writes
     */
    public <T> TransactionalStore<T> store(TransactionalStore<T> store) {
        return new HookedTransactionalStore<>(Objects.requireNonNull(store, "store"));
    }

    /**
     * Reports CP03, CP12, CP14, CP17 and CP18.
     *
     * @return a listener for {@link dev.idempotency.Idempotency.Builder#listener}
     */
    public IdempotencyListener listener() {
        return event -> {
            CrashPoint point = pointOf(event.type());
            if (point != null) {
                reached(point, event.key());
            }
        };
    }

    private static @Nullable CrashPoint pointOf(IdempotencyEvent.Type type) {
        return switch (type) {
            case RESERVED -> CrashPoint.CP03_RESERVED;
            case COMPLETED, DECLINED, FOUND -> CrashPoint.CP12_BEFORE_ANSWER;
            case LAPSED -> CrashPoint.CP14_LAPSED;
            case REEXECUTED, TAKEN_OVER -> CrashPoint.CP17_REEXECUTED;
            case RESENT -> CrashPoint.CP18_RESENT;
            default -> null;
        };
    }

    /**
     * Reports CP04.
     *
     * @param call the call
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return the same call, with a report before it
     */
    public <I, O extends @Nullable Object> Operation.Call<I, O> call(Operation.Call<I, O> call) {
        Objects.requireNonNull(call, "call");
        return (request, attempt) -> {
            reached(CrashPoint.CP04_CHECKED, attempt.key());
            return call.call(request, attempt);
        };
    }

    /**
     * Reports CP15.
     *
     * @param lookup the lookup
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return the same lookup, with a report after it
     */
    public <I, O extends @Nullable Object> Recovery.Lookup<I, O> lookup(Recovery.Lookup<I, O> lookup) {
        Objects.requireNonNull(lookup, "lookup");
        return (request, attempt) -> {
            Finding<O> finding = lookup.find(request, attempt);
            reachedIfFound(finding, attempt.key());
            return finding;
        };
    }

    /**
     * Reports CP19, and CP15.
     *
     * @param seal the seal
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return the same seal, with a report after it
     */
    public <I, O extends @Nullable Object> Recovery.Seal<I, O> seal(Recovery.Seal<I, O> seal) {
        Objects.requireNonNull(seal, "seal");
        return (request, attempt) -> {
            Finding<O> finding = seal.seal(request, attempt);
            reached(CrashPoint.CP19_SEALED, attempt.key());
            reachedIfFound(finding, attempt.key());
            return finding;
        };
    }

    private void reachedIfFound(Finding<?> finding, IdempotencyKey key) {
        if (finding instanceof Finding.Found<?>) {
            reached(CrashPoint.CP15_FOUND, key);
        }
    }

    private class HookedStore extends ForwardingStore {
        private final Set<String> ownTokens = ConcurrentHashMap.newKeySet();

        HookedStore(IdempotencyStore store) {
            super(store);
        }

        @Override
        public Snapshot reserve(Write write) {
            ownTokens.add(write.next().token().value());
            reached(CrashPoint.CP01_BEFORE_RESERVE, write.next().key());
            Snapshot snapshot = super.reserve(write);
            if (snapshot.applied()) {
                reached(CrashPoint.CP02_RESERVE_WITHOUT_REPLY, write.next().key());
            }
            return snapshot;
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            CrashPoint before = reachedBefore(expected, write);
            Snapshot snapshot = super.replace(expected, write);
            if (snapshot.applied() && before == CrashPoint.CP10_BEFORE_RECORD) {
                reached(CrashPoint.CP11_RECORD_WITHOUT_REPLY, expected.key());
            }
            return snapshot;
        }

        final @Nullable CrashPoint reachedBefore(IdempotencyRecord expected, Write write) {
            boolean own = ownTokens.contains(expected.token().value());
            ownTokens.add(write.next().token().value());
            CrashPoint before = before(expected, write, own);
            if (before != null) {
                reached(before, expected.key());
            }
            return before;
        }

        /** What a write says by the states that it leads from and to. */
        private static @Nullable CrashPoint before(IdempotencyRecord expected, Write write, boolean own) {
            State next = write.next().state();
            return switch (expected.state()) {
                case OPEN -> next == State.IN_FLIGHT ? CrashPoint.CP01_BEFORE_RESERVE : null;
                case IN_FLIGHT ->
                    switch (next) {
                        case IN_FLIGHT ->
                            expected.token().equals(write.next().token()) ? CrashPoint.CP13_RENEWAL : null;
                        case COMPLETED -> CrashPoint.CP10_BEFORE_RECORD;
                        case OPEN -> CrashPoint.CP23_BEFORE_RELEASE;
                        // The same write by another process is one about a lapsed lease.
                        case IN_DOUBT -> own ? CrashPoint.CP24_BEFORE_MARK_IN_DOUBT : null;
                        case CLOSED -> null;
                    };
                case IN_DOUBT ->
                    next == State.CLOSED || (next == State.IN_FLIGHT && isReexecuted(write.next()))
                            ? CrashPoint.CP16_MISSING
                            : null;
                case COMPLETED, CLOSED -> next == State.OPEN ? CrashPoint.CP20_DECISION_READ : null;
            };
        }

        private static boolean isReexecuted(IdempotencyRecord next) {
            List<Evidence> history = next.evidence();
            return history.get(history.size() - 1).kind() == Evidence.Kind.REEXECUTED;
        }

        @Override
        public int purge(int limit) {
            reached(CrashPoint.CP22_PURGE, null);
            return super.purge(limit);
        }
    }

    private final class HookedTransactionalStore<T> extends HookedStore implements TransactionalStore<T> {
        private final TransactionalStore<T> transactional;
        /** What an open transaction has recorded. */
        private final Map<Object, IdempotencyKey> recorded = Collections.synchronizedMap(new IdentityHashMap<>());

        HookedTransactionalStore(TransactionalStore<T> transactional) {
            super(transactional);
            this.transactional = transactional;
        }

        @Override
        public <R extends @Nullable Object> R inTransaction(Work<? super T, R> work) throws Exception {
            var key = new AtomicReference<@Nullable IdempotencyKey>();
            R result = transactional.inTransaction(transaction -> {
                try {
                    return work.run(transaction);
                } finally {
                    key.set(recorded.remove(transaction));
                }
            });
            if (key.get() != null) {
                reached(CrashPoint.CP11_RECORD_WITHOUT_REPLY, key.get());
            }
            return result;
        }

        @Override
        public Snapshot replace(T transaction, IdempotencyRecord expected, Write write) {
            CrashPoint before = reachedBefore(expected, write);
            Snapshot snapshot = transactional.replace(transaction, expected, write);
            if (snapshot.applied() && before == CrashPoint.CP10_BEFORE_RECORD) {
                recorded.put(transaction, expected.key());
            }
            return snapshot;
        }

        @Override
        public boolean isJoined() {
            return transactional.isJoined();
        }
    }
}

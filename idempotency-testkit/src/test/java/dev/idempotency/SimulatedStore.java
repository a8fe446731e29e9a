package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.Effect;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The store of a simulated world: a map on virtual time that checks every write against invariant I7. Effects can be written
 * in its transactions, too. One that has replaced a record keeps it locked until it ends.
 *
 * <p>With a real store behind it, each step is that store's, and each answer is held against the map.
 */
final class SimulatedStore implements TransactionalStore<SimulatedStore.Transaction> {
    /** Effects and one replacement: all of it or nothing. */
    static final class Transaction {
        private final Consumer<Effect> effectsOfAllTime;
        private final List<Effect> effects = new ArrayList<>();
        private @Nullable IdempotencyRecord after;
        private boolean autoCommit;

        private Transaction(Consumer<Effect> effectsOfAllTime) {
            this.effectsOfAllTime = effectsOfAllTime;
        }

        void write(Effect effect) {
            if (autoCommit) {
                effectsOfAllTime.accept(effect);
            } else {
                effects.add(effect);
            }
        }

        /** For faulty stores: effects count at once, whatever becomes of the transaction. */
        void autoCommit() {
            autoCommit = true;
        }
    }

    /** Somebody else's transaction is open: whoever wants to replace the record waits. */
    static final class RowLocked extends RuntimeException {
        private static final long serialVersionUID = 1L;

        RowLocked() {
            super(null, null, false, false);
        }
    }

    private final InstantSource clock;
    private final Consumer<String> violation;
    private final Map<IdempotencyKey, IdempotencyRecord> records = new HashMap<>();
    private final Set<AttemptToken> entered = new HashSet<>();
    private final List<IdempotencyRecord> completed = new ArrayList<>();
    private final Consumer<Effect> effects;
    private Consumer<Transaction> committing = this::commit;
    private final @Nullable IdempotencyStore real;
    private @Nullable Transaction lockedBy;

    SimulatedStore(InstantSource clock, Consumer<String> violation, Consumer<Effect> effects) {
        this(clock, violation, effects, null);
    }

    SimulatedStore(
            InstantSource clock,
            Consumer<String> violation,
            Consumer<Effect> effects,
            @Nullable IdempotencyStore real) {
        this.real = real;
        this.clock = clock;
        this.violation = violation;
        this.effects = effects;
    }

    /** What happens when the next transaction is to be committed. */
    void committing(Consumer<Transaction> how) {
        committing = how;
    }

    @Override
    public <R extends @Nullable Object> R inTransaction(Work<? super Transaction, R> work) throws Exception {
        var transaction = new Transaction(effects);
        R result;
        try {
            result = work.run(transaction);
        } catch (Throwable t) {
            rollBack(transaction);
            throw t;
        }
        committing.accept(transaction);
        return result;
    }

    void commit(Transaction transaction) {
        rollBack(transaction);
        transaction.effects.forEach(effects);
        IdempotencyRecord after = transaction.after;
        if (after != null) {
            put(records.get(after.key()), after);
        }
    }

    void rollBack(Transaction transaction) {
        if (lockedBy == transaction) {
            lockedBy = null;
        }
    }

    boolean isLocked() {
        return lockedBy != null;
    }

    @Override
    public Snapshot replace(Transaction transaction, IdempotencyRecord expected, Write write) {
        Instant now = clock.instant();
        IdempotencyRecord standing = records.get(expected.key());
        return expected.isSameWriteAs(standing) ? force(transaction, write) : new Snapshot(false, standing, now);
    }

    /** For faulty stores: writes in a transaction whatever stands. */
    Snapshot force(Transaction transaction, Write write) {
        Instant now = clock.instant();
        lockedBy = transaction;
        transaction.after = write.at(now);
        return new Snapshot(true, transaction.after, now);
    }

    @Override
    public boolean isJoined() {
        return false;
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.DURABLE;
    }

    @Override
    public Snapshot reserve(Write write) {
        if (real != null) {
            return mirrored(write.next().key(), real.reserve(write));
        }
        Instant now = clock.instant();
        IdempotencyRecord standing = records.get(write.next().key());
        if (standing != null) {
            return new Snapshot(false, standing, now);
        }
        return new Snapshot(true, put(null, write.at(now)), now);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        if (lockedBy != null) {
            throw new RowLocked();
        }
        if (real != null) {
            return mirrored(expected.key(), real.replace(expected, write));
        }
        Instant now = clock.instant();
        IdempotencyRecord standing = records.get(expected.key());
        if (!expected.isSameWriteAs(standing)) {
            return new Snapshot(false, standing, now);
        }
        return new Snapshot(true, put(standing, write.at(now)), now);
    }

    /** What a real store has written is checked as our own writes are, and what it says stands must stand. */
    private Snapshot mirrored(IdempotencyKey key, Snapshot answer) {
        if (answer.applied()) {
            put(records.get(key), Objects.requireNonNull(answer.record()));
        } else if (!Objects.equals(answer.record(), records.get(key))) {
            violation.accept("I11: the store says that " + answer.record() + " stands instead of " + records.get(key));
        }
        return answer;
    }

    private IdempotencyRecord put(@Nullable IdempotencyRecord before, IdempotencyRecord after) {
        boolean entering = after.state() == State.IN_FLIGHT
                && (before == null
                        || before.state() != State.IN_FLIGHT
                        || !before.token().equals(after.token()));
        if (entering && !entered.add(after.token())) {
            violation.accept("I7: an attempt token was used twice");
        }
        if (before != null) {
            if (after.version() <= before.version()) {
                violation.accept("I7: version " + before.version() + " was followed by " + after.version());
            }
            boolean sameRecord = after.times().createdAt().equals(before.times().createdAt());
            if (sameRecord && after.generation() < before.generation()) {
                violation.accept("I7: the generation went back");
            }
            if (before.state().isTerminal()
                    && !after.state().isTerminal()
                    && sameRecord
                    && after.generation() == before.generation()) {
                violation.accept("I7: " + before.state() + " became " + after.state() + " without an override");
            }
        }
        boolean sameResult = before != null && Objects.equals(before.result(), after.result());
        if (after.state() == State.COMPLETED && !sameResult) {
            completed.add(after);
        }
        records.put(after.key(), after);
        return after;
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return real == null ? new Snapshot(false, records.get(key), clock.instant()) : mirrored(key, real.find(key));
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        if (real != null) {
            return real.listUnresolved(after, limit);
        }
        return records.values().stream()
                .filter(record -> record.state().isUnresolved())
                .limit(limit)
                .toList();
    }

    @Override
    public int purge(int limit) {
        int before = records.size();
        records.values().removeIf(record -> record.isForgettable(clock.instant()));
        return before - records.size();
    }

    /** For faulty stores: the record is simply not there any more. */
    void lose(IdempotencyKey key) {
        records.remove(key);
    }

    /** For faulty stores: writes whatever stands. */
    Snapshot force(Write write) {
        Instant now = clock.instant();
        return new Snapshot(true, put(records.get(write.next().key()), write.at(now)), now);
    }

    @Nullable
    IdempotencyRecord record(IdempotencyKey key) {
        return records.get(key);
    }

    /** Every record that ever had a result, as it was then. */
    List<IdempotencyRecord> completed() {
        return completed;
    }
}

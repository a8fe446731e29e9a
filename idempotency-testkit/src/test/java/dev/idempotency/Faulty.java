package dev.idempotency;

import dev.idempotency.Simulation.Faults;
import dev.idempotency.Simulation.World;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One rule of the protocol taken out at a time: what most libraries do, and what ours must notice if it ever did. */
final class Faulty {
    private static final StateMachine RIGHT = new StateMachine();

    private Faulty() {}

    /** A lapsed lease means "run it again". */
    static Decision takesOverBlindly(@Nullable IdempotencyRecord record, Event event, Instant now) {
        if (event instanceof Event.Expire && record != null && record.isLapsed(now)) {
            var next = record.with()
                    .version(record.version() + 1)
                    .state(State.OPEN)
                    .fingerprint(null)
                    .build();
            return Decision.change(
                    Decision.Reason.RELEASED, new Write(next, false, false, true, null, null, Duration.ZERO));
        }
        return RIGHT.decide(record, event, now);
    }

    /** "The provider has nothing" counts at once. */
    static Decision ignoresQuiescence(@Nullable IdempotencyRecord record, Event event, Instant now) {
        boolean early = event instanceof Event.ReExecute || event instanceof Event.Close;
        return RIGHT.decide(record, event, early ? now.plus(Duration.ofDays(1)) : now);
    }

    /** The same native key is sent again whenever. */
    static Decision ignoresTheWindow(@Nullable IdempotencyRecord record, Event event, Instant now) {
        return event instanceof Event.Resend
                ? withoutWindow(RIGHT.decide(record, event, Instant.EPOCH))
                : RIGHT.decide(record, event, now);
    }

    /** The window is checked when the re-send is decided, and not again before it is sent. */
    static Decision checksTheWindowOnlyAtTakeover(@Nullable IdempotencyRecord record, Event event, Instant now) {
        Decision right = RIGHT.decide(record, event, now);
        return event instanceof Event.Resend && right.verdict() == Decision.Verdict.CHANGE
                ? withoutWindow(right)
                : right;
    }

    private static Decision withoutWindow(Decision decision) {
        Write write = decision.write();
        if (write == null) {
            return decision;
        }
        RecoveryTerms terms = write.next().terms();
        var endless =
                new RecoveryTerms(terms.policy(), terms.whenMissing(), terms.quiescence(), ProviderProfile.ENDLESS);
        return new Decision(
                decision.verdict(),
                decision.reason(),
                with(write, write.next().with().terms(endless).build()),
                null);
    }

    /** A re-send starts the provider's window again. */
    static Decision restartsTheWindow(@Nullable IdempotencyRecord record, Event event, Instant now) {
        Decision right = RIGHT.decide(record, event, now);
        Write write = right.write();
        return event instanceof Event.Resend && write != null
                ? new Decision(
                        right.verdict(),
                        right.reason(),
                        new Write(write.next(), false, true, true, write.lease(), null, Duration.ZERO),
                        null)
                : right;
    }

    /** A lookup that finds no effect is taken for proof that the provider does not know the native key either. */
    static Decision restartsTheWindowAfterALookup(@Nullable IdempotencyRecord record, Event event, Instant now) {
        Decision right = RIGHT.decide(record, event, now);
        return event instanceof Event.ReExecute ? sentAnew(right) : right;
    }

    /** A request that was refused is taken for one that the provider has not counted. */
    static Decision restartsTheWindowAfterARefusal(@Nullable IdempotencyRecord record, Event event, Instant now) {
        Decision right = RIGHT.decide(record, event, now);
        return event instanceof Event.Reserve && record != null && record.state() == State.OPEN
                ? sentAnew(right)
                : right;
    }

    private static Decision sentAnew(Decision right) {
        Write write = right.write();
        return write == null
                ? right
                : new Decision(
                        right.verdict(),
                        right.reason(),
                        new Write(
                                write.next(),
                                write.created(),
                                true,
                                write.newState(),
                                write.lease(),
                                write.retention(),
                                write.tombstone()),
                        right.alarm());
    }

    /** An attempt that was not sent frees the key, although an earlier one was. */
    static Decision releasesLaterAttempts(@Nullable IdempotencyRecord record, Event event, Instant now) {
        Decision right = RIGHT.decide(record, event, now);
        if (event instanceof Event.Release release
                && record != null
                && record.token().equals(release.token())
                && record.state().isUnresolved()) {
            var next = record.with()
                    .version(record.version() + 1)
                    .state(State.OPEN)
                    .fingerprint(null)
                    .build();
            return Decision.change(
                    Decision.Reason.RELEASED, new Write(next, false, false, true, null, null, Duration.ZERO));
        }
        return right;
    }

    /** Whoever has an answer records it. */
    static Decision recordsUnfenced(@Nullable IdempotencyRecord record, Event event, Instant now) {
        if (event instanceof Event.Complete complete && record != null) {
            var next = record.with()
                    .version(record.version() + 1)
                    .state(State.COMPLETED)
                    .result(complete.result())
                    .build();
            return Decision.change(
                    Decision.Reason.COMPLETED,
                    new Write(next, false, false, true, null, Duration.ofDays(7), Duration.ZERO));
        }
        return RIGHT.decide(record, event, now);
    }

    /** An override applies to whatever stands. */
    static Decision overridesAnything(@Nullable IdempotencyRecord record, Event event, Instant now) {
        if (event instanceof Event.Overrule overrule && record != null) {
            var line = new Evidence(Evidence.Kind.OVERRIDE, now, record.attempt(), "blind", (StoredResult) null);
            var next = record.with()
                    .version(record.version() + 1)
                    .state(State.OPEN)
                    .fingerprint(overrule.fingerprint())
                    .result(null)
                    .evidence(List.of(line))
                    .build();
            return Decision.change(
                    Decision.Reason.OVERRIDDEN,
                    new Write(next, false, false, true, null, Duration.ofDays(7), Duration.ZERO));
        }
        return RIGHT.decide(record, event, now);
    }

    /** Does not know its own reservation again. */
    static Decision forgetsItsOwnToken(@Nullable IdempotencyRecord record, Event event, Instant now) {
        boolean own = event instanceof Event.Reserve reserve
                && record != null
                && record.state() == State.IN_FLIGHT
                && record.token().equals(reserve.token());
        return own ? Decision.refused(Decision.Reason.WAIT) : RIGHT.decide(record, event, now);
    }

    private static Write with(Write write, IdempotencyRecord next) {
        return new Write(
                next,
                write.created(),
                write.firstSent(),
                write.newState(),
                write.lease(),
                write.retention(),
                write.tombstone());
    }

    /** Tokens of a process that is known by its host's name. */
    static AttemptToken hostName(int process, int drawn) {
        return new AttemptToken(String.format("%032x", process));
    }

    /** Tokens that count from one, in every row. */
    static AttemptToken counter(int process, int drawn) {
        return new AttemptToken(String.format("%032x", 1));
    }

    /** Live records that expire: a TTL on the reservation. */
    static TransactionalStore<SimulatedStore.Transaction> forgetsLiveRecords(
            SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            @Override
            void before(IdempotencyKey key) {
                IdempotencyRecord record = store.record(key);
                if (record != null
                        && record.state().isUnresolved()
                        && now.get().isAfter(record.times().stateSince().plusSeconds(15))) {
                    store.lose(key);
                }
            }
        };
    }

    /** A failover to a replica that had not got the latest write. */
    static TransactionalStore<SimulatedStore.Transaction> losesAcknowledgedWrites(
            SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            private int steps;

            @Override
            void before(IdempotencyKey key) {
                if (++steps == 3) {
                    store.lose(key);
                }
            }
        };
    }

    /** Replaces by key, whatever stands. */
    static TransactionalStore<SimulatedStore.Transaction> comparesNothing(SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            @Override
            public Snapshot replace(IdempotencyRecord expected, Write write) {
                return store.force(write);
            }
        };
    }

    /** Writes the record in the transaction, but looks at nothing before. */
    static TransactionalStore<SimulatedStore.Transaction> comparesNothingInTransactions(
            SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            @Override
            public Snapshot replace(SimulatedStore.Transaction transaction, IdempotencyRecord expected, Write write) {
                return store.force(transaction, write);
            }
        };
    }

    /** The effect is committed by itself, before the record is. */
    static TransactionalStore<SimulatedStore.Transaction> commitsEffectsAlone(
            SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            @Override
            public <R extends @Nullable Object> R inTransaction(Work<? super SimulatedStore.Transaction, R> work)
                    throws Exception {
                return store.inTransaction(transaction -> {
                    transaction.autoCommit();
                    return work.run(transaction);
                });
            }
        };
    }

    private static class Wrapper extends ForwardingStore implements TransactionalStore<SimulatedStore.Transaction> {
        final SimulatedStore store;

        Wrapper(SimulatedStore store) {
            super(store);
            this.store = store;
        }

        void before(IdempotencyKey key) {}

        @Override
        public <R extends @Nullable Object> R inTransaction(Work<? super SimulatedStore.Transaction, R> work)
                throws Exception {
            return store.inTransaction(work);
        }

        @Override
        public Snapshot replace(SimulatedStore.Transaction transaction, IdempotencyRecord expected, Write write) {
            before(expected.key());
            return store.replace(transaction, expected, write);
        }

        @Override
        public boolean isJoined() {
            return store.isJoined();
        }

        @Override
        public Snapshot reserve(Write write) {
            before(write.next().key());
            return super.reserve(write);
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            before(expected.key());
            return super.replace(expected, write);
        }

        @Override
        public Snapshot find(IdempotencyKey key) {
            before(key);
            return super.find(key);
        }
    }

    /** Replaces what has the same token, whatever its version. */
    static TransactionalStore<SimulatedStore.Transaction> comparesTokensOnly(
            SimulatedStore store, Supplier<Instant> now) {
        return new Wrapper(store) {
            @Override
            public Snapshot replace(IdempotencyRecord expected, Write write) {
                IdempotencyRecord standing = store.record(expected.key());
                return standing != null && standing.token().equals(expected.token())
                        ? store.force(write)
                        : new Snapshot(false, standing, now.get());
            }
        };
    }

    /** A variant, and the invariant that it must be seen to break. */
    record Variant(World world, String breaks) {}

    private static final class Variants extends LinkedHashMap<String, Variant> {
        private static final long serialVersionUID = 1L;

        void put(String fault, World world) {
            put(fault, new Variant(world, "I1:"));
        }

        void put(String fault, World world, String breaks) {
            put(fault, new Variant(world, breaks));
        }
    }

    /** Every faulty variant in the world in which its rule counts. */
    static Map<String, Variant> variants() {
        Faults none = Faults.none();
        var variants = new Variants();
        variants.put(
                "takes a lapsed attempt over blindly",
                Worlds.with(Worlds.hold(), none.machine(Faulty::takesOverBlindly)));
        variants.put(
                "takes every exception for 'not executed'",
                Worlds.with(Worlds.hold(), none.failures(failure -> FailureClass.NOT_EXECUTED)));
        variants.put(
                "ignores quiescence",
                Worlds.with(Worlds.lookupThenReexecute(), none.machine(Faulty::ignoresQuiescence)));
        variants.put(
                "ignores quiescence when closing",
                Worlds.with(Worlds.lookupThenClose(), none.machine(Faulty::ignoresQuiescence)),
                "I3:");
        variants.put(
                "checks no deadline before sending", Worlds.with(Worlds.lookupThenReexecute(), none.withFrozenClock()));
        variants.put(
                "ignores the provider's window",
                Worlds.with(Worlds.nativeInWindow(), none.machine(Faulty::ignoresTheWindow)));
        variants.put(
                "checks the window only at takeover",
                Worlds.with(Worlds.nativeInWindow(), none.machine(Faulty::checksTheWindowOnlyAtTakeover)));
        variants.put(
                "starts the window again with each re-send",
                Worlds.with(Worlds.nativeInWindow(), none.machine(Faulty::restartsTheWindow)));
        variants.put(
                "starts the window again after a lookup that found nothing",
                Worlds.with(Worlds.nativeThenLookup(), none.machine(Faulty::restartsTheWindowAfterALookup)));
        variants.put(
                "starts the window again after a refusal",
                Worlds.with(Worlds.nativeInWindow(), none.machine(Faulty::restartsTheWindowAfterARefusal)));
        variants.put(
                "has a store whose clock jumps further than the window leaves room for",
                Worlds.with(Worlds.nativeInWindow().jumping("a bad clock", 25_000), none));
        variants.put(
                "has a store whose clock jumps further than the quiescence leaves room for",
                Worlds.with(Worlds.lookupThenReexecute().jumping("a bad clock", 12_000), none));
        variants.put(
                "forgets a key before the provider does",
                Worlds.with(Worlds.nativeInWindow().keeping("kept for a moment", Duration.ofSeconds(5)), none));
        variants.put(
                "frees the key after a later attempt",
                Worlds.with(Worlds.nativeInWindow(), none.machine(Faulty::releasesLaterAttempts)));
        variants.put(
                "records unfenced", Worlds.with(Worlds.nativeEndless(), none.machine(Faulty::recordsUnfenced)), "I3:");
        variants.put("overrides whatever stands", Worlds.with(Worlds.hold(), none.machine(Faulty::overridesAnything)));
        variants.put("uses host names as tokens", Worlds.with(Worlds.hold(), none.tokens(Faulty::hostName)));
        variants.put(
                "uses counters as tokens and compares nothing else",
                Worlds.with(
                        Worlds.lookupThenReexecute(),
                        none.tokens(Faulty::counter).store(Faulty::comparesTokensOnly)));
        variants.put(
                "answers before the record is confirmed",
                Worlds.with(Worlds.hold(), none.answeringUnconfirmed()),
                "I5:");
        variants.put(
                "sits on a transport that repeats requests", Worlds.with(Worlds.hold(), none.withRepeatingTransport()));
        variants.put(
                "sends a new native key each time",
                Worlds.with(Worlds.nativeEndless(), none.withNewNativeKeyEachTime()));
        variants.put("lets live records expire", Worlds.with(Worlds.hold(), none.store(Faulty::forgetsLiveRecords)));
        variants.put(
                "loses acknowledged writes",
                Worlds.with(Worlds.lookupThenReexecute(), none.store(Faulty::losesAcknowledgedWrites)));
        variants.put(
                "compares nothing when it replaces", Worlds.with(Worlds.hold(), none.store(Faulty::comparesNothing)));
        variants.put(
                "compares nothing in its transactions",
                Worlds.with(Worlds.sameTransaction(), none.store(Faulty::comparesNothingInTransactions)));
        variants.put(
                "commits effects in transactions of their own",
                Worlds.with(Worlds.sameTransaction(), none.store(Faulty::commitsEffectsAlone)));
        return variants;
    }
}

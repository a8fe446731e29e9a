package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Stores that are wrong in one way each, with the clauses of {@code docs/store-contract.md} that each of them breaks. They
 * prove that the contract catches such a store, and that a test of your own would: it must fail on those that matter to it.
 *
 * @since 0.1.0
 */
public enum BrokenStores {
    // ---- reserve
    /** Reserve overwrites whatever stands. */
    OVERWRITES(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var now = now();
                    return new Snapshot(true, put(write, now), now);
                }
            },
            "S3 S4 S5 S30 S31 S34 S43"),
    /** Reserve overwrites a record that is not in flight. */
    RESERVES_OVER_RELEASED(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var now = now();
                    var standing = standing(write.next().key());
                    return standing != null && standing.state() == State.OPEN
                            ? new Snapshot(true, put(write, now), now)
                            : super.reserve(write);
                }
            },
            "S3 S43"),
    /** Reserve takes a record over whose lease is over, as peers do. */
    TAKES_OVER_LAPSED(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var now = now();
                    var standing = standing(write.next().key());
                    return standing != null && standing.isLapsed(now)
                            ? new Snapshot(true, put(write, now), now)
                            : super.reserve(write);
                }
            },
            "S30 S31"),
    /** A refused reserve answers with the record that was to be written. */
    ECHOES_REFUSED_RESERVE(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var answer = super.reserve(write);
                    return answer.applied() ? answer : new Snapshot(false, write.at(answer.now()), answer.now());
                }
            },
            "S3 S4 S5 S30 S31 S34 S43"),
    /** A reserve repeated with the same token renews the lease. */
    RENEWS_REPEATED_RESERVE(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var now = now();
                    var standing = standing(write.next().key());
                    return standing != null
                                    && standing.token().equals(write.next().token())
                            ? new Snapshot(true, put(write, now), now)
                            : super.reserve(write);
                }
            },
            "S4"),
    /** Reserve looks first and writes then, in two steps. */
    LOOKS_THEN_RESERVES(
            store -> new FaultyStore(store) {
                private final AtomicInteger looked = new AtomicInteger();

                @Override
                public Snapshot reserve(Write write) {
                    if (standing(write.next().key()) != null) {
                        return super.reserve(write);
                    }
                    looked.incrementAndGet();
                    if (hasCompany()) {
                        await(() -> looked.get() > 1);
                    }
                    var now = now();
                    return new Snapshot(true, put(write, now), now);
                }
            },
            "S5"),
    /** The answer to reserve has the record without the store's times. */
    FORGETS_TIMES_OF_RESERVE(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var answer = super.reserve(write);
                    return answer.applied() ? new Snapshot(true, write.next(), answer.now()) : answer;
                }
            },
            "S1 S2 S3 S4 S5 S9 S14 S28 S30 S31 S32 S35 S38"),
    /** Scope and value are joined. */
    JOINS_KEY_PARTS(
            store -> new FaultyStore(store) {
                @Override
                Object identity(IdempotencyKey key) {
                    return key.scope() + ":" + key.value();
                }
            },
            "S6"),
    /** Keys are compared without regard to case. */
    IGNORES_CASE(
            store -> new FaultyStore(store) {
                @Override
                Object identity(IdempotencyKey key) {
                    return new IdempotencyKey(key.scope(), key.value().toLowerCase(Locale.ROOT));
                }
            },
            "S6"),
    /** Keys are compared without the spaces at their ends. */
    TRIMS_KEYS(
            store -> new FaultyStore(store) {
                @Override
                Object identity(IdempotencyKey key) {
                    return new IdempotencyKey(key.scope(), key.value().strip());
                }
            },
            "S6"),

    // ---- replace
    /** Replace does not compare the version. */
    FORGETS_THE_VERSION(
            store -> new FaultyStore(store) {
                @Override
                boolean matches(IdempotencyRecord expected, IdempotencyRecord standing) {
                    return expected.token().equals(standing.token());
                }
            },
            "S8 S11"),
    /** Replace does not compare the token. */
    FORGETS_THE_TOKEN(
            store -> new FaultyStore(store) {
                @Override
                boolean matches(IdempotencyRecord expected, IdempotencyRecord standing) {
                    return expected.version() == standing.version();
                }
            },
            "S9"),
    /** Replace compares nothing. */
    REPLACES_BY_KEY(
            store -> new FaultyStore(store) {
                @Override
                boolean matches(IdempotencyRecord expected, IdempotencyRecord standing) {
                    return true;
                }
            },
            "S8 S9 S11 S12"),
    /** Replace compares whole records. */
    COMPARES_WHOLE_RECORDS(
            store -> new FaultyStore(store) {
                @Override
                boolean matches(IdempotencyRecord expected, IdempotencyRecord standing) {
                    return expected.equals(standing);
                }
            },
            "S13"),
    /** Replace looks first and writes then, in two steps. */
    LOOKS_THEN_REPLACES(
            store -> new FaultyStore(store) {
                private final AtomicInteger looked = new AtomicInteger();

                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    var standing = standing(expected.key());
                    if (standing == null || !matches(expected, standing)) {
                        return super.replace(expected, write);
                    }
                    if (hasCompany()) {
                        looked.incrementAndGet();
                        await(() -> looked.get() > 1);
                    }
                    var now = now();
                    return new Snapshot(true, put(write, now), now);
                }
            },
            "S12"),
    /** Replace creates what is not there. */
    REPLACES_NOTHING(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    return standing(expected.key()) == null ? super.reserve(write) : super.replace(expected, write);
                }
            },
            "S10"),
    /** Replace acknowledges and writes nothing. */
    ACKNOWLEDGES_ONLY(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    var standing = standing(expected.key());
                    if (standing == null || !matches(expected, standing)) {
                        return super.replace(expected, write);
                    }
                    return new Snapshot(true, write.at(now()), now());
                }
            },
            "S3 S7 S8 S11 S12 S13 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S25 S26 S27 S30 S31 S33 S34 S35 S36 S37 S38 S39 S41 S43 S45 S46"),
    /** Replace answers with the record that it replaced. */
    ANSWERS_THE_OLD_RECORD(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    var old = standing(expected.key());
                    var answer = super.replace(expected, write);
                    return answer.applied() ? new Snapshot(true, old, answer.now()) : answer;
                }
            },
            "S3 S7 S8 S11 S12 S13 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S25 S26 S27 S30 S31 S33 S34 S38 S43 S45 S46"),
    /** A refused replace answers with what was expected instead of what stands. */
    ECHOES_REFUSED_REPLACE(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    var answer = super.replace(expected, write);
                    return answer.applied() ? answer : new Snapshot(false, expected, answer.now());
                }
            },
            "S8 S9 S10 S11 S12"),
    /** Find reads a replica that is one write behind. */
    READS_A_REPLICA(
            store -> new FaultyStore(store) {
                private Map<Object, IdempotencyRecord> replica = Map.of();

                @Override
                public Snapshot reserve(Write write) {
                    replica = copy();
                    return super.reserve(write);
                }

                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    replica = copy();
                    return super.replace(expected, write);
                }

                @Override
                public Snapshot find(IdempotencyKey key) {
                    return new Snapshot(false, replica.get(key), now());
                }
            },
            "S1 S2 S7 S13 S14 S15 S16 S17 S18 S19 S28 S30 S31 S33 S34 S35 S36 S37 S43 S46"),
    /** A failover loses every write that was acknowledged since time last passed. */
    LOSES_ACKNOWLEDGED_WRITES(
            store -> new FaultyStore(store) {
                private Instant written = Instant.MIN;
                private Map<Object, IdempotencyRecord> replica = Map.of();

                @Override
                Instant now() {
                    var now = super.now();
                    if (now.isAfter(written) && written.isAfter(Instant.MIN)) {
                        restore(replica);
                        written = Instant.MIN;
                    }
                    return now;
                }

                @Override
                IdempotencyRecord written(Write write, Instant now) {
                    if (written.equals(Instant.MIN)) {
                        replica = copy();
                    }
                    written = now;
                    return super.written(write, now);
                }
            },
            "S4 S7 S11 S20 S21 S22 S23 S25 S26 S30 S31 S33 S34 S36 S39 S41 S43 S45"),

    // ---- what comes back
    /** Keys are kept as Latin letters only. */
    KEEPS_LATIN_KEYS(
            distorted(record -> new IdempotencyRecord(
                    latin(record.key()),
                    record.generation(),
                    record.fingerprint(),
                    record.state(),
                    record.version(),
                    record.token(),
                    record.attempt(),
                    record.nativeKey(),
                    record.terms(),
                    record.result(),
                    record.request(),
                    record.evidence(),
                    record.times())),
            "S14"),
    /** Results are cut off after 64 KiB. */
    TRUNCATES_RESULTS(
            distorted(record -> record.with().result(cut(record.result())).build()), "S15"),
    /** An empty result is kept as none. */
    LOSES_EMPTY_RESULTS(
            distorted(record -> {
                var result = record.result();
                return result != null && result.size() == 0
                        ? record.with().result(null).build()
                        : record;
            }),
            "S15"),
    /** Every outcome is kept as a result. */
    LOSES_DECLINES(
            distorted(record -> {
                var result = record.result();
                return result == null
                        ? record
                        : record.with()
                                .result(new StoredResult(StoredResult.Kind.RESULT, result.codec(), result.bytes()))
                                .build();
            }),
            "S15"),
    /** The kept request is not kept. */
    DROPS_REQUESTS(distorted(record -> record.with().request(null).build()), "S7 S46"),
    /** An open record keeps the fingerprint that it had. */
    KEEPS_FINGERPRINTS(
            store -> new FaultyStore(store) {
                @Override
                IdempotencyRecord written(Write write, Instant now) {
                    var record = super.written(write, now);
                    var old = standing(record.key());
                    return record.fingerprint() == null && old != null
                            ? record.with().fingerprint(old.fingerprint()).build()
                            : record;
                }
            },
            "S16"),
    /** Durations are kept in milliseconds. */
    ROUNDS_DURATIONS(
            distorted(record -> {
                var terms = record.terms();
                return record.with()
                        .terms(new RecoveryTerms(
                                terms.policy(),
                                terms.whenMissing(),
                                millis(terms.quiescence()),
                                millis(terms.resendWithin())))
                        .build();
            }),
            "S17"),
    /** No duration is kept as zero. */
    KEEPS_NO_DURATION_AS_ZERO(
            distorted(record -> {
                var terms = record.terms();
                return record.with()
                        .terms(new RecoveryTerms(
                                terms.policy(),
                                terms.whenMissing(),
                                Objects.requireNonNullElse(terms.quiescence(), Duration.ZERO),
                                terms.resendWithin()))
                        .build();
            }),
            "S1 S14 S17 S28 S35"),
    /** Evidence is not kept. */
    DROPS_EVIDENCE(distorted(record -> record.with().evidence(List.of()).build()), "S7 S18 S43"),
    /** The results in the evidence are not kept. */
    DROPS_RESULTS_OF_EVIDENCE(
            distorted(record -> record.with()
                    .evidence(record.evidence().stream()
                            .map(line -> new Evidence(line.kind(), line.at(), line.attempt(), line.detail(), null))
                            .toList())
                    .build()),
            "S18 S43"),
    /** Only the last 64 lines of evidence are kept. */
    CUTS_EVIDENCE(
            distorted(record -> {
                var lines = record.evidence();
                return record.with()
                        .evidence(lines.subList(Math.max(0, lines.size() - 64), lines.size()))
                        .build();
            }),
            "S18"),
    /** Versions are kept in 32 bits. */
    NARROWS_VERSIONS(
            distorted(record -> record.with()
                    .version(Math.min(record.version(), Integer.MAX_VALUE))
                    .build()),
            "S19"),
    /** Every record is of the first generation. */
    FORGETS_THE_GENERATION(distorted(record -> record.with().generation(1).build()), "S7 S19 S43"),

    // ---- times
    /** The time of creation stays when a key begins anew. */
    KEEPS_CREATION(
            retimed((write, now, times) -> write.created() && write.next().version() > 1
                    ? new Times(
                            write.next().times().createdAt(),
                            times.firstSentAt(),
                            times.stateSince(),
                            times.leaseUntil(),
                            times.expiresAt(),
                            times.forgetAt())
                    : times),
            "S20"),
    /** Every write sets the time of creation. */
    CREATES_EVERY_TIME(
            retimed((write, now, times) -> new Times(
                    now,
                    times.firstSentAt(),
                    times.stateSince(),
                    times.leaseUntil(),
                    times.expiresAt(),
                    times.forgetAt())),
            "S7 S20 S30 S43"),
    /** Every write sets the time of the first send. */
    SENDS_FIRST_EVERY_TIME(
            retimed((write, now, times) -> new Times(
                    times.createdAt(),
                    now,
                    times.stateSince(),
                    times.leaseUntil(),
                    times.expiresAt(),
                    times.forgetAt())),
            "S21 S30 S43"),
    /** The time of the state is set when the state differs, whatever the write says. */
    GUESSES_NEW_STATES(
            store -> new FaultyStore(store) {
                @Override
                IdempotencyRecord written(Write write, Instant now) {
                    var old = standing(write.next().key());
                    var differs = old == null || old.state() != write.next().state();
                    return super.written(
                            new Write(
                                    write.next(),
                                    write.created(),
                                    write.firstSent(),
                                    differs,
                                    write.lease(),
                                    write.retention(),
                                    write.tombstone()),
                            now);
                }
            },
            "S22"),
    /** A write without a lease clears the lease. */
    CLEARS_THE_LEASE(
            retimed((write, now, times) -> withLease(times, write.lease() == null ? null : times.leaseUntil())), "S23"),
    /** A lease is only ever prolonged. */
    NEVER_SHORTENS_A_LEASE(
            retimed((write, now, times) -> {
                var old = write.next().times().leaseUntil();
                var next = times.leaseUntil();
                return withLease(times, old != null && next != null && old.isAfter(next) ? old : next);
            }),
            "S23 S28 S45"),
    /** A record that leaves the flight keeps its lease. */
    KEEPS_THE_LEASE(
            retimed((write, now, times) -> withLease(
                    times, times.leaseUntil() == null ? write.next().times().leaseUntil() : times.leaseUntil())),
            "S7 S15 S16 S24 S43 S45 S46"),
    /** A write with a retention sets the expiry, sooner or later. */
    RESETS_THE_RETENTION(
            retimed((write, now, times) -> {
                var retention = write.retention();
                return retention == null
                        ? times
                        : new Times(
                                times.createdAt(),
                                times.firstSentAt(),
                                times.stateSince(),
                                times.leaseUntil(),
                                now.plus(retention),
                                now.plus(retention).plus(write.tombstone()));
            }),
            "S25 S27"),
    /** A write without a retention ends it. */
    ENDS_THE_RETENTION(
            retimed((write, now, times) -> write.retention() != null
                    ? times
                    : new Times(
                            times.createdAt(), times.firstSentAt(), times.stateSince(), times.leaseUntil(), now, now)),
            "S20 S26 S30"),
    /** Tombstones are not kept. */
    IGNORES_TOMBSTONES(
            retimed((write, now, times) -> new Times(
                    times.createdAt(),
                    times.firstSentAt(),
                    times.stateSince(),
                    times.leaseUntil(),
                    times.expiresAt(),
                    times.expiresAt())),
            "S7 S27 S28 S34"),
    /** The time to forget is never moved to an earlier time. */
    NEVER_SHORTENS_A_TOMBSTONE(
            retimed((write, now, times) -> new Times(
                    times.createdAt(),
                    times.firstSentAt(),
                    times.stateSince(),
                    times.leaseUntil(),
                    times.expiresAt(),
                    later(times.forgetAt(), write.next().times().forgetAt()))),
            "S27 S28"),
    /** Times that the caller's record has are kept. */
    TAKES_THE_CALLERS_TIMES(
            retimed((write, now, times) -> {
                var callers = write.next().times();
                return callers.createdAt().isAfter(now) ? callers : times;
            }),
            "S28"),
    /** The time is the caller's: it does not move when the store's does. */
    USES_THE_CALLERS_CLOCK(
            store -> new FaultyStore(store) {
                private final Instant callers = clock.instant();

                @Override
                Instant now() {
                    return callers;
                }
            },
            "S28 S30 S34 S35 S36 S37 S39 S41"),
    /** The time of every fifth answer is a millisecond behind. */
    TURNS_TIME_BACK(
            store -> new FaultyStore(store) {
                private final AtomicInteger answers = new AtomicInteger();

                @Override
                Instant now() {
                    var now = super.now();
                    return answers.incrementAndGet() % 5 == 0 ? now.minusMillis(1) : now;
                }
            },
            "S29"),

    // ---- what time does
    /** A lease that is over puts the record in doubt by itself. */
    LAPSES_LEASES(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot find(IdempotencyKey key) {
                    var answer = super.find(key);
                    var record = answer.record();
                    return record != null && record.isLapsed(answer.now())
                            ? new Snapshot(
                                    false, record.with().state(State.IN_DOUBT).build(), answer.now())
                            : answer;
                }
            },
            "S30 S31"),
    /** A record cannot be replaced any more once its lease is over. */
    REFUSES_AFTER_THE_LEASE(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    var standing = standing(expected.key());
                    return standing != null && standing.isLapsed(now())
                            ? new Snapshot(false, standing, now())
                            : super.replace(expected, write);
                }
            },
            "S30"),
    /** Every record expires, unresolved or not. */
    EXPIRES_LIVE_RECORDS(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot find(IdempotencyKey key) {
                    var standing = standing(key);
                    if (standing != null && isOver(standing, now())) {
                        remove(key);
                    }
                    return super.find(key);
                }
            },
            "S31"),
    /** A purge removes unresolved records. */
    PURGES_UNRESOLVED(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return isOver(record, now);
                }
            },
            "S31"),
    /** At most a hundred records are kept, whatever their state. */
    EVICTS_LIVE_RECORDS(
            store -> new FaultyStore(store) {
                @Override
                public Snapshot reserve(Write write) {
                    var all = records();
                    if (all.size() >= 100) {
                        remove(all.get(0).key());
                    }
                    return super.reserve(write);
                }
            },
            "S32"),
    /** A purge removes what is resolved, whatever its retention. */
    PURGES_TOO_EARLY(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return !record.state().isUnresolved();
                }
            },
            "S33 S34"),
    /** A released key is removed by the next purge. */
    PURGES_RELEASED(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return record.state() == State.OPEN || super.isForgettable(record, now);
                }
            },
            "S33"),
    /** A purge leaves results until their record is forgotten. */
    KEEPS_EXPIRED_RESULTS(
            store -> new FaultyStore(store) {
                @Override
                boolean isExpired(IdempotencyRecord record, Instant now) {
                    return false;
                }
            },
            "S34 S36"),
    /** A purge removes records whose result has expired. */
    PURGES_AT_EXPIRY(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return record.isExpired(now);
                }
            },
            "S34"),
    /** A purge never removes a record. */
    NEVER_FORGETS(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return false;
                }
            },
            "S35"),
    /** A released key is never removed. */
    NEVER_FORGETS_RELEASED(
            store -> new FaultyStore(store) {
                @Override
                boolean isForgettable(IdempotencyRecord record, Instant now) {
                    return record.state() != State.OPEN && super.isForgettable(record, now);
                }
            },
            "S35"),
    /** A purge knows no limit. */
    PURGES_WITHOUT_LIMIT(
            store -> new FaultyStore(store) {
                @Override
                public int purge(int limit) {
                    requireLimit(limit);
                    return Math.min(limit, super.purge(Integer.MAX_VALUE));
                }
            },
            "S36"),
    /** A purge says nothing was done. */
    PURGES_SILENTLY(
            store -> new FaultyStore(store) {
                @Override
                public int purge(int limit) {
                    requireLimit(limit);
                    while (super.purge(limit) == limit) {}
                    return 0;
                }
            },
            "S36"),
    /** A purge looks for records that are due first and removes them then, in two steps. */
    LOOKS_THEN_PURGES(
            store -> new FaultyStore(store) {
                private final AtomicInteger looked = new AtomicInteger();
                private final AtomicInteger written = new AtomicInteger();

                @Override
                public int purge(int limit) {
                    requireLimit(limit);
                    if (!hasCompany()) {
                        return super.purge(limit);
                    }
                    var now = now();
                    var due = records().stream()
                            .filter(record -> record.isForgettable(now))
                            .limit(limit)
                            .toList();
                    looked.incrementAndGet();
                    var before = written.get();
                    await(() -> due.isEmpty() || written.get() > before);
                    due.forEach(record -> remove(record.key()));
                    return due.size();
                }

                @Override
                public Snapshot replace(IdempotencyRecord expected, Write write) {
                    if (hasCompany() && write.created()) {
                        await(() -> looked.get() > 0);
                    }
                    var answer = super.replace(expected, write);
                    written.incrementAndGet();
                    return answer;
                }
            },
            "S37"),

    // ---- listing
    /** The list has every record. */
    LISTS_EVERYTHING(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    return page(records(), after, limit);
                }
            },
            "S38 S41"),
    /** The list has no records in doubt. */
    LISTS_NO_DOUBTS(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    return super.listUnresolved(after, limit).stream()
                            .filter(record -> record.state() == State.IN_FLIGHT)
                            .toList();
                }
            },
            "S38 S39"),
    /** The list begins with the latest. */
    LISTS_THE_LATEST_FIRST(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    var all = new ArrayList<>(unresolved());
                    Collections.reverse(all);
                    return all.stream()
                            .filter(record -> after == null || LONGEST_IN_STATE.compare(record, after) < 0)
                            .limit(limit)
                            .toList();
                }
            },
            "S39 S41"),
    /** The list is in the order of the keys. */
    LISTS_BY_KEY(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    var byKey = new TreeMap<String, IdempotencyRecord>();
                    unresolved().forEach(record -> byKey.put(record.key().toString(), record));
                    return byKey.values().stream()
                            .filter(record -> after == null
                                    || record.key()
                                                    .toString()
                                                    .compareTo(after.key().toString())
                                            > 0)
                            .limit(limit)
                            .toList();
                }
            },
            "S39 S41"),
    /** The list knows no cursor. */
    IGNORES_THE_CURSOR(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    return super.listUnresolved(null, limit);
                }
            },
            "S38 S39 S40 S41"),
    /** The list knows no limit. */
    IGNORES_THE_PAGE_LIMIT(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    return super.listUnresolved(after, Integer.MAX_VALUE);
                }
            },
            "S40"),
    /** A page goes on with later times only, and loses records of the cursor's own time. */
    LOSES_TIES(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    return unresolved().stream()
                            .filter(record -> after == null
                                    || record.times()
                                            .stateSince()
                                            .isAfter(after.times().stateSince()))
                            .limit(limit)
                            .toList();
                }
            },
            "S40"),
    /** The list ends when the cursor's record is resolved. */
    LOSES_THE_CURSOR(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    requireLimit(limit);
                    var standing = after == null ? null : standing(after.key());
                    var isLost = after != null
                            && (standing == null || !standing.state().isUnresolved());
                    return isLost ? List.of() : super.listUnresolved(after, limit);
                }
            },
            "S41"),

    // ---- the rest
    /** Any limit will do. */
    ACCEPTS_ANY_LIMIT(
            store -> new FaultyStore(store) {
                @Override
                public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
                    return limit < 1 ? List.of() : super.listUnresolved(after, limit);
                }

                @Override
                public int purge(int limit) {
                    return limit < 1 ? 0 : super.purge(limit);
                }
            },
            "S42"),
    /** The class changes from one question to the next. */
    CHANGES_ITS_CLASS(
            store -> new FaultyStore(store) {
                private final AtomicInteger asked = new AtomicInteger();

                @Override
                public StoreClass storeClass() {
                    return asked.getAndIncrement() % 2 == 0 ? StoreClass.DURABLE : StoreClass.LOSSY;
                }
            },
            "S44");

    private static final long PATIENCE = 2_000_000_000L;

    /** The times that a write ends up with, given those that it should end up with. */
    private interface Retiming {
        Times of(Write write, Instant now, Times times);
    }

    /** Captures nothing. */
    @SuppressWarnings("ImmutableEnumChecker")
    private final Function<ManualClock, IdempotencyStore> factory;

    private final String violates;

    BrokenStores(Function<ManualClock, IdempotencyStore> factory, String violates) {
        this.factory = factory;
        this.violates = violates;
    }

    /**
     * Makes such a store. A race that the fault consists of is waited for in every thread but the one that made the store,
     * so that threads that meet in it are certain to lose it.
     *
     * @param clock the store's clock
     * @return a new, empty store; right but for its fault
     * @throws NullPointerException if the clock is null
     */
    public IdempotencyStore on(ManualClock clock) {
        return factory.apply(Objects.requireNonNull(clock, "clock"));
    }

    /**
     * The clauses that such a store breaks, and no others.
     *
     * @return numbers such as {@code S7}, in their order; cannot be changed
     */
    public Set<String> violates() {
        return Collections.unmodifiableSet(new LinkedHashSet<>(Arrays.asList(violates.split(" "))));
    }

    private static Function<ManualClock, IdempotencyStore> distorted(UnaryOperator<IdempotencyRecord> fault) {
        return clock -> new FaultyStore(clock) {
            @Override
            IdempotencyRecord written(Write write, Instant now) {
                return fault.apply(super.written(write, now));
            }
        };
    }

    private static Function<ManualClock, IdempotencyStore> retimed(Retiming fault) {
        return clock -> new FaultyStore(clock) {
            @Override
            IdempotencyRecord written(Write write, Instant now) {
                var record = super.written(write, now);
                return record.with().times(fault.of(write, now, record.times())).build();
            }
        };
    }

    private static Times withLease(Times times, @Nullable Instant leaseUntil) {
        return new Times(
                times.createdAt(),
                times.firstSentAt(),
                times.stateSince(),
                leaseUntil,
                times.expiresAt(),
                times.forgetAt());
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /** What would be due if state did not matter; a record without a retention never is. */
    private static boolean isOver(IdempotencyRecord record, Instant now) {
        var forgetAt = record.times().forgetAt();
        return forgetAt.isAfter(Instant.EPOCH) && !now.isBefore(forgetAt);
    }

    private static IdempotencyKey latin(IdempotencyKey key) {
        var bytes = key.value().getBytes(StandardCharsets.US_ASCII);
        return new IdempotencyKey(key.scope(), new String(bytes, StandardCharsets.US_ASCII));
    }

    private static @Nullable StoredResult cut(@Nullable StoredResult result) {
        return result == null || result.size() <= 1 << 16
                ? result
                : new StoredResult(result.kind(), result.codec(), Arrays.copyOf(result.bytes(), 1 << 16));
    }

    private static @Nullable Duration millis(@Nullable Duration duration) {
        return duration == null ? null : duration.truncatedTo(ChronoUnit.MILLIS);
    }

    private static List<IdempotencyRecord> page(
            List<IdempotencyRecord> records, @Nullable IdempotencyRecord after, int limit) {
        return records.stream()
                .sorted(ReferenceStore.LONGEST_IN_STATE)
                .filter(record -> after == null || ReferenceStore.LONGEST_IN_STATE.compare(record, after) > 0)
                .limit(limit)
                .toList();
    }

    /** Waits until another thread has come as far, or until it is clear that none will. */
    private static void await(BooleanSupplier condition) {
        var deadline = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(100_000);
        }
    }
}

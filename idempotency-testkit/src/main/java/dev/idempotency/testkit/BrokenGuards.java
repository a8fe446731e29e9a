package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Version guards that are wrong in one way each, with the clauses of {@code docs/inbox-contract.md} that each of them breaks. They
 * prove that the contract catches such a guard.
 *
 * @since 0.1.0
 */
public enum BrokenGuards {
    /** Everything is newer. */
    LETS_ALL_PASS(
            clock -> new ReferenceGuard(clock) {
                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    return 1;
                }
            },
            "G1 G2 G3 G4 G5 G6 G7 G8 G10 G11 G13"),
    /** What was told before is stale: whoever crashed before his work was done never does it. */
    TAKES_A_REPETITION_FOR_STALE(
            clock -> new ReferenceGuard(clock) {
                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    int order = super.compare(version, standing);
                    return order == 0 ? -1 : order;
                }
            },
            "G3 G8 G10 G13"),
    /** Compares numbers alone. */
    IGNORES_THE_TIE_BREAK(
            clock -> new ReferenceGuard(clock) {
                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    return version.number() == standing.number()
                            ? Boolean.compare(version.deleted(), standing.deleted())
                            : super.compare(version, standing);
                }
            },
            "G2 G4 G10 G13"),
    /** Compares tie-breaks without regard to case. */
    IGNORES_CASE(
            clock -> new ReferenceGuard(clock) {
                @Override
                EntityVersion kept(EntityVersion version) {
                    return lowerCase(version);
                }

                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    return super.compare(lowerCase(version), standing);
                }

                private EntityVersion lowerCase(EntityVersion version) {
                    return new EntityVersion(
                            version.number(), version.tieBreak().toLowerCase(Locale.ROOT), version.deleted());
                }
            },
            "G2 G13"),
    /** Deletions are versions like others. */
    IGNORES_DELETIONS(
            clock -> new ReferenceGuard(clock) {
                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    return Comparator.comparingLong(EntityVersion::number)
                            .thenComparing(EntityVersion::tieBreak)
                            .compare(version, standing);
                }
            },
            "G3 G4 G13"),
    /** A deletion leaves nothing behind. */
    FORGETS_DELETED(
            clock -> new ReferenceGuard(clock) {
                @Override
                boolean isForgotten(Standing standing) {
                    return standing.version().deleted() || super.isForgotten(standing);
                }
            },
            "G3 G4 G5 G6"),
    /** What is deleted stays so, whatever comes. */
    NEVER_REVIVES(
            clock -> new ReferenceGuard(clock) {
                @Override
                int compare(EntityVersion version, EntityVersion standing) {
                    return standing.deleted() && !version.deleted() ? -1 : super.compare(version, standing);
                }
            },
            "G5"),
    /** A stale version is remembered in the place of the newer one. */
    STEPS_BACK(
            clock -> new ReferenceGuard(clock) {
                @Override
                public synchronized Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
                    Verdict verdict = super.advance(entity, version, retention);
                    put(entity, version, retention);
                    return verdict;
                }
            },
            "G2 G4 G5 G7 G8"),
    /** Whatever is told begins a new retention. */
    EXTENDS_BY_ANYTHING(
            clock -> new ReferenceGuard(clock) {
                @Override
                void told(IdempotencyKey entity, Standing standing, Duration retention) {
                    put(entity, standing.version(), retention);
                }
            },
            "G7"),
    /** The retention is that of the first version. */
    KEEPS_THE_FIRST_RETENTION(
            clock -> new ReferenceGuard(clock) {
                @Override
                void put(IdempotencyKey entity, EntityVersion version, Duration retention) {
                    Standing standing = standing(entity);
                    super.put(entity, version, retention);
                    if (standing != null) {
                        versions.put(identity(entity), new Standing(version, standing.expiresAt()));
                    }
                }
            },
            "G6"),
    /** Nothing is ever forgotten. */
    FORGETS_NOTHING(
            clock -> new ReferenceGuard(clock) {
                @Override
                boolean isForgotten(Standing standing) {
                    return false;
                }
            },
            "G6 G7 G13"),
    /** Looks first, and writes then, in two steps. */
    LOOKS_THEN_WRITES(
            clock -> new ReferenceGuard(clock) {
                @Override
                @SuppressWarnings("UnsynchronizedOverridesSynchronized") // on purpose
                public Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
                    requirePositive(retention);
                    Standing standing;
                    synchronized (this) {
                        standing = standing(entity);
                    }
                    LockSupport.parkNanos(20_000_000);
                    synchronized (this) {
                        int order = standing == null ? 1 : compare(version, standing.version());
                        if (order > 0) {
                            put(entity, version, retention);
                        }
                        return order > 0 ? Verdict.NEWER : order == 0 ? Verdict.SAME : Verdict.STALE;
                    }
                }
            },
            "G8"),
    /** What was only compared stands from then on: whatever is older is lost when the handler fails. */
    COMPARES_BY_ADVANCING(
            clock -> new ReferenceGuard(clock) {
                @Override
                public synchronized Verdict compare(IdempotencyKey entity, EntityVersion version) {
                    return advance(entity, version, Duration.ofMinutes(5));
                }
            },
            "G13"),
    /** Scope and value are joined. */
    JOINS_KEY_PARTS(
            clock -> new ReferenceGuard(clock) {
                @Override
                Object identity(IdempotencyKey entity) {
                    return entity.toString();
                }
            },
            "G9"),
    /** Numbers are kept as floating-point ones. */
    ROUNDS_NUMBERS(
            clock -> new ReferenceGuard(clock) {
                @Override
                EntityVersion kept(EntityVersion version) {
                    return new EntityVersion((long) (double) version.number(), version.tieBreak(), version.deleted());
                }
            },
            "G10"),
    /** A purge forgets all. */
    PURGES_TOO_EARLY(
            clock -> new ReferenceGuard(clock) {
                @Override
                public synchronized int purge(int limit) {
                    requireLimit(limit);
                    versions.clear();
                    return 0;
                }
            },
            "G11"),
    /** A purge knows no limit. */
    PURGES_WITHOUT_LIMIT(
            clock -> new ReferenceGuard(clock) {
                @Override
                public synchronized int purge(int limit) {
                    requireLimit(limit);
                    return super.purge(1000);
                }
            },
            "G11"),
    /** The clock stands still. */
    STOPS_THE_CLOCK(clock -> new ReferenceGuard(InstantSource.fixed(clock.instant())), "G6 G7 G13"),
    /** Any number will do. */
    TAKES_ANY_ARGUMENT(
            clock -> new ReferenceGuard(clock) {
                @Override
                void requireLimit(int limit) {}

                @Override
                void requirePositive(Duration span) {}
            },
            "G12");

    @SuppressWarnings("ImmutableEnumChecker")
    private final Function<ManualClock, VersionGuard> guard;

    private final String violates;

    BrokenGuards(Function<ManualClock, VersionGuard> guard, String violates) {
        this.guard = guard;
        this.violates = violates;
    }

    /**
     * Makes such a guard.
     *
     * @param clock its clock
     * @return a guard that remembers nothing yet
     * @throws NullPointerException if the clock is null
     */
    public VersionGuard on(ManualClock clock) {
        return guard.apply(Objects.requireNonNull(clock, "clock"));
    }

    /**
     * Which clauses it breaks.
     *
     * @return their numbers, such as {@code G4}; not modifiable
     */
    public Set<String> violates() {
        return Collections.unmodifiableSet(new LinkedHashSet<>(Arrays.asList(violates.split(" "))));
    }
}

package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Audit trails that are wrong in one way each, with the clauses of {@code docs/store-contract.md} that each of them breaks. They
 * prove that the contract of audited stores catches such a trail.
 *
 * @since 0.1.0
 */
public enum BrokenTrails {
    /** The answer to an append has no time. */
    FORGETS_THE_TIME(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    super.append(entry, clock);
                    return entry;
                }
            },
            "A1 A2 A3 A5 A8 A9"),
    /** Takes the caller's time, where he has one. */
    TAKES_THE_CALLERS_TIME(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    Instant at = entry.at();
                    return super.append(entry, at == null ? clock : () -> at);
                }
            },
            "A1"),
    /** A repeated append adds a second entry. */
    APPENDS_AGAIN(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    return add(entry.at(clock.instant()));
                }
            },
            "A2 A3"),
    /** A repeated append replaces the entry. */
    REPLACES(
            () -> new ReferenceTrail() {
                // At once: of two that both remove first, both would stand.
                @Override
                synchronized AuditEntry append(AuditEntry entry, InstantSource clock) {
                    remove(entry);
                    return add(entry.at(clock.instant()));
                }
            },
            "A2"),
    /** A repeated append answers with what was to be appended. */
    ECHOES(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    super.append(entry, clock);
                    return entry.at(clock.instant());
                }
            },
            "A2"),
    /** One entry for each act: later phases are taken for repetitions. */
    KEEPS_ONE_PHASE(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    return newestFirst().stream()
                            .filter(standing -> standing.id().equals(entry.id()))
                            .findFirst()
                            .orElseGet(() -> super.append(entry, clock));
                }
            },
            "A5 A8"),
    /** Keeps the first 100 characters of a text. */
    CUTS_TEXTS(
            () -> kept(
                    entry -> with(entry, cut(entry.who()), cut(entry.why()), cut(entry.evidence()), entry.version())),
            "A4"),
    /** Keeps no accents. */
    KEEPS_ASCII(
            () -> kept(entry ->
                    with(entry, ascii(entry.who()), ascii(entry.why()), ascii(entry.evidence()), entry.version())),
            "A4"),
    /** Escapes markup when it is written. */
    ESCAPES_MARKUP(
            () -> kept(entry -> with(
                    entry,
                    entry.who(),
                    entry.why().replace("<", "&lt;").replace(">", "&gt;"),
                    entry.evidence(),
                    entry.version())),
            "A4"),
    /** Keeps 32 bits of a version. */
    CUTS_VERSIONS(
            () -> kept(entry ->
                    with(entry, entry.who(), entry.why(), entry.evidence(), Math.max(1, (int) entry.version()))),
            "A4"),
    /** Keeps whole seconds. */
    KEEPS_SECONDS(
            () -> new ReferenceTrail() {
                @Override
                AuditEntry append(AuditEntry entry, InstantSource clock) {
                    return super.append(entry, () -> clock.instant().truncatedTo(ChronoUnit.SECONDS));
                }
            },
            "A1"),
    /** Lists the oldest first. */
    OLDEST_FIRST(
            () -> new ReferenceTrail() {
                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    var page = new ArrayList<>(super.page(key, before, limit));
                    Collections.reverse(page);
                    return page;
                }
            },
            "A5 A7 A8 A9"),
    /** Phases of one moment come in any order. */
    SORTS_BY_TIME_ONLY(
            () -> new ReferenceTrail() {
                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    return super.page(key, before, limit).stream()
                            .sorted(Comparator.comparing((AuditEntry entry) -> String.valueOf(entry.at()))
                                    .reversed()
                                    .thenComparing(AuditEntry::phase))
                            .toList();
                }
            },
            "A5 A8"),
    /** Every key has the trail of all. */
    IGNORES_THE_KEY(
            () -> new ReferenceTrail() {
                @Override
                boolean isOf(IdempotencyKey key, AuditEntry entry) {
                    return true;
                }
            },
            "A5 A6"),
    /** Scope and value are joined. */
    JOINS_KEY_PARTS(
            () -> new ReferenceTrail() {
                @Override
                boolean isOf(IdempotencyKey key, AuditEntry entry) {
                    return key.toString().equals(entry.key().toString());
                }
            },
            "A6"),
    /** Keys are compared without regard to case. */
    IGNORES_CASE(
            () -> new ReferenceTrail() {
                @Override
                boolean isOf(IdempotencyKey key, AuditEntry entry) {
                    return key.toString().length() == entry.key().toString().length()
                            && key.scope().equals(entry.key().scope())
                            && key.value().equalsIgnoreCase(entry.key().value());
                }
            },
            "A6"),
    /** A page has one entry too many. */
    ONE_TOO_MANY(
            () -> new ReferenceTrail() {
                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    return super.page(key, before, limit < 1 ? limit : limit + 1);
                }
            },
            "A7 A9"),
    /** No page has more than 100 entries, and nothing says that there are more. */
    ENDS_AT_100(
            () -> new ReferenceTrail() {
                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    return super.page(key, before, Math.min(limit, 100));
                }
            },
            "A7"),
    /** A page begins with its cursor. */
    REPEATS_THE_CURSOR(
            () -> new ReferenceTrail() {
                @Override
                int after(@Nullable AuditEntry before, List<AuditEntry> newestFirst) {
                    return Math.max(0, super.after(before, newestFirst) - 1);
                }
            },
            "A7 A9"),
    /** A page begins after all entries of its cursor's moment. */
    SKIPS_THE_MOMENT(
            () -> new ReferenceTrail() {
                @Override
                int after(@Nullable AuditEntry before, List<AuditEntry> newestFirst) {
                    int at = super.after(before, newestFirst);
                    while (before != null
                            && at < newestFirst.size()
                            && Objects.equals(newestFirst.get(at).at(), before.at())) {
                        at++;
                    }
                    return at;
                }
            },
            "A7"),
    /** A cursor is a number of entries from the newest. */
    COUNTS_TO_THE_CURSOR(
            () -> new ReferenceTrail() {
                private int read;

                @Override
                int after(@Nullable AuditEntry before, List<AuditEntry> newestFirst) {
                    read = before == null ? 0 : Math.min(newestFirst.size(), read);
                    return read;
                }

                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    var page = super.page(key, before, limit);
                    read += page.size();
                    return page;
                }
            },
            "A9"),
    /** A purge empties the trail. */
    IS_PURGED(
            () -> new ReferenceTrail() {
                @Override
                void purged() {
                    clear();
                }
            },
            "A8"),
    /** Any limit will do. */
    TAKES_ANY_LIMIT(
            () -> new ReferenceTrail() {
                @Override
                List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                    return limit < 1 ? List.of() : super.page(key, before, limit);
                }
            },
            "A10");

    @SuppressWarnings("ImmutableEnumChecker")
    private final Supplier<ReferenceTrail> trail;

    private final String violates;

    BrokenTrails(Supplier<ReferenceTrail> trail, String violates) {
        this.trail = trail;
        this.violates = violates;
    }

    /**
     * Makes such a store.
     *
     * @param clock the store's clock
     * @return an empty store whose records are right and whose trail is not
     * @throws NullPointerException if the clock is null
     */
    public AuditedStore on(ManualClock clock) {
        return new StoreWithTrail(new ReferenceStore(clock), trail.get());
    }

    /**
     * Which clauses it breaks.
     *
     * @return their numbers, such as {@code A4}; not modifiable
     */
    public Set<String> violates() {
        return Collections.unmodifiableSet(new LinkedHashSet<>(Arrays.asList(violates.split(" "))));
    }

    /** A trail that keeps something else than it is given, and answers with what it was given. */
    private static ReferenceTrail kept(UnaryOperator<AuditEntry> edit) {
        return new ReferenceTrail() {
            @Override
            List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
                return super.page(key, before, limit).stream().map(edit).toList();
            }
        };
    }

    private static AuditEntry with(AuditEntry entry, String who, String why, String evidence, long version) {
        return new AuditEntry(
                entry.id(),
                entry.at(),
                entry.key(),
                version,
                entry.token(),
                entry.generation(),
                entry.act(),
                entry.phase(),
                who,
                why,
                evidence,
                entry.fingerprint(),
                entry.detail());
    }

    private static String cut(String text) {
        return text.substring(0, Math.min(text.length(), 100));
    }

    private static String ascii(String text) {
        return text.replaceAll("[^\\x00-\\x7f]", "?");
    }
}

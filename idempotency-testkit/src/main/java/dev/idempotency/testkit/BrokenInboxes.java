package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AttemptToken;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Inboxes that are wrong in one way each, with the clauses of {@code docs/inbox-contract.md} that each of them breaks. They prove
 * that the contract catches such an inbox.
 *
 * @since 0.1.0
 */
public enum BrokenInboxes {
    /** Marks the key, and the process dies before the message is in the queue. */
    MARKS_THEN_LOSES(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized Offered offer(InboxMessage message, Duration retention) {
                    var offered = super.offer(message, retention);
                    Objects.requireNonNull(row(message.key())).stage = Stage.DONE;
                    return offered;
                }
            },
            "I1 I2 I3 I4 I5 I6 I7 I8 I9 I10 I11 I12 I13 I14 I15 I16 I17 I19 I20 I21 I22 I23"),
    /** Every offer is accepted, and replaces what is there. */
    ACCEPTS_ALL(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized Offered offer(InboxMessage message, Duration retention) {
                    rows.remove(message.key());
                    return super.offer(message, retention);
                }
            },
            "I2 I3 I16 I17 I18 I21"),
    /** A duplicate is refused, and its payload replaces the first one. */
    TAKES_THE_LATER_PAYLOAD(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized Offered offer(InboxMessage message, Duration retention) {
                    var offered = super.offer(message, retention);
                    Objects.requireNonNull(row(message.key())).message = message;
                    return offered;
                }
            },
            "I2"),
    /** Looks first, and puts then, in two steps. */
    LOOKS_THEN_PUTS(
            clock -> new ReferenceInbox(clock) {
                @Override
                @SuppressWarnings("UnsynchronizedOverridesSynchronized") // on purpose
                public Offered offer(InboxMessage message, Duration retention) {
                    requirePositive(retention);
                    synchronized (this) {
                        if (row(message.key()) != null) {
                            return Offered.DUPLICATE;
                        }
                    }
                    BrokenInboxes.pause();
                    synchronized (this) {
                        rows.remove(message.key());
                        return super.offer(message, retention);
                    }
                }
            },
            "I3"),
    /** Keys are compared without regard to case. */
    IGNORES_CASE(
            clock -> new ReferenceInbox(clock) {
                @Override
                Object identity(IdempotencyKey key) {
                    return new IdempotencyKey(key.scope(), key.value().toLowerCase(Locale.ROOT));
                }
            },
            "I4"),
    /** Queue and key are joined. */
    JOINS_KEY_PARTS(
            clock -> new ReferenceInbox(clock) {
                @Override
                Object identity(IdempotencyKey key) {
                    return key.toString();
                }
            },
            "I4"),
    /** Keeps the first 1000 bytes. */
    CUTS_PAYLOADS(
            clock -> new ReferenceInbox(clock) {
                @Override
                InboxMessage kept(InboxMessage message) {
                    var payload = message.payload();
                    return new InboxMessage(
                            message.key(),
                            Arrays.copyOf(payload, Math.min(1000, payload.length)),
                            message.attributes());
                }
            },
            "I5"),
    /** Keeps no attributes. */
    DROPS_ATTRIBUTES(
            clock -> new ReferenceInbox(clock) {
                @Override
                InboxMessage kept(InboxMessage message) {
                    return new InboxMessage(message.key(), message.payload(), Map.of());
                }
            },
            "I2 I5 I12 I16 I17 I20"),
    /** Claims in the order of arrival, whatever is due longest. */
    CLAIMS_IN_ORDER_OF_ARRIVAL(
            clock -> new ReferenceInbox(clock) {
                @Override
                Comparator<Row> order() {
                    return Comparator.comparing(row -> row.receivedAt);
                }
            },
            "I6"),
    /** Claims one too many. */
    CLAIMS_ONE_MORE(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized List<InboxClaim> claim(String queue, int limit, Duration lease) {
                    return super.claim(queue, limit < 1 ? limit : limit + 1, lease);
                }
            },
            "I6 I22"),
    /** Claims from all queues. */
    IGNORES_THE_QUEUE(
            clock -> new ReferenceInbox(clock) {
                @Override
                Stream<Row> in(String queue) {
                    return rows.values().stream();
                }
            },
            "I4 I6"),
    /** A claimed message can be claimed again at once. */
    CLAIMS_TWICE(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isDue(Row row, Instant now) {
                    return row.stage == Stage.CLAIMED || super.isDue(row, now);
                }
            },
            "I6 I7 I8 I9 I13 I15 I17"),
    /** A message whose lease is over is never claimed again. */
    LOSES_LAPSED(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isDue(Row row, Instant now) {
                    return row.stage == Stage.WAITING && super.isDue(row, now);
                }
            },
            "I7 I9 I13"),
    /** A message whose lease is over goes back to the queue as if it had never been claimed. */
    FORGETS_ATTEMPTS(
            clock -> new ReferenceInbox(clock) {
                @Override
                InboxClaim claimed(Row row, Instant now, Duration lease) {
                    row.attempts = 0;
                    return super.claimed(row, now, lease);
                }
            },
            "I2 I7 I11"),
    /** All claims of one process have one token. */
    REUSES_TOKENS(
            clock -> new ReferenceInbox(clock) {
                private final AttemptToken own = AttemptToken.random();

                @Override
                AttemptToken token() {
                    return own;
                }
            },
            "I7 I8 I13"),
    /** Looks for messages first, and claims them then, in two steps. */
    LOOKS_THEN_CLAIMS(
            clock -> new ReferenceInbox(clock) {
                @Override
                @SuppressWarnings("UnsynchronizedOverridesSynchronized") // on purpose
                public List<InboxClaim> claim(String queue, int limit, Duration lease) {
                    requireLimit(limit);
                    requirePositive(lease);
                    var now = now();
                    List<Row> due;
                    synchronized (this) {
                        due = in(queue)
                                .filter(row -> isDue(row, now))
                                .sorted(order())
                                .limit(limit)
                                .toList();
                    }
                    BrokenInboxes.pause();
                    synchronized (this) {
                        return due.stream().map(row -> claimed(row, now, lease)).toList();
                    }
                }
            },
            "I8"),
    /** A renewal is acknowledged, and not written. */
    RENEWS_NOTHING(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean renew(InboxClaim claim, Duration lease) {
                    requirePositive(lease);
                    var row = row(claim.message().key());
                    return row != null && isHeld(row, claim);
                }
            },
            "I9 I15"),
    /** Any claim of a message ends it, also an old one. */
    IGNORES_THE_TOKEN(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isHeld(Row row, InboxClaim claim) {
                    return row.stage == Stage.CLAIMED;
                }
            },
            "I13"),
    /** A claim whose lease is over ends nothing, though nobody else has the message. */
    REFUSES_LAPSED(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isHeld(Row row, InboxClaim claim) {
                    return super.isHeld(row, claim) && row.since.isAfter(now());
                }
            },
            "I15"),
    /** A repeated act counts as lost. */
    DISOWNS_REPETITIONS(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isRepetition(Row row, InboxClaim claim, Stage act) {
                    return false;
                }
            },
            "I14"),
    /** Any act counts as done once the claim is ended, also another one. */
    TAKES_ANY_ACT_FOR_A_REPETITION(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isRepetition(Row row, InboxClaim claim, Stage act) {
                    return row.stage != Stage.CLAIMED && claim.token().equals(row.token);
                }
            },
            "I14"),
    /** Done is acknowledged, and not written. */
    ACKNOWLEDGES_DONE_ONLY(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean done(InboxClaim claim) {
                    var row = row(claim.message().key());
                    return row != null && isHeld(row, claim);
                }
            },
            "I10 I14 I15 I16 I18 I22"),
    /** A message that is done is forgotten at once. */
    FORGETS_DONE(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isForgotten(Row row, Instant now) {
                    return row.stage == Stage.DONE;
                }
            },
            "I2 I14 I16 I18 I21"),
    /** The retention begins when a message is done. */
    REMEMBERS_FROM_DONE(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean done(InboxClaim claim) {
                    var row = row(claim.message().key());
                    if (row != null && isHeld(row, claim)) {
                        row.expiresAt = now().plus(Duration.between(row.receivedAt, row.expiresAt));
                    }
                    return super.done(claim);
                }
            },
            "I16"),
    /** What is older than its retention is forgotten, done or not. */
    FORGETS_UNFINISHED(
            clock -> new ReferenceInbox(clock) {
                @Override
                boolean isForgotten(Row row, Instant now) {
                    return !row.expiresAt.isAfter(now);
                }
            },
            "I17"),
    /** A purge forgets whatever is done. */
    PURGES_TOO_EARLY(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized int purge(int limit) {
                    requireLimit(limit);
                    rows.values().removeIf(row -> row.stage == Stage.DONE);
                    return 0;
                }
            },
            "I16 I18"),
    /** A purge knows no limit. */
    PURGES_WITHOUT_LIMIT(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized int purge(int limit) {
                    requireLimit(limit);
                    return super.purge(1000);
                }
            },
            "I18"),
    /** A message is tried again at once, whatever the delay. */
    IGNORES_THE_DELAY(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean retry(InboxClaim claim, Duration delay, String reason) {
                    return super.retry(claim, delay.isNegative() ? delay : Duration.ZERO, reason);
                }
            },
            "I11 I14 I17 I22"),
    /** The reason is not kept. */
    FORGETS_REASONS(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean retry(InboxClaim claim, Duration delay, String reason) {
                    return super.retry(claim, delay, "");
                }

                @Override
                public synchronized boolean bury(InboxClaim claim, String reason) {
                    return super.bury(claim, "");
                }
            },
            "I11 I12 I14"),
    /** A dead letter is dropped. */
    DROPS_THE_DEAD(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean bury(InboxClaim claim, String reason) {
                    var buried = super.bury(claim, reason);
                    if (buried) {
                        rows.remove(claim.message().key());
                    }
                    return buried;
                }
            },
            "I2 I12 I14 I17 I19 I20 I21 I22"),
    /** A page of dead letters begins with its cursor. */
    REPEATS_THE_CURSOR(
            clock -> new ReferenceInbox(clock) {
                @Override
                Predicate<DeadLetter> isAfter(@Nullable DeadLetter after) {
                    return letter -> after == null
                            || letter.equals(after)
                            || super.isAfter(after).test(letter);
                }
            },
            "I19"),
    /** A page begins after all dead letters of its cursor's moment. */
    SKIPS_THE_MOMENT(
            clock -> new ReferenceInbox(clock) {
                @Override
                Predicate<DeadLetter> isAfter(@Nullable DeadLetter after) {
                    return letter -> after == null || letter.buriedAt().isAfter(after.buriedAt());
                }
            },
            "I19"),
    /** Dead letters come in the wrong order. */
    LATEST_DEAD_FIRST(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
                    var page = new ArrayList<>(super.deadLetters(queue, after, limit));
                    Collections.reverse(page);
                    return page;
                }
            },
            "I19"),
    /** A dead letter that is replayed goes on counting its attempts. */
    REPLAYS_WITH_ATTEMPTS(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean replay(IdempotencyKey key) {
                    var row = row(key);
                    int attempts = row == null ? 0 : row.attempts;
                    var replayed = super.replay(key);
                    if (replayed) {
                        Objects.requireNonNull(row).attempts = attempts;
                    }
                    return replayed;
                }
            },
            "I20"),
    /** Anything can be replayed. */
    REPLAYS_ANYTHING(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean replay(IdempotencyKey key) {
                    var row = row(key);
                    if (row != null) {
                        row.stage = Stage.DEAD;
                    }
                    return super.replay(key);
                }
            },
            "I20 I21"),
    /** Anything can be discarded. */
    DISCARDS_ANYTHING(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean discard(IdempotencyKey key) {
                    var row = row(key);
                    if (row != null) {
                        row.stage = Stage.DEAD;
                    }
                    return super.discard(key);
                }
            },
            "I21"),
    /** A message that is discarded is forgotten at once. */
    FORGETS_DISCARDED(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized boolean discard(IdempotencyKey key) {
                    var discarded = super.discard(key);
                    if (discarded) {
                        rows.remove(key);
                    }
                    return discarded;
                }
            },
            "I21"),
    /** The lag counts dead letters too. */
    COUNTS_THE_DEAD_AS_LAG(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized InboxDepth depth(String queue) {
                    var depth = super.depth(queue);
                    var now = now();
                    var oldest = in(queue)
                            .map(row -> row.receivedAt)
                            .min(Comparator.naturalOrder())
                            .orElse(now);
                    return new InboxDepth(
                            depth.ready(),
                            depth.delayed(),
                            depth.claimed(),
                            depth.dead(),
                            Duration.between(oldest, now));
                }
            },
            "I22"),
    /** What is claimed counts as ready. */
    COUNTS_CLAIMED_AS_READY(
            clock -> new ReferenceInbox(clock) {
                @Override
                public synchronized InboxDepth depth(String queue) {
                    var depth = super.depth(queue);
                    return new InboxDepth(
                            depth.ready() + depth.claimed(), depth.delayed(), 0, depth.dead(), depth.lag());
                }
            },
            "I17 I22"),
    /** The clock stands still. */
    STOPS_THE_CLOCK(
            clock -> new ReferenceInbox(InstantSource.fixed(clock.instant())),
            "I1 I6 I7 I9 I11 I12 I13 I16 I18 I21 I22"),
    /** Any number will do. */
    TAKES_ANY_ARGUMENT(
            clock -> new ReferenceInbox(clock) {
                @Override
                void requireLimit(int limit) {}

                @Override
                void requirePositive(Duration span) {}
            },
            "I23");

    @SuppressWarnings("ImmutableEnumChecker")
    private final Function<ManualClock, InboxStore> inbox;

    private final String violates;

    BrokenInboxes(Function<ManualClock, InboxStore> inbox, String violates) {
        this.inbox = inbox;
        this.violates = violates;
    }

    /**
     * Makes such an inbox.
     *
     * @param clock its clock
     * @return an empty inbox
     * @throws NullPointerException if the clock is null
     */
    public InboxStore on(ManualClock clock) {
        return inbox.apply(Objects.requireNonNull(clock, "clock"));
    }

    /**
     * Which clauses it breaks.
     *
     * @return their numbers, such as {@code I4}; not modifiable
     */
    public Set<String> violates() {
        return Collections.unmodifiableSet(new LinkedHashSet<>(Arrays.asList(violates.split(" "))));
    }

    /** Lets others in between. */
    private static void pause() {
        LockSupport.parkNanos(20_000_000);
    }
}

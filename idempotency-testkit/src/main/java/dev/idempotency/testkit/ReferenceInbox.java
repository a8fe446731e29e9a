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
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An inbox in a map that is gone through from end to end: slow, plain, and in parts that can be made wrong. Thread-safe. */
class ReferenceInbox implements InboxStore {
    enum Stage {
        WAITING,
        CLAIMED,
        DEAD,
        DONE
    }

    static final class Row {
        InboxMessage message;
        Stage stage = Stage.WAITING;
        Instant receivedAt;
        Instant expiresAt;
        Instant since;

        @Nullable
        AttemptToken token;

        int attempts;

        @Nullable
        String reason;

        Row(InboxMessage message, Instant now, Instant expiresAt) {
            this.message = message;
            this.receivedAt = now;
            this.since = now;
            this.expiresAt = expiresAt;
        }

        boolean isLive() {
            return stage == Stage.WAITING || stage == Stage.CLAIMED;
        }
    }

    private static final Comparator<DeadLetter> LONGEST_DEAD = Comparator.comparing(DeadLetter::buriedAt)
            .thenComparing(letter -> letter.message().key().value());

    final Map<Object, Row> rows = new LinkedHashMap<>();
    private final InstantSource clock;

    ReferenceInbox(InstantSource clock) {
        this.clock = clock;
    }

    // ---- what can be made wrong

    Instant now() {
        return clock.instant();
    }

    Object identity(IdempotencyKey key) {
        return key;
    }

    InboxMessage kept(InboxMessage message) {
        return message;
    }

    AttemptToken token() {
        return AttemptToken.random();
    }

    boolean isDue(Row row, Instant now) {
        return row.isLive() && !row.since.isAfter(now);
    }

    boolean isHeld(Row row, InboxClaim claim) {
        return row.stage == Stage.CLAIMED && claim.token().equals(row.token);
    }

    boolean isRepetition(Row row, InboxClaim claim, Stage act) {
        return row.stage == act && claim.token().equals(row.token);
    }

    boolean isForgotten(Row row, Instant now) {
        return row.stage == Stage.DONE && !row.expiresAt.isAfter(now);
    }

    Comparator<Row> order() {
        return Comparator.comparing(row -> row.since);
    }

    // ---- the inbox

    @Nullable
    Row row(IdempotencyKey key) {
        Row row = rows.get(identity(key));
        if (row != null && isForgotten(row, now())) {
            rows.remove(identity(key));
            return null;
        }
        return row;
    }

    Stream<Row> in(String queue) {
        return rows.values().stream().filter(row -> row.message.queue().equals(queue));
    }

    @Override
    public synchronized Offered offer(InboxMessage message, Duration retention) {
        requirePositive(retention);
        if (row(message.key()) != null) {
            return Offered.DUPLICATE;
        }
        rows.put(identity(message.key()), new Row(kept(message), now(), now().plus(retention)));
        return Offered.ACCEPTED;
    }

    @Override
    public synchronized List<InboxClaim> claim(String queue, int limit, Duration lease) {
        requirePositive(lease);
        requireLimit(limit);
        Instant now = now();
        return in(queue).filter(row -> isDue(row, now)).sorted(order()).limit(limit).toList().stream()
                .map(row -> claimed(row, now, lease))
                .toList();
    }

    InboxClaim claimed(Row row, Instant now, Duration lease) {
        AttemptToken token = token();
        row.stage = Stage.CLAIMED;
        row.token = token;
        row.attempts++;
        row.since = now.plus(lease);
        return new InboxClaim(row.message, token, row.attempts, row.receivedAt, now, row.reason);
    }

    @Override
    public synchronized boolean renew(InboxClaim claim, Duration lease) {
        requirePositive(lease);
        Row row = row(claim.message().key());
        if (row == null || !isHeld(row, claim)) {
            return false;
        }
        row.since = now().plus(lease);
        return true;
    }

    private boolean end(InboxClaim claim, Stage stage, Duration delay, @Nullable String reason) {
        Row row = row(claim.message().key());
        if (row == null || !isHeld(row, claim)) {
            return row != null && isRepetition(row, claim, stage);
        }
        row.stage = stage;
        row.since = now().plus(delay);
        row.reason = reason;
        return true;
    }

    @Override
    public synchronized boolean done(InboxClaim claim) {
        return end(claim, Stage.DONE, Duration.ZERO, null);
    }

    @Override
    public synchronized boolean retry(InboxClaim claim, Duration delay, String reason) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("delay is negative");
        }
        return end(claim, Stage.WAITING, delay, reason);
    }

    @Override
    public synchronized boolean bury(InboxClaim claim, String reason) {
        return end(claim, Stage.DEAD, Duration.ZERO, reason);
    }

    @Override
    public synchronized List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
        requireLimit(limit);
        return in(queue)
                .filter(row -> row.stage == Stage.DEAD)
                .map(row -> new DeadLetter(
                        row.message, row.attempts, row.receivedAt, row.since, String.valueOf(row.reason)))
                .filter(isAfter(after))
                .sorted(LONGEST_DEAD)
                .limit(limit)
                .toList();
    }

    Predicate<DeadLetter> isAfter(@Nullable DeadLetter after) {
        return letter -> after == null || LONGEST_DEAD.compare(letter, after) > 0;
    }

    @Override
    public synchronized boolean replay(IdempotencyKey key) {
        return exhume(key, Stage.WAITING);
    }

    @Override
    public synchronized boolean discard(IdempotencyKey key) {
        return exhume(key, Stage.DONE);
    }

    private boolean exhume(IdempotencyKey key, Stage stage) {
        Row row = row(key);
        if (row == null || row.stage != Stage.DEAD) {
            return false;
        }
        row.stage = stage;
        row.since = now();
        row.token = null;
        row.reason = null;
        row.attempts = 0;
        return true;
    }

    @Override
    public synchronized InboxDepth depth(String queue) {
        Instant now = now();
        Instant oldest = in(queue)
                .filter(Row::isLive)
                .map(row -> row.receivedAt)
                .min(Comparator.naturalOrder())
                .orElse(now);
        return new InboxDepth(
                in(queue).filter(row -> row.isLive() && !row.since.isAfter(now)).count(),
                in(queue)
                        .filter(row -> row.stage == Stage.WAITING && row.since.isAfter(now))
                        .count(),
                in(queue)
                        .filter(row -> row.stage == Stage.CLAIMED && row.since.isAfter(now))
                        .count(),
                in(queue).filter(row -> row.stage == Stage.DEAD).count(),
                Duration.between(oldest, now));
    }

    @Override
    public synchronized int purge(int limit) {
        requireLimit(limit);
        Instant now = now();
        List<Object> due = rows.entrySet().stream()
                .filter(entry -> isForgotten(entry.getValue(), now))
                .limit(limit)
                .map(Map.Entry::getKey)
                .toList();
        due.forEach(rows::remove);
        return due.size();
    }

    void requireLimit(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be at least 1");
        }
    }

    void requirePositive(Duration span) {
        if (span.isNegative() || span.isZero()) {
            throw new IllegalArgumentException(span + " is not more than zero");
        }
    }
}

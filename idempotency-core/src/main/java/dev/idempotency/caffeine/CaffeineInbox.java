package dev.idempotency.caffeine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AttemptToken;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Messages in this process: those that are not done in maps, keys that are done in a cache that forgets. Thread-safe. */
final class CaffeineInbox implements InboxStore {
    /** What a done message leaves behind. */
    private record Done(@Nullable AttemptToken token, Instant expiresAt) {}

    /** A message that is not done. */
    private static final class Kept {
        final InboxMessage message;
        final Instant receivedAt;
        final Instant expiresAt;
        final long number;
        /** When it can be claimed, or for a dead letter when it was buried. */
        Instant due;

        @Nullable
        AttemptToken token;

        boolean isClaimed;
        int attempts;

        @Nullable
        String reason;

        Kept(InboxMessage message, Instant receivedAt, Instant expiresAt, long number) {
            this.message = message;
            this.receivedAt = receivedAt;
            this.expiresAt = expiresAt;
            this.number = number;
            this.due = receivedAt;
        }
    }

    /** The messages of one queue, each in one of the two. */
    private static final class Queue {
        final NavigableSet<Kept> live =
                new TreeSet<>(Comparator.comparing((Kept kept) -> kept.due).thenComparing(kept -> kept.number));
        final NavigableSet<Kept> dead = new TreeSet<>(Comparator.comparing((Kept kept) -> kept.due)
                .thenComparing(kept -> kept.message.key().value()));
    }

    private final Supplier<Instant> clock;
    private final Cache<IdempotencyKey, Done> done;
    private final Map<IdempotencyKey, Kept> kept = new HashMap<>();
    private final Map<String, Queue> queues = new HashMap<>();
    private long offers;

    CaffeineInbox(Ticker ticker, Supplier<Instant> clock) {
        this.clock = clock;
        this.done = Caffeine.newBuilder()
                .ticker(ticker)
                .executor(Runnable::run)
                .expireAfter(new ExpiryAfterWrite<>(
                        (IdempotencyKey key, Done done) -> Duration.between(clock.get(), done.expiresAt())))
                .build();
    }

    @Override
    public synchronized Offered offer(InboxMessage message, Duration retention) {
        Bounds.requirePositive("retention", retention);
        IdempotencyKey key = message.key();
        if (kept.containsKey(key) || done.getIfPresent(key) != null) {
            return Offered.DUPLICATE;
        }
        Instant now = clock.get();
        var arrived = new Kept(message, now, Bounds.end(now, retention), offers++);
        kept.put(key, arrived);
        queues.computeIfAbsent(key.scope(), name -> new Queue()).live.add(arrived);
        return Offered.ACCEPTED;
    }

    private Queue queue(String name) {
        return queues.getOrDefault(name, new Queue());
    }

    private Queue queueOf(Kept message) {
        return queue(message.message.queue());
    }

    @Override
    public synchronized List<InboxClaim> claim(String name, int limit, Duration lease) {
        Bounds.requireLimit(limit);
        Bounds.requirePositive("lease", lease);
        Instant now = clock.get();
        Queue queue = queue(name);
        List<InboxClaim> claims = new ArrayList<>();
        while (claims.size() < limit
                && !queue.live.isEmpty()
                && !queue.live.first().due.isAfter(now)) {
            Kept next = queue.live.first();
            AttemptToken token = AttemptToken.random();
            next.token = token;
            next.isClaimed = true;
            next.attempts++;
            move(queue, next, Bounds.end(now, lease));
            claims.add(new InboxClaim(next.message, token, next.attempts, next.receivedAt, now, next.reason));
        }
        return claims;
    }

    /** Out of the set before its place in it changes. */
    private static void move(Queue queue, Kept message, Instant due) {
        queue.live.remove(message);
        message.due = due;
        queue.live.add(message);
    }

    private @Nullable Kept heldBy(InboxClaim claim) {
        Kept message = kept.get(claim.message().key());
        return message != null && message.isClaimed && claim.token().equals(message.token) ? message : null;
    }

    @Override
    public synchronized boolean renew(InboxClaim claim, Duration lease) {
        Bounds.requirePositive("lease", lease);
        Kept message = heldBy(claim);
        if (message == null) {
            return false;
        }
        move(queueOf(message), message, Bounds.end(clock.get(), lease));
        return true;
    }

    @Override
    public synchronized boolean done(InboxClaim claim) {
        Kept message = heldBy(claim);
        if (message == null) {
            Done before = done.getIfPresent(claim.message().key());
            return before != null && claim.token().equals(before.token());
        }
        queueOf(message).live.remove(message);
        finish(message);
        return true;
    }

    private void finish(Kept message) {
        IdempotencyKey key = message.message.key();
        Queue queue = queueOf(message);
        kept.remove(key);
        if (queue.live.isEmpty() && queue.dead.isEmpty()) {
            queues.remove(key.scope());
        }
        if (message.expiresAt.isAfter(clock.get())) {
            done.put(key, new Done(message.token, message.expiresAt));
        }
    }

    @Override
    public synchronized boolean retry(InboxClaim claim, Duration delay, String reason) {
        Bounds.requireNotNegative("delay", delay);
        Kept message = heldBy(claim);
        if (message == null) {
            return isEndedBy(claim, false);
        }
        message.isClaimed = false;
        message.reason = reason;
        move(queueOf(message), message, Bounds.end(clock.get(), delay));
        return true;
    }

    /** A token that stands on a message that is not claimed is the one that ended its claim. */
    private boolean isEndedBy(InboxClaim claim, boolean isBuried) {
        Kept message = kept.get(claim.message().key());
        return message != null
                && !message.isClaimed
                && claim.token().equals(message.token)
                && queueOf(message).dead.contains(message) == isBuried;
    }

    @Override
    public synchronized boolean bury(InboxClaim claim, String reason) {
        Kept message = heldBy(claim);
        if (message == null) {
            return isEndedBy(claim, true);
        }
        Queue queue = queueOf(message);
        queue.live.remove(message);
        message.isClaimed = false;
        message.reason = reason;
        message.due = clock.get();
        queue.dead.add(message);
        return true;
    }

    @Override
    public synchronized List<DeadLetter> deadLetters(String name, @Nullable DeadLetter after, int limit) {
        Bounds.requireLimit(limit);
        return queue(name).dead.stream()
                .map(dead -> new DeadLetter(
                        dead.message, dead.attempts, dead.receivedAt, dead.due, dead.reason == null ? "" : dead.reason))
                .filter(letter -> after == null || LONGEST_DEAD.compare(letter, after) > 0)
                .limit(limit)
                .toList();
    }

    private static final Comparator<DeadLetter> LONGEST_DEAD = Comparator.comparing(DeadLetter::buriedAt)
            .thenComparing(letter -> letter.message().key().value());

    private @Nullable Kept exhume(IdempotencyKey key) {
        Kept message = kept.get(key);
        return message != null && queueOf(message).dead.remove(message) ? message : null;
    }

    @Override
    public synchronized boolean replay(IdempotencyKey key) {
        Kept message = exhume(key);
        if (message == null) {
            return false;
        }
        message.token = null;
        message.reason = null;
        message.attempts = 0;
        message.due = clock.get();
        queueOf(message).live.add(message);
        return true;
    }

    @Override
    public synchronized boolean discard(IdempotencyKey key) {
        Kept message = exhume(key);
        if (message == null) {
            return false;
        }
        message.token = null;
        finish(message);
        return true;
    }

    @Override
    public synchronized InboxDepth depth(String name) {
        Instant now = clock.get();
        Queue queue = queue(name);
        long ready =
                queue.live.stream().filter(message -> !message.due.isAfter(now)).count();
        long claimed = queue.live.stream()
                .filter(message -> message.isClaimed && message.due.isAfter(now))
                .count();
        Instant oldest = queue.live.stream()
                .map(message -> message.receivedAt)
                .min(Comparator.naturalOrder())
                .orElse(now);
        return new InboxDepth(
                ready, queue.live.size() - ready - claimed, claimed, queue.dead.size(), Duration.between(oldest, now));
    }

    /** The cache forgets by itself. */
    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        done.cleanUp();
        return 0;
    }
}

package dev.idempotency.testkit;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An inbox's store that hands each step to another one, for a test that changes, delays or counts some of them: override those.
 * Thread-safe if the other store is, as every store must be, and the subclass is.
 *
 * @since 0.1.0
 */
public abstract class ForwardingInbox implements InboxStore {
    private final InboxStore store;

    /**
     * Creates a way to a store.
     *
     * @param store what really stores; may be shared
     * @throws NullPointerException if the store is null
     */
    protected ForwardingInbox(InboxStore store) {
        this.store = Objects.requireNonNull(store, "store");
    }

    @Override
    public Offered offer(InboxMessage message, Duration retention) {
        return store.offer(message, retention);
    }

    @Override
    public List<InboxClaim> claim(String queue, int limit, Duration lease) {
        return store.claim(queue, limit, lease);
    }

    @Override
    public boolean renew(InboxClaim claim, Duration lease) {
        return store.renew(claim, lease);
    }

    @Override
    public boolean done(InboxClaim claim) {
        return store.done(claim);
    }

    @Override
    public boolean retry(InboxClaim claim, Duration delay, String reason) {
        return store.retry(claim, delay, reason);
    }

    @Override
    public boolean bury(InboxClaim claim, String reason) {
        return store.bury(claim, reason);
    }

    @Override
    public List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
        return store.deadLetters(queue, after, limit);
    }

    @Override
    public boolean replay(IdempotencyKey key) {
        return store.replay(key);
    }

    @Override
    public boolean discard(IdempotencyKey key) {
        return store.discard(key);
    }

    @Override
    public InboxDepth depth(String queue) {
        return store.depth(queue);
    }

    @Override
    public int purge(int limit) {
        return store.purge(limit);
    }
}

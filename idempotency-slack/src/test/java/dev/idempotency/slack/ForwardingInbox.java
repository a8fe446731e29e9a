package dev.idempotency.slack;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An inbox in another one's name; a test makes of its offers what it needs. */
class ForwardingInbox implements InboxStore {
    private final InboxStore to;

    ForwardingInbox(InboxStore to) {
        this.to = to;
    }

    @Override
    public Offered offer(InboxMessage message, Duration retention) {
        return to.offer(message, retention);
    }

    @Override
    public List<InboxClaim> claim(String queue, int limit, Duration lease) {
        return to.claim(queue, limit, lease);
    }

    @Override
    public boolean renew(InboxClaim claim, Duration lease) {
        return to.renew(claim, lease);
    }

    @Override
    public boolean done(InboxClaim claim) {
        return to.done(claim);
    }

    @Override
    public boolean retry(InboxClaim claim, Duration delay, String reason) {
        return to.retry(claim, delay, reason);
    }

    @Override
    public boolean bury(InboxClaim claim, String reason) {
        return to.bury(claim, reason);
    }

    @Override
    public List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
        return to.deadLetters(queue, after, limit);
    }

    @Override
    public boolean replay(IdempotencyKey key) {
        return to.replay(key);
    }

    @Override
    public boolean discard(IdempotencyKey key) {
        return to.discard(key);
    }

    @Override
    public InboxDepth depth(String queue) {
        return to.depth(queue);
    }

    @Override
    public int purge(int limit) {
        return to.purge(limit);
    }
}

package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import org.jspecify.annotations.Nullable;

/** An attempt as its call, lookup or seal sees it. Without a lease it is one in doubt, which may not send. */
final class RunningAttempt implements Attempt {
    private final IdempotencyRecord record;
    private final @Nullable Lease lease;
    private volatile boolean hasGivenNativeKey;

    RunningAttempt(IdempotencyRecord record, @Nullable Lease lease) {
        this.record = record;
        this.lease = lease;
    }

    IdempotencyRecord record() {
        return record;
    }

    @Override
    public IdempotencyKey key() {
        return record.key();
    }

    @Override
    public String nativeKey() {
        hasGivenNativeKey = true;
        return record.nativeKey();
    }

    /** Whether the call has asked for what it is to send. */
    boolean hasGivenNativeKey() {
        return hasGivenNativeKey;
    }

    @Override
    public int number() {
        return record.attempt();
    }

    @Override
    public void checkMaySend() {
        if (lease == null || !lease.maySend()) {
            throw new NotExecutedException(
                    key(), "The lease or the provider's window is over; nothing was sent", false, null);
        }
    }

    @Override
    public boolean isLost() {
        return lease == null || lease.isLost();
    }

    @Override
    public void onLost(Runnable action) {
        if (lease == null) {
            action.run();
        } else {
            lease.signalLost(action);
        }
    }
}

package dev.idempotency.examples.slack.events;

import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.store.IdempotencyStore;

/**
 * What a process has of a store.
 *
 * @param records of operations
 * @param inbox where events wait
 * @param guard tells late edits from newer ones
 * @param disconnect closes the connections
 */
record OpenStore(IdempotencyStore records, InboxStore inbox, VersionGuard guard, Runnable disconnect)
        implements AutoCloseable {
    @Override
    public void close() {
        disconnect.run();
    }
}

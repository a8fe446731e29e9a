package dev.idempotency.testkit.process;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Duration;
import java.time.Instant;

/** A store that is wrong: it says what time it is by this process's clock, and that clock is ahead. */
final class JvmClockStore extends ForwardingStore {
    private final Duration ahead;

    JvmClockStore(IdempotencyStore store, Duration ahead) {
        super(store);
        this.ahead = ahead;
    }

    private Snapshot wrong(Snapshot snapshot) {
        return new Snapshot(snapshot.applied(), snapshot.record(), Instant.now().plus(ahead));
    }

    @Override
    public Snapshot reserve(Write write) {
        return wrong(super.reserve(write));
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return wrong(super.replace(expected, write));
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return wrong(super.find(key));
    }
}

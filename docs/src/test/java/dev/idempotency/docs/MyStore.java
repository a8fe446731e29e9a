package dev.idempotency.docs;

import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;

/** Stands for the store of a reader. */
final class MyStore extends ForwardingStore {
    MyStore(ManualClock clock) {
        super(new ReferenceStore(clock));
    }
}

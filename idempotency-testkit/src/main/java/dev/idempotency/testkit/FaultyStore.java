package dev.idempotency.testkit;

/** What the {@linkplain BrokenStores broken stores} are built on. */
non-sealed class FaultyStore extends ReferenceStore {
    final ManualClock clock;
    private final Thread creator = Thread.currentThread();

    FaultyStore(ManualClock clock) {
        super(clock);
        this.clock = clock;
    }

    /** Whether a race can be waited for: the thread that made the store is alone, all others have company. */
    final boolean hasCompany() {
        return Thread.currentThread() != creator;
    }
}

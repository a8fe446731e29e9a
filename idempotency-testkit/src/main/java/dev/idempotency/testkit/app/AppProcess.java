package dev.idempotency.testkit.app;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.ManualClock;
import java.time.InstantSource;
import java.util.function.Consumer;

/**
 * A process of your application in a simulated world: its way to the store, its threads and its clock, which only the world
 * moves. Not thread-safe: a world has one thread.
 *
 * @since 0.1.0
 */
public final class AppProcess {
    private final String name;
    private final FaultInjectingStore store;
    private final ManualClock clock;
    private final ProcessThreads threads;
    private final ProviderWire provider;
    private final Consumer<IdempotencyEvent> events;

    AppProcess(
            String name,
            FaultInjectingStore store,
            ManualClock clock,
            ProcessThreads threads,
            ProviderWire provider,
            Consumer<IdempotencyEvent> events) {
        this.name = name;
        this.store = store;
        this.clock = clock;
        this.threads = threads;
        this.provider = provider;
        this.events = events;
    }

    /**
     * This process's way to the store that all processes share. It fails when the program says so.
     *
     * @return the store
     */
    public IdempotencyStore store() {
        return store;
    }

    /**
     * The library on {@link #store()}, with this process's clock and threads. Add your own settings, but leave those two.
     *
     * @return a builder
     */
    public Idempotency.Builder idempotency() {
        return idempotency(store);
    }

    /**
     * As {@link #idempotency()}, on a store of yours around {@link #store()}.
     *
     * @param around hands its steps to {@link #store()}
     * @return a builder
     */
    public Idempotency.Builder idempotency(IdempotencyStore around) {
        return Idempotency.builder(around)
                .nanoTime(clock::nanoTime)
                .executor(threads)
                .scheduler(threads)
                .listener(events::accept);
    }

    /**
     * The way to the provider.
     *
     * @return what the adapter sends through
     */
    public ProviderWire provider() {
        return provider;
    }

    /**
     * This process's clock, for application code that asks for the time.
     *
     * @return a clock that only the world moves
     */
    public InstantSource clock() {
        return clock;
    }

    FaultInjectingStore way() {
        return store;
    }

    /** The name of the process, for people. */
    @Override
    public String toString() {
        return name;
    }
}

package dev.idempotency;

import dev.idempotency.store.AttemptToken;
import io.github.resilience4j.core.IntervalFunction;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What an execution needs from outside.
 *
 * @param nanoTime this process's monotonic clock
 * @param tokens a new attempt token each time
 * @param machine the protocol
 * @param backoff how long to wait before asking the store for the nth time, in milliseconds
 * @param leases starts renewing a lease, until it ends
 * @param events hears everything; never throws
 * @param near outcomes that need no store; null for none
 * @param replays what the operation's latest runs have met
 * @param elsewhere runs code of the user's that may take its time, where nobody waits for it
 * @param watch who watches this run
 */
record Ports(
        LongSupplier nanoTime,
        Supplier<AttemptToken> tokens,
        Transitions machine,
        IntervalFunction backoff,
        Consumer<Lease> leases,
        Consumer<IdempotencyEvent> events,
        @Nullable NearCache near,
        RecentReplays replays,
        Executor elsewhere,
        Watch watch) {

    /** Nobody watches, and nothing is near. */
    Ports(
            LongSupplier nanoTime,
            Supplier<AttemptToken> tokens,
            Transitions machine,
            IntervalFunction backoff,
            Consumer<Lease> leases,
            Consumer<IdempotencyEvent> events) {
        this(nanoTime, tokens, machine, backoff, leases, events, null, new RecentReplays(), Runnable::run, Watch.NONE);
    }

    /** The same for one run. */
    Ports watchedBy(Watch run) {
        if (run == Watch.NONE) {
            return this;
        }
        return new Ports(
                nanoTime,
                tokens,
                machine,
                backoff,
                leases,
                event -> {
                    run.heard(event);
                    events.accept(event);
                },
                near,
                replays,
                elsewhere,
                run);
    }
}

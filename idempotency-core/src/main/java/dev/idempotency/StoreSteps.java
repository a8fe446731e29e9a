package dev.idempotency;

import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Steps of the store, repeated with the very same write while the store fails. One per execution. */
final class StoreSteps {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** How often a failing store is asked before the caller hears of it. */
    static final int TRIES = 5;

    /** How often an answer that could not be recorded is tried again after the caller has heard of it. */
    static final int TRIES_AFTERWARDS = 500;

    /** A store that answers its failures at once is asked for so long, whatever little time its caller has. */
    private static final long SHORTEST_PATIENCE = Duration.ofSeconds(1).toNanos();

    private final Ports ports;
    private final IdempotencyKey key;
    private final long patience;

    private Instant time = Instant.EPOCH;
    private long timeSeenAt;
    private long askedAt;

    /**
     * The steps of one execution.
     *
     * @param waitAtMost a step that has failed for so long is not tried again while a caller waits for it
     */
    StoreSteps(Ports ports, IdempotencyKey key, Duration waitAtMost) {
        this.ports = ports;
        this.key = key;
        this.patience = Math.max(SHORTEST_PATIENCE, waitAtMost.toNanos());
    }

    /**
     * Asks the store.
     *
     * @param then goes on with what the store said
     * @param givenUp goes on when the store has failed too often
     */
    <R> Step<R> ask(Step.Request request, Function<Snapshot, Step<R>> then, Function<StoreException, Step<R>> givenUp) {
        return ask(request, then, givenUp, false, 1, ports.nanoTime().getAsLong() + patience);
    }

    private <R> Step<R> ask(
            Step.Request request,
            Function<Snapshot, Step<R>> then,
            Function<StoreException, Step<R>> givenUp,
            boolean mayHaveWritten,
            int tries,
            long until) {
        long from = ports.nanoTime().getAsLong();
        return new Step.Ask<>(request, reply -> {
            StoreException failure = reply.failure();
            if (failure == null) {
                askedAt = from;
                return then.apply(seen(reply));
            }
            failed(request.name());
            boolean ambiguous = mayHaveWritten || failure.mayHaveWritten();
            if (tries < TRIES
                    && failure.isRetryable()
                    && until - ports.nanoTime().getAsLong() > 0) {
                return backOff(tries, () -> ask(request, then, givenUp, ambiguous, tries + 1, until));
            }
            return givenUp.apply(
                    ambiguous == failure.mayHaveWritten()
                            ? failure
                            : new StoreException("An earlier try may have been written", true, failure));
        });
    }

    /**
     * Asks the store once more, after a while and without a caller.
     *
     * @param tries how often it was asked; beyond {@link #TRIES_AFTERWARDS} it is not asked again
     */
    Step<Boolean> afterwards(int tries, Step.Request request, Function<Step.Reply, Step<Boolean>> then) {
        if (tries > TRIES_AFTERWARDS) {
            LOG.error(
                    "The store could not be told to {} {} in {} tries, and is asked no more; what became of the call is"
                            + " known to this process only, and the key comes into doubt",
                    request.name(),
                    key,
                    TRIES_AFTERWARDS);
            failed(request.name() + ", given up");
            return new Step.Done<>(false, null);
        }
        return backOff(
                tries,
                () -> new Step.Ask<>(request, reply -> {
                    if (reply.snapshot() == null) {
                        failed(request.name());
                    } else {
                        seen(reply);
                    }
                    return then.apply(reply);
                }));
    }

    /** About what the store's clock says now: for the history only, never for a decision. */
    Instant time() {
        return time.plusNanos(ports.nanoTime().getAsLong() - timeSeenAt);
    }

    /** When, by this process's clock, the question was put that the store answered last. */
    long askedAt() {
        return askedAt;
    }

    private <R> Step<R> backOff(int tries, Supplier<Step<R>> then) {
        return new Step.Pause<>(Duration.ofMillis(Math.max(1, ports.backoff().apply(tries))), null, then);
    }

    private Snapshot seen(Step.Reply reply) {
        Snapshot snapshot = reply.standing();
        time = snapshot.now();
        timeSeenAt = ports.nanoTime().getAsLong();
        return snapshot;
    }

    private void failed(String step) {
        ports.events().accept(new IdempotencyEvent(IdempotencyEvent.Type.STORE_FAILED, key, 0, 0, step));
    }
}

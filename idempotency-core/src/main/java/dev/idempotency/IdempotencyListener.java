package dev.idempotency;

import java.time.Duration;

/**
 * Hears everything that happens. Called on the thread that made it happen, so it must be quick and thread-safe. What it
 * throws is logged and changes nothing.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface IdempotencyListener {
    /** What is run. */
    enum Run {
        /** A request is executed: {@link Operation#execute} or {@link Operation#executeAsync}, once for each caller. */
        EXECUTE,
        /** A {@link Reconciler} resolves a key without a caller. */
        RECOVER,
        /** The provider is asked about an attempt in doubt. */
        LOOKUP,
        /** The provider is asked to seal an attempt in doubt. */
        SEAL
    }

    /** How a run ended. */
    enum Outcome {
        /** The run made the call, and its result is recorded. */
        EXECUTED,
        /** The provider had the write of an earlier attempt. */
        FOUND,
        /** A result that was recorded before was given out. */
        REPLAYED,
        /** The provider definitely declined, now or before. */
        DECLINED,
        /** The write definitely did not happen. */
        NOT_EXECUTED,
        /** The write may have happened. */
        IN_DOUBT,
        /** Another run was still under way. */
        IN_FLIGHT,
        /** The key belongs to another payload. */
        MISMATCHED,
        /** The operation ran, but its result is gone or unreadable. */
        RESULT_UNAVAILABLE,
        /** The store failed before anything was sent. */
        STORE_FAILED,
        /** The provider that was asked has nothing. */
        MISSING,
        /** The provider that was asked did not say. */
        UNKNOWN,
        /** Anything else: a lookup that failed or took too long, an error of the process. */
        FAILED
    }

    /**
     * Something happened.
     *
     * @param event what, and to which key
     */
    void on(IdempotencyEvent event);

    /**
     * The store was asked to do one step. Does nothing by default. Steps inside a transaction that a call writes in are the
     * transaction's, and not heard of here.
     *
     * @param step which one, as {@code "reserve"} or {@code "mark in doubt"}; one of about fifteen names
     * @param took how long it took, by this process's monotonic clock
     * @param failed whether the store failed
     */
    default void onStoreStep(String step, Duration took, boolean failed) {}

    /**
     * A {@link Reconciler} has purged records. Does nothing by default.
     *
     * @param records how many were removed, or lost their result because its retention was over; from 1
     */
    default void onPurged(int records) {}

    /**
     * A run ended. Does nothing by default.
     *
     * @param run what was run
     * @param key on which key
     * @param outcome how it ended
     * @param took how long it took, waits included, by this process's monotonic clock
     */
    default void onRun(Run run, IdempotencyKey key, Outcome outcome, Duration took) {}
}

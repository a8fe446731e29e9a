package dev.idempotency.testkit;

/**
 * What can go wrong with one step of a store.
 *
 * @since 0.1.0
 */
public enum StoreFault {
    /** Nothing. */
    NONE,
    /** The step fails before anything is written, and the store knows it. */
    NOT_WRITTEN,
    /** The step fails before anything is written, but the store cannot tell. */
    PERHAPS_WRITTEN,
    /** The step is done, and its reply is lost. */
    REPLY_LOST,
    /** The process dies before the step. */
    CRASH_BEFORE,
    /** The process dies after the step, before it hears of it. */
    CRASH_AFTER
}

package dev.idempotency.testkit;

import java.time.Duration;

/**
 * What the client sees of one {@link Submission} through an {@link UnreliableProvider}. Immutable.
 *
 * @since 0.1.0
 */
public sealed interface Observation {

    /**
     * An answer in time.
     *
     * @param reply the answer
     */
    record Answered(Reply reply) implements Observation {}

    /**
     * An answer that comes after the client has given up waiting.
     *
     * @param reply the answer that nobody waits for
     * @param after how long after the request it comes
     */
    record Late(Reply reply, Duration after) implements Observation {}

    /** The connection ended without an answer. Says nothing about the effect. */
    record Dropped() implements Observation {}
}

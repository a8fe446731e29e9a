package dev.idempotency.testkit;

/**
 * What the provider answers to a {@link Submission}. Whether the answer reaches the client is a matter of the
 * {@link FaultPlan}; see {@link Observation}. All kinds are immutable.
 *
 * @since 0.1.0
 */
public sealed interface Reply {

    /**
     * A new effect.
     *
     * @param effect the effect, which is in the ledger
     */
    record Created(Effect effect) implements Reply {}

    /**
     * The native key was used before with the same request: nothing new happened.
     *
     * @param effect the effect of the first use
     */
    record Replayed(Effect effect) implements Reply {}

    /**
     * A definite no: no effect by this request, nor by any other that the key remembers.
     *
     * @param reason why, for people
     */
    record Declined(String reason) implements Reply {}

    /** The first request with this native key is not answered yet. Says nothing about the effect. */
    record InProgress() implements Reply {}

    /** The native key was used before with another request. No effect by this request. */
    record KeyReused() implements Reply {}

    /** The native key was sealed before it had an effect. No effect, now or ever. */
    record SealedRefused() implements Reply {}

    /** Too many requests: refused before anything was looked at. No effect by this request. */
    record RateLimited() implements Reply {}

    /**
     * The provider failed. Says nothing about the effect.
     *
     * @param status the HTTP status, 500 to 599
     */
    record Error5xx(int status) implements Reply {}
}

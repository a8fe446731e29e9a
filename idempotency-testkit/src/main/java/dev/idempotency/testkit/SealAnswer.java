package dev.idempotency.testkit;

/**
 * What the provider answers to a seal: either the key had its effect already, or it can never have one. Immutable.
 *
 * @since 0.1.0
 */
public sealed interface SealAnswer {

    /**
     * The key had an effect before it could be sealed. It is not sealed.
     *
     * @param effect the first effect under the key
     */
    record Found(Effect effect) implements SealAnswer {}

    /** The key had no effect, and from now on every request that carries it is refused. */
    record Sealed() implements SealAnswer {}
}

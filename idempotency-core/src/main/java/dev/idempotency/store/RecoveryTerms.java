package dev.idempotency.store;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a key in doubt may be resolved, as agreed when it was reserved. Stored in the record, so that a later change of
 * configuration does not reinterpret a key that is already in doubt.
 *
 * @param policy which evidence counts
 * @param whenMissing what follows when the provider has nothing
 * @param quiescence how long a key must have been in doubt before "the provider has nothing" counts; null when the
 *     policy never relies on it
 * @param resendWithin how long after the first send the same native key may be sent again; null when the policy never
 *     sends again
 * @since 0.1.0
 */
public record RecoveryTerms(
        Policy policy,
        WhenMissing whenMissing,
        @Nullable Duration quiescence,
        @Nullable Duration resendWithin) {

    /** Which evidence ends a doubt. */
    public enum Policy {
        /** Only a late answer of the attempt itself, or a person. */
        HOLD,
        /** What the provider says it has. */
        LOOKUP,
        /** The provider's own recognition of the native key, inside its window. */
        NATIVE,
        /** The native key inside its window, a lookup after it. */
        NATIVE_THEN_LOOKUP,
        /** The provider's word that it has the write, or has it not and will refuse it for ever. */
        SEAL,
        /** The caller's own transaction, which holds the effect and the record together. */
        SAME_TRANSACTION
    }

    /** What follows when the provider definitely has nothing. */
    public enum WhenMissing {
        /** Stay in doubt. */
        HOLD,
        /** Call again. */
        REEXECUTE,
        /** Close the key as not executed. */
        CLOSE
    }

    /**
     * Checks the terms.
     *
     * @param policy as described above
     * @param whenMissing as described above
     * @param quiescence as described above
     * @param resendWithin as described above
     * @throws NullPointerException if {@code policy} or {@code whenMissing} is null
     */
    public RecoveryTerms {
        Objects.requireNonNull(policy, "policy");
        Objects.requireNonNull(whenMissing, "whenMissing");
    }
}

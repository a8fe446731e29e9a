package dev.idempotency;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a provider said when it was asked about an attempt in doubt.
 *
 * @param <O> the operation's result
 * @since 0.1.0
 */
public sealed interface Finding<O extends @Nullable Object> {
    /**
     * The provider has the write.
     *
     * @param result what the call would have returned
     * @param <O> the operation's result
     * @return a finding that completes the key
     */
    static <O extends @Nullable Object> Finding<O> found(O result) {
        return new Found<>(result);
    }

    /**
     * The provider has it not. From a lookup: not by now. From a seal: not by now, and it will refuse it for ever.
     *
     * @param <O> the operation's result
     * @return a finding that counts as far as the recovery policy says
     */
    static <O extends @Nullable Object> Finding<O> missing() {
        return new Missing<>();
    }

    /**
     * The provider did not say.
     *
     * @param reason one line for people; no payload, no secret
     * @param <O> the operation's result
     * @return a finding that leaves the key in doubt
     */
    static <O extends @Nullable Object> Finding<O> unknown(String reason) {
        return new Unknown<>(reason);
    }

    /**
     * The provider has the write.
     *
     * @param result what the call would have returned
     * @param <O> the operation's result
     */
    record Found<O extends @Nullable Object>(O result) implements Finding<O> {
        /** Does not print the result. */
        @Override
        public String toString() {
            return "Found";
        }
    }

    /**
     * The provider has it not.
     *
     * @param <O> the operation's result
     */
    record Missing<O extends @Nullable Object>() implements Finding<O> {}

    /**
     * The provider did not say.
     *
     * @param reason one line for people
     * @param <O> the operation's result
     */
    record Unknown<O extends @Nullable Object>(String reason) implements Finding<O> {
        /**
         * Checks the finding.
         *
         * @param reason as described above
         * @throws NullPointerException if {@code reason} is null
         */
        public Unknown {
            Objects.requireNonNull(reason, "reason");
        }
    }
}

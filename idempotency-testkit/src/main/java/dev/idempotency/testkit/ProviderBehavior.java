package dev.idempotency.testkit;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a provider can do. Immutable; start with {@link #none()} and add:
 *
 * <pre>{@code
 * ProviderBehavior.none().withNativeKey(Duration.ofHours(24)).withLookup(Duration.ofSeconds(5))
 * }</pre>
 *
 * @param nativeKey whether the provider deduplicates by native key
 * @param window how long after its first use a native key is remembered, or null for ever; null without native keys
 * @param lookup whether effects can be looked up
 * @param lookupLag how long after it happened an effect becomes visible to a lookup; zero without lookup
 * @param seal whether a native key can be sealed
 * @param storesErrors whether a 5xx answer is stored under the native key and replayed, as Stripe v1 does; without it an
 *     error before the effect leaves the key unused, and after one the repeated request gets the effect
 * @param inProgress409 whether a repeated request is refused while the first is not answered yet; without it the repeated
 *     request gets the stored answer at once
 * @param windowFromAnswer whether the window of a native key counts only from the first request that it has an answer for.
 *     Without it, it counts from the very first request with the key, one that was refused or failed included: then a key
 *     may be known that has had no effect yet, the next request with it is executed, and the key is forgotten earlier than
 *     its effect suggests. Providers that publish "from the first request" may do that, so it is the default
 * @since 0.1.0
 */
public record ProviderBehavior(
        boolean nativeKey,
        @Nullable Duration window,
        boolean lookup,
        Duration lookupLag,
        boolean seal,
        boolean storesErrors,
        boolean inProgress409,
        boolean windowFromAnswer) {

    /**
     * Checks the parts.
     *
     * @param nativeKey see above
     * @param window may be null
     * @param lookup see above
     * @param lookupLag not negative
     * @param seal see above
     * @param storesErrors see above
     * @param inProgress409 see above
     * @param windowFromAnswer see above
     * @throws NullPointerException if {@code lookupLag} is null
     * @throws IllegalArgumentException if the window is not positive, the lag is negative, or either is given without its
     *     capability
     */
    public ProviderBehavior {
        Objects.requireNonNull(lookupLag, "lookupLag");
        if (window != null && !nativeKey) {
            throw new IllegalArgumentException("a window of " + window + " needs native keys");
        }
        if (window != null && (window.isNegative() || window.isZero())) {
            throw new IllegalArgumentException("the window must be positive: " + window);
        }
        if (lookupLag.isNegative()) {
            throw new IllegalArgumentException("the lookup lag must not be negative: " + lookupLag);
        }
        if (!lookupLag.isZero() && !lookup) {
            throw new IllegalArgumentException("a lookup lag of " + lookupLag + " needs lookup");
        }
    }

    /**
     * Returns the provider that can do nothing: every request is a new effect.
     *
     * @return the behavior to start from
     */
    public static ProviderBehavior none() {
        return new ProviderBehavior(false, null, false, Duration.ZERO, false, false, false, false);
    }

    /**
     * Adds native keys that are remembered for ever.
     *
     * @return a new behavior
     */
    public ProviderBehavior withNativeKey() {
        return new ProviderBehavior(true, null, lookup, lookupLag, seal, storesErrors, inProgress409, windowFromAnswer);
    }

    /**
     * Adds native keys that are remembered for a time.
     *
     * @param keyWindow how long after its first use a key is remembered; positive
     * @return a new behavior
     * @throws NullPointerException if the window is null
     * @throws IllegalArgumentException if the window is not positive
     */
    public ProviderBehavior withNativeKey(Duration keyWindow) {
        Objects.requireNonNull(keyWindow, "keyWindow");
        return new ProviderBehavior(
                true, keyWindow, lookup, lookupLag, seal, storesErrors, inProgress409, windowFromAnswer);
    }

    /**
     * Adds lookup.
     *
     * @param lag how long after it happened an effect becomes visible; zero for at once
     * @return a new behavior
     * @throws NullPointerException if the lag is null
     * @throws IllegalArgumentException if the lag is negative
     */
    public ProviderBehavior withLookup(Duration lag) {
        return new ProviderBehavior(nativeKey, window, true, lag, seal, storesErrors, inProgress409, windowFromAnswer);
    }

    /**
     * Adds sealing of native keys.
     *
     * @return a new behavior
     */
    public ProviderBehavior withSeal() {
        return new ProviderBehavior(
                nativeKey, window, lookup, lookupLag, true, storesErrors, inProgress409, windowFromAnswer);
    }

    /**
     * Makes the provider store 5xx answers under the native key and replay them.
     *
     * @return a new behavior
     */
    public ProviderBehavior withStoredErrors() {
        return new ProviderBehavior(nativeKey, window, lookup, lookupLag, seal, true, inProgress409, windowFromAnswer);
    }

    /**
     * Makes the provider refuse a repeated request while the first is not answered yet.
     *
     * @return a new behavior
     */
    public ProviderBehavior withInProgress409() {
        return new ProviderBehavior(nativeKey, window, lookup, lookupLag, seal, storesErrors, true, windowFromAnswer);
    }

    /**
     * Makes the window of a native key count from the first request that the key has an answer for, and not from the first
     * request with it.
     *
     * @return a new behavior
     */
    public ProviderBehavior withWindowFromAnswer() {
        return new ProviderBehavior(nativeKey, window, lookup, lookupLag, seal, storesErrors, inProgress409, true);
    }
}

package dev.idempotency;

import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What ends a doubt. Immutable, thread-safe as far as its functions are. Without knowledge of the provider, use
 * {@link #hold()}: it is always safe.
 *
 * @param <I> the operation's request
 * @param <O> the operation's result
 * @since 0.1.0
 */
public final class Recovery<I, O extends @Nullable Object> {
    /**
     * Asks the provider for the write of an attempt in doubt, by a reference that the call sent, on the provider's
     * primary.
     *
     * @param <I> the operation's request
     * @param <O> the operation's result
     */
    @FunctionalInterface
    public interface Lookup<I, O extends @Nullable Object> {
        /**
         * Asks. May be called several times, by several processes.
         *
         * @param request the request in doubt
         * @param attempt the attempt in doubt, with the native key that it sent
         * @return what the provider said
         * @throws Exception if it did not say; the key stays in doubt
         */
        Finding<O> find(I request, Attempt attempt) throws Exception;
    }

    /**
     * Makes the provider answer for an attempt in doubt and refuse it from then on, in one atomic step at the provider:
     * void-if-absent, or cancel-by-reference.
     *
     * @param <I> the operation's request
     * @param <O> the operation's result
     */
    @FunctionalInterface
    public interface Seal<I, O extends @Nullable Object> {
        /**
         * Seals. May be called several times, by several processes.
         *
         * @param request the request in doubt
         * @param attempt the attempt in doubt, with the native key that it sent
         * @return found; or missing, after which the provider will refuse that native key for ever
         * @throws Exception if the provider did not say; the key stays in doubt
         */
        Finding<O> seal(I request, Attempt attempt) throws Exception;
    }

    private final Policy policy;
    private final WhenMissing whenMissing;
    private final @Nullable Lookup<I, O> lookup;
    private final @Nullable Seal<I, O> seal;
    private final @Nullable Quiescence quiescence;
    private final @Nullable ProviderProfile profile;

    private Recovery(
            Policy policy,
            WhenMissing whenMissing,
            @Nullable Lookup<I, O> lookup,
            @Nullable Seal<I, O> seal,
            @Nullable Quiescence quiescence,
            @Nullable ProviderProfile profile) {
        this.policy = policy;
        this.whenMissing = whenMissing;
        this.lookup = lookup;
        this.seal = seal;
        this.quiescence = quiescence;
        this.profile = profile;
    }

    /**
     * A key in doubt stays so until its own late answer comes, or a person decides. The default.
     *
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level F
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> hold() {
        return new Recovery<>(Policy.HOLD, WhenMissing.HOLD, null, null, null, null);
    }

    /**
     * What the provider has is recorded; when it has nothing, the key stays in doubt.
     *
     * @param lookup asks the provider
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level E
     * @throws NullPointerException if {@code lookup} is null
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> lookup(Lookup<I, O> lookup) {
        Objects.requireNonNull(lookup, "lookup");
        return new Recovery<>(Policy.LOOKUP, WhenMissing.HOLD, lookup, null, null, null);
    }

    /**
     * What the provider has is recorded; when it has nothing, and the key has been in doubt for long enough, the call is
     * made again.
     *
     * @param lookup asks the provider
     * @param quiescence how long is long enough
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level D
     * @throws NullPointerException if an argument is null
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> lookupThenReexecute(
            Lookup<I, O> lookup, Quiescence quiescence) {
        Objects.requireNonNull(lookup, "lookup");
        Objects.requireNonNull(quiescence, "quiescence");
        return new Recovery<>(Policy.LOOKUP, WhenMissing.REEXECUTE, lookup, null, quiescence, null);
    }

    /**
     * What the provider has is recorded; when it has nothing, and the key has been in doubt for long enough, the key is
     * closed as not executed.
     *
     * @param lookup asks the provider
     * @param quiescence how long is long enough
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level D
     * @throws NullPointerException if an argument is null
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> lookupThenClose(
            Lookup<I, O> lookup, Quiescence quiescence) {
        Objects.requireNonNull(lookup, "lookup");
        Objects.requireNonNull(quiescence, "quiescence");
        return new Recovery<>(Policy.LOOKUP, WhenMissing.CLOSE, lookup, null, quiescence, null);
    }

    /**
     * Inside the provider's window the same native key is sent again, and the provider recognises it. After the window
     * the key stays in doubt. So does one whose call did not ask for {@link Attempt#nativeKey()}.
     *
     * @param profile the provider, with its window
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level C
     * @throws NullPointerException if {@code profile} is null
     * @throws IllegalArgumentException if the profile has no window, or one that is shorter than its bounds
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> nativeKey(ProviderProfile profile) {
        return new Recovery<>(Policy.NATIVE, WhenMissing.HOLD, null, null, null, requireWindow(profile));
    }

    /**
     * As {@link #nativeKey} inside the window, as {@link #lookupThenReexecute} after it.
     *
     * @param profile the provider, with its window
     * @param lookup asks the provider
     * @param quiescence how long a key must have been in doubt before the call is made again
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level C
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the profile has no window, or one that is shorter than its bounds
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> nativeKeyThenLookup(
            ProviderProfile profile, Lookup<I, O> lookup, Quiescence quiescence) {
        Objects.requireNonNull(lookup, "lookup");
        Objects.requireNonNull(quiescence, "quiescence");
        return new Recovery<>(
                Policy.NATIVE_THEN_LOOKUP, WhenMissing.REEXECUTE, lookup, null, quiescence, requireWindow(profile));
    }

    /**
     * The provider is made to refuse the attempt in doubt; if it had nothing, the call is made again with a new native
     * key.
     *
     * @param seal makes the provider answer and refuse
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level B
     * @throws NullPointerException if {@code seal} is null
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> seal(Seal<I, O> seal) {
        Objects.requireNonNull(seal, "seal");
        return new Recovery<>(Policy.SEAL, WhenMissing.REEXECUTE, null, seal, null, null);
    }

    /**
     * The provider is made to refuse the attempt in doubt; if it had nothing, the key is closed as not executed.
     *
     * @param seal makes the provider answer and refuse
     * @param <I> the operation's request
     * @param <O> the operation's result
     * @return level B
     * @throws NullPointerException if {@code seal} is null
     */
    public static <I, O extends @Nullable Object> Recovery<I, O> sealThenClose(Seal<I, O> seal) {
        Objects.requireNonNull(seal, "seal");
        return new Recovery<>(Policy.SEAL, WhenMissing.CLOSE, null, seal, null, null);
    }

    /**
     * For effects in the store's own database. The record itself decides what counts: an attempt that does not stand in it any
     * more cannot commit, so that the next one need not wait for anything.
     */
    static <I, O extends @Nullable Object> Recovery<I, O> sameTransaction() {
        return new Recovery<>(Policy.SAME_TRANSACTION, WhenMissing.REEXECUTE, null, null, null, null);
    }

    private static ProviderProfile requireWindow(ProviderProfile profile) {
        Objects.requireNonNull(profile, "profile");
        Duration guard = profile.resendWithin();
        if (guard == null) {
            throw new IllegalArgumentException("profile '" + profile.name()
                    + "' has no window; give it the one that the provider documents with withWindow(..)");
        }
        if (guard.isNegative() || guard.isZero()) {
            throw new IllegalArgumentException("profile '" + profile.name() + "' has a window of "
                    + Durations.text(Objects.requireNonNull(profile.window(), "window"))
                    + ", which is not longer than pause " + Durations.text(profile.pause()) + ", transit "
                    + Durations.text(profile.transit())
                    + " and clock error " + Durations.text(profile.clockError())
                    + " together; nothing could ever be sent again safely");
        }
        return profile;
    }

    /** What is stored with every key of this policy. */
    RecoveryTerms terms() {
        Duration period = policy == Policy.SAME_TRANSACTION ? Duration.ZERO : null;
        return new RecoveryTerms(
                policy,
                whenMissing,
                quiescence == null ? period : quiescence.period(),
                profile == null ? null : profile.resendWithin());
    }

    @Nullable
    Lookup<I, O> lookupFunction() {
        return lookup;
    }

    @Nullable
    Seal<I, O> sealFunction() {
        return seal;
    }

    @Nullable
    Quiescence quiescence() {
        return quiescence;
    }

    @Nullable
    ProviderProfile profile() {
        return profile;
    }

    ProviderProfile.KeyFormat keyFormat() {
        return profile == null ? ProviderProfile.KeyFormat.uuid() : profile.keyFormat();
    }
}

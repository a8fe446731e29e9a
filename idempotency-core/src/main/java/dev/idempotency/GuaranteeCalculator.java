package dev.idempotency;

import dev.idempotency.Guarantee.Level;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.StoreClass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Computes the level from store class, recovery and timings: a pure function. */
final class GuaranteeCalculator {
    private GuaranteeCalculator() {}

    /**
     * Computes the guarantee.
     *
     * @param tombstone how long after the retention the record is kept without its result
     * @param retryHorizon H: how long after the first run callers may still retry; null when not declared
     */
    static Guarantee compute(
            StoreClass store,
            Policy policy,
            WhenMissing whenMissing,
            @Nullable Quiescence quiescence,
            @Nullable ProviderProfile profile,
            Duration retention,
            Duration tombstone,
            @Nullable Duration retryHorizon) {
        List<String> conditions = new ArrayList<>();
        List<String> violations = new ArrayList<>();

        if (retryHorizon == null) {
            conditions.add(
                    "P6: nobody retries a request later than " + Durations.text(retention) + " after its first run");
        } else if (retention.compareTo(retryHorizon) <= 0) {
            violations.add("P6: retention " + Durations.text(retention) + " must be longer than the retry horizon "
                    + Durations.text(retryHorizon));
        }
        if (policy != Policy.NATIVE && policy != Policy.SAME_TRANSACTION) {
            conditions.add(
                    "P5: nothing below the call repeats the request by itself (HTTP client, proxy, gateway, mesh)");
        }
        if (quiescence != null) {
            if (quiescence.period().compareTo(quiescence.bound()) <= 0) {
                violations.add("P7: quiescence " + Durations.text(quiescence.period())
                        + " must be longer than pause + transit + lag" + " + clock error = "
                        + Durations.text(quiescence.bound()));
            }
            conditions.add("P7: this process never pauses longer than " + Durations.text(quiescence.pause())
                    + " between check and first byte, the provider does not act on a request later than "
                    + Durations.text(quiescence.transit()) + " after it was sent, its lookup finds an effect after "
                    + Durations.text(quiescence.lag())
                    + ", and the store's clock jumps by no more than " + Durations.text(quiescence.clockError()));
        }
        if (policy == Policy.LOOKUP || policy == Policy.NATIVE_THEN_LOOKUP) {
            conditions.add("P10: the lookup goes by a reference that the call sent, on the provider's primary");
        }
        if (policy == Policy.SAME_TRANSACTION) {
            conditions.add(
                    "P13: the call writes through the transaction that it is given, and has no effect beside it");
        }
        boolean survives = false;
        if (profile != null && profile.window() != null) {
            Duration guard = profile.resendWithin();
            if (guard == null || guard.isNegative() || guard.isZero()) {
                violations.add("P8: window " + Durations.text(profile.window())
                        + " must be longer than pause + transit + clock error = " + Durations.text(profile.bound()));
            }
            conditions.add(
                    "P8: every call sends attempt.nativeKey(), and " + profile.name() + " recognises a native key for "
                            + (profile.window().equals(ProviderProfile.ENDLESS)
                                    ? "ever"
                                    : Durations.text(profile.window()) + ", this process never pauses longer than "
                                            + Durations.text(profile.pause())
                                            + " between check and first byte, no request reaches the provider later than "
                                            + Durations.text(profile.transit())
                                            + " after it was sent, and the store's clock jumps by no more than "
                                            + Durations.text(profile.clockError())));
            rememberForAsLongAsTheProvider(
                    profile, profile.window(), retention.plus(tombstone), conditions, violations);
            survives = survivesLoss(store, profile, policy, retryHorizon);
        }
        switch (store) {
            case DURABLE -> conditions.add("P2: the store keeps what it has acknowledged, also over a failover");
            case LOSSY -> conditions.add("P2: the store happens not to lose an acknowledged write; its class is LOSSY");
            case PROCESS ->
                conditions.add(
                        "P2: this process lives on, and no other process runs the same key; its class is PROCESS");
        }
        Level level = violations.isEmpty() ? level(policy, whenMissing) : Level.X;
        return new Guarantee(level, level != Level.X && survives, conditions, violations);
    }

    /**
     * A key that is forgotten here and is used again gets the native key that it had. As long as the provider knows that, it
     * answers with the old write, or counts its window from a request of which nothing is known here any more.
     */
    private static void rememberForAsLongAsTheProvider(
            ProviderProfile profile, Duration window, Duration kept, List<String> conditions, List<String> violations) {
        Duration needed = window.plus(profile.clockError());
        if (window.equals(ProviderProfile.ENDLESS)) {
            conditions.add("P14: no key is used for another write, ever: " + profile.name()
                    + " still recognises its native key when it has been forgotten here");
        } else if (kept.compareTo(needed) < 0) {
            violations.add("P14: retention + tombstone = " + Durations.text(kept)
                    + " must be at least window + clock error = " + Durations.text(needed) + ", so that "
                    + profile.name() + " forgets a native key before the key is forgotten here");
        }
    }

    /**
     * G: how long after the first send the same native key may be sent again. Where the store may lose its record, a first
     * send may have been forgotten, at most H ago: then {@code H + G + P + D + S <= W} (P9) instead of
     * {@code G + P + D + S <= W} (P8).
     */
    static @Nullable Duration resendWithin(
            StoreClass store, @Nullable ProviderProfile profile, @Nullable Duration retryHorizon) {
        Duration guard = profile == null ? null : profile.resendWithin();
        if (guard == null || store == StoreClass.DURABLE || retryHorizon == null) {
            return guard;
        }
        Duration shorter = guard.minus(retryHorizon);
        return guard.equals(ProviderProfile.ENDLESS) || shorter.isNegative() || shorter.isZero() ? guard : shorter;
    }

    private static boolean survivesLoss(
            StoreClass store, ProviderProfile profile, Policy policy, @Nullable Duration retryHorizon) {
        if (policy != Policy.NATIVE) {
            return false;
        }
        Duration guard = profile.resendWithin();
        if (ProviderProfile.ENDLESS.equals(guard)) {
            return true;
        }
        return retryHorizon != null
                && guard != null
                && retryHorizon.compareTo(guard) < 0
                && store != StoreClass.DURABLE;
    }

    private static Level level(Policy policy, WhenMissing whenMissing) {
        return switch (policy) {
            case SAME_TRANSACTION -> Level.A;
            case SEAL -> Level.B;
            case NATIVE, NATIVE_THEN_LOOKUP -> Level.C;
            case LOOKUP -> whenMissing == WhenMissing.HOLD ? Level.E : Level.D;
            case HOLD -> Level.F;
        };
    }
}

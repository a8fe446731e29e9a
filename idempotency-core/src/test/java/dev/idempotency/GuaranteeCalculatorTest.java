package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.idempotency.Guarantee.Level;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.StoreClass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the guarantee calculator against the rules of {@code docs/guarantees.md}. */
final class GuaranteeCalculatorTest {
    private static final Duration TICK = Duration.ofNanos(1);
    private static final Duration WEEK = Duration.ofDays(7);
    private static final Quiescence LONG_ENOUGH = Quiescence.of(Duration.ofMinutes(3), Duration.ofSeconds(7));
    private static final ProviderProfile DAY =
            ProviderProfile.of("Bank", "its contract", ProviderProfile.KeyFormat.uuid(), Duration.ofHours(24));

    /** Pause, transit and clock error of that profile. */
    private static final Duration BOUND = Duration.ofMinutes(6).plusSeconds(2);

    private static Guarantee durable(
            Policy policy, WhenMissing whenMissing, Quiescence quiescence, ProviderProfile profile) {
        return GuaranteeCalculator.compute(
                StoreClass.DURABLE, policy, whenMissing, quiescence, profile, WEEK, Duration.ZERO, Duration.ofDays(6));
    }

    private static Quiescence period(Duration more) {
        return LONG_ENOUGH.withPeriod(LONG_ENOUGH.bound().plus(more));
    }

    // ---- what each recovery is worth on a durable store

    static Stream<Arguments> configurations() {
        var endless = DAY.withWindow(ProviderProfile.ENDLESS);
        return Stream.of(
                Arguments.of("hold", Policy.HOLD, WhenMissing.HOLD, null, null, Level.F),
                Arguments.of("lookup, missing holds", Policy.LOOKUP, WhenMissing.HOLD, null, null, Level.E),
                Arguments.of(
                        "lookup, missing re-executes, quiescence above the bound",
                        Policy.LOOKUP,
                        WhenMissing.REEXECUTE,
                        period(TICK),
                        null,
                        Level.D),
                Arguments.of(
                        "lookup, missing re-executes, quiescence at the bound",
                        Policy.LOOKUP,
                        WhenMissing.REEXECUTE,
                        period(Duration.ZERO),
                        null,
                        Level.X),
                Arguments.of(
                        "lookup, missing closes, quiescence above the bound",
                        Policy.LOOKUP,
                        WhenMissing.CLOSE,
                        period(TICK),
                        null,
                        Level.D),
                Arguments.of(
                        "lookup, missing closes, quiescence below the bound",
                        Policy.LOOKUP,
                        WhenMissing.CLOSE,
                        period(TICK.negated()),
                        null,
                        Level.X),
                Arguments.of("native key, endless window", Policy.NATIVE, WhenMissing.HOLD, null, endless, Level.C),
                Arguments.of("native key, window", Policy.NATIVE, WhenMissing.HOLD, null, DAY, Level.C),
                Arguments.of(
                        "native key, window at its bounds",
                        Policy.NATIVE,
                        WhenMissing.HOLD,
                        null,
                        DAY.withWindow(BOUND),
                        Level.X),
                Arguments.of(
                        "native key then lookup, both bounds",
                        Policy.NATIVE_THEN_LOOKUP,
                        WhenMissing.REEXECUTE,
                        period(TICK),
                        DAY,
                        Level.C),
                Arguments.of(
                        "native key then lookup, quiescence at the bound",
                        Policy.NATIVE_THEN_LOOKUP,
                        WhenMissing.REEXECUTE,
                        period(Duration.ZERO),
                        DAY,
                        Level.X),
                Arguments.of("seal, missing re-executes", Policy.SEAL, WhenMissing.REEXECUTE, null, null, Level.B),
                Arguments.of("seal, missing closes", Policy.SEAL, WhenMissing.CLOSE, null, null, Level.B),
                Arguments.of("same transaction", Policy.SAME_TRANSACTION, WhenMissing.HOLD, null, null, Level.A));
    }

    @ParameterizedTest(name = "{0}: {5}")
    @MethodSource("configurations")
    void level_ofEachRecovery(
            String name,
            Policy policy,
            WhenMissing whenMissing,
            Quiescence quiescence,
            ProviderProfile profile,
            Level level) {
        Guarantee guarantee = durable(policy, whenMissing, quiescence, profile);

        assertThat(guarantee.level()).isEqualTo(level);
        assertThat(guarantee.violations().isEmpty()).isEqualTo(level != Level.X);
    }

    static Stream<Arguments> recoveries() {
        Recovery.Lookup<String, String> lookup = (request, attempt) -> Finding.missing();
        Recovery.Seal<String, String> seal = (request, attempt) -> Finding.missing();
        return Stream.of(
                Arguments.of(Recovery.<String, String>hold(), Level.F),
                Arguments.of(Recovery.lookup(lookup), Level.E),
                Arguments.of(Recovery.lookupThenReexecute(lookup, LONG_ENOUGH), Level.D),
                Arguments.of(Recovery.lookupThenClose(lookup, LONG_ENOUGH), Level.D),
                Arguments.of(Recovery.<String, String>nativeKey(DAY), Level.C),
                Arguments.of(Recovery.nativeKeyThenLookup(DAY, lookup, LONG_ENOUGH), Level.C),
                Arguments.of(Recovery.seal(seal), Level.B),
                Arguments.of(Recovery.sealThenClose(seal), Level.B),
                Arguments.of(
                        Recovery.lookupThenReexecute(lookup, LONG_ENOUGH.withPeriod(LONG_ENOUGH.bound())), Level.X));
    }

    @ParameterizedTest
    @MethodSource("recoveries")
    void level_ofEachRecovery_throughTheBuilder(Recovery<String, String> recovery, Level level) {
        assertThat(operation().recovery(recovery).explain().level()).isEqualTo(level);
    }

    // ---- every combination

    @Test
    void everyCombination_isWhatTheInequalitiesSay() {
        var bounds = BOUND;
        var guard = DAY.resendWithin();
        List<Quiescence> quiescences =
                new ArrayList<>(List.of(period(TICK.negated()), period(Duration.ZERO), period(TICK)));
        quiescences.add(null);
        List<ProviderProfile> profiles = new ArrayList<>(List.of(
                DAY.withWindow(bounds.minus(TICK)),
                DAY.withWindow(bounds),
                DAY.withWindow(bounds.plus(TICK)),
                DAY,
                DAY.withWindow(WEEK.minusSeconds(2)),
                DAY.withWindow(WEEK.minusSeconds(2).plus(TICK)),
                DAY.withWindow(ProviderProfile.ENDLESS),
                ProviderProfile.withoutWindow("Bank", "its contract", ProviderProfile.KeyFormat.uuid())));
        profiles.add(null);
        List<Duration> horizons = new ArrayList<>(
                List.of(WEEK.minus(TICK), WEEK, WEEK.plus(TICK), guard.minus(TICK), guard, Duration.ZERO));
        horizons.add(null);

        int combinations = 0;
        for (StoreClass store : StoreClass.values()) {
            for (Policy policy : Policy.values()) {
                for (WhenMissing whenMissing : WhenMissing.values()) {
                    for (Quiescence quiescence : quiescences) {
                        for (ProviderProfile profile : profiles) {
                            for (Duration horizon : horizons) {
                                check(store, policy, whenMissing, quiescence, profile, horizon);
                                combinations++;
                            }
                        }
                    }
                }
            }
        }
        assertThat(combinations).isEqualTo(3 * 6 * 3 * 4 * 9 * 7);
    }

    private static void check(
            StoreClass store,
            Policy policy,
            WhenMissing whenMissing,
            Quiescence quiescence,
            ProviderProfile profile,
            Duration horizon) {
        Guarantee guarantee = GuaranteeCalculator.compute(
                store, policy, whenMissing, quiescence, profile, WEEK, Duration.ZERO, horizon);
        String what = String.join(
                ", ",
                store + " " + policy + " " + whenMissing,
                String.valueOf(quiescence),
                String.valueOf(profile),
                "horizon " + horizon);

        var conditions = new ArrayList<String>();
        var violations = new ArrayList<String>();
        boolean window = profile != null && profile.window() != null;
        if (horizon == null) {
            conditions.add("P6");
        } else if (horizon.compareTo(WEEK) >= 0) {
            violations.add("P6");
        }
        if (policy != Policy.NATIVE && policy != Policy.SAME_TRANSACTION) {
            conditions.add("P5");
        }
        if (quiescence != null) {
            conditions.add("P7");
            if (quiescence.period().minus(quiescence.bound()).toNanos() <= 0) {
                violations.add("P7");
            }
        }
        if (policy == Policy.LOOKUP || policy == Policy.NATIVE_THEN_LOOKUP) {
            conditions.add("P10");
        }
        if (policy == Policy.SAME_TRANSACTION) {
            conditions.add("P13");
        }
        boolean endless = window && profile.window().equals(Duration.ofDays(36_525));
        if (window) {
            conditions.add("P8");
            if (profile.window().compareTo(BOUND) <= 0) {
                violations.add("P8");
            }
            if (endless) {
                conditions.add("P14");
            } else if (profile.window().plusSeconds(2).compareTo(WEEK) > 0) {
                violations.add("P14");
            }
        }
        conditions.add("P2");
        assertThat(ids(guarantee.conditions())).as(what).isEqualTo(conditions);
        assertThat(ids(guarantee.violations())).as(what).isEqualTo(violations);

        assertThat(guarantee.level()).as(what).isEqualTo(violations.isEmpty() ? level(policy, whenMissing) : Level.X);
        boolean horizonFits = window
                && horizon != null
                && horizon.plus(BOUND).compareTo(profile.window()) < 0
                && store != StoreClass.DURABLE;
        assertThat(guarantee.survivesLostStoreWrites())
                .as(what)
                .isEqualTo(violations.isEmpty() && policy == Policy.NATIVE && (endless || horizonFits));
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

    private static List<String> ids(List<String> lines) {
        return lines.stream().map(line -> line.substring(0, line.indexOf(':'))).toList();
    }

    // ---- how long the same native key may be sent again

    @Test
    void resendWithin_onADurableStore_isTheWindowWithoutPauseTransitAndClockError() {
        assertThat(GuaranteeCalculator.resendWithin(StoreClass.DURABLE, DAY, Duration.ofHours(5)))
                .isEqualTo(Duration.ofHours(24).minus(BOUND));
    }

    @ParameterizedTest
    @EnumSource(names = {"LOSSY", "PROCESS"})
    void resendWithin_onAStoreThatMayLoseTheFirstSend_isShorterByTheRetryHorizon(StoreClass store) {
        assertThat(GuaranteeCalculator.resendWithin(store, DAY, Duration.ofHours(5)))
                .isEqualTo(Duration.ofHours(19).minus(BOUND));
        assertThat(GuaranteeCalculator.resendWithin(store, DAY, null))
                .isEqualTo(Duration.ofHours(24).minus(BOUND));
    }

    /** Nothing is left after the horizon, so that the level does not survive a loss anyway: the guard stays as it is. */
    @Test
    void resendWithin_withAHorizonAsLongAsTheGuard_staysAsItIs() {
        var guard = Duration.ofHours(24).minus(BOUND);

        assertThat(GuaranteeCalculator.resendWithin(StoreClass.LOSSY, DAY, guard))
                .isEqualTo(guard);
        assertThat(GuaranteeCalculator.resendWithin(StoreClass.LOSSY, DAY, guard.plus(TICK)))
                .isEqualTo(guard);
        assertThat(GuaranteeCalculator.resendWithin(StoreClass.LOSSY, DAY, guard.minus(TICK)))
                .isEqualTo(TICK);
    }

    @ParameterizedTest
    @EnumSource(StoreClass.class)
    void resendWithin_withoutAnEndOrWithoutAWindow(StoreClass store) {
        var endless = DAY.withWindow(ProviderProfile.ENDLESS);
        var none = ProviderProfile.withoutWindow("Bank", "its contract", ProviderProfile.KeyFormat.uuid());

        assertThat(GuaranteeCalculator.resendWithin(store, endless, Duration.ofDays(1)))
                .isEqualTo(ProviderProfile.ENDLESS);
        assertThat(GuaranteeCalculator.resendWithin(store, none, Duration.ofDays(1)))
                .isNull();
        assertThat(GuaranteeCalculator.resendWithin(store, null, Duration.ofDays(1)))
                .isNull();
    }

    // ---- what people read

    @Test
    void explain_printsTheLevelWithEveryCondition() {
        var recovery =
                Recovery.<String, String>nativeKeyThenLookup(DAY, (request, attempt) -> Finding.missing(), LONG_ENOUGH);

        assertThat(operation().recovery(recovery).explain()).hasToString("""
                        Level C (deduplicated)
                          on condition that P6: nobody retries a request later than 7 d after its first run
                          on condition that P5: nothing below the call repeats the request by itself (HTTP client, proxy, gateway, mesh)
                          on condition that P7: this process never pauses longer than 30 s between check and first byte, \
                        the provider does not act on a request later than 3 min after it was sent, its lookup finds an effect after 7 s, and the store's clock jumps by no more than 2 s
                          on condition that P10: the lookup goes by a reference that the call sent, on the provider's primary
                          on condition that P8: every call sends attempt.nativeKey(), and Bank recognises a native key for 24 h, this process never pauses longer than 1 min \
                        between check and first byte, no request reaches the provider later than 5 min after it was sent, and the \
                        store's clock jumps by no more than 2 s
                          on condition that P2: this process lives on, and no other process runs the same key; its class is PROCESS
                          does not hold if the store loses acknowledged writes""");
    }

    @Test
    void explain_ofAViolation_printsBothValues() {
        assertThat(GuaranteeCalculator.compute(
                        StoreClass.LOSSY,
                        Policy.NATIVE_THEN_LOOKUP,
                        WhenMissing.REEXECUTE,
                        period(Duration.ZERO),
                        DAY.withWindow(BOUND),
                        WEEK,
                        Duration.ZERO,
                        WEEK))
                .hasToString("""
                        Level X (unprotected)
                          violated: P6: retention 7 d must be longer than the retry horizon 7 d
                          violated: P7: quiescence 3 min 39 s must be longer than pause + transit + lag + clock error = 3 min 39 s
                          violated: P8: window 6 min 2 s must be longer than pause + transit + clock error = 6 min 2 s
                          on condition that P5: nothing below the call repeats the request by itself (HTTP client, proxy, gateway, mesh)
                          on condition that P7: this process never pauses longer than 30 s between check and first byte, \
                        the provider does not act on a request later than 3 min after it was sent, its lookup finds an effect after 7 s, and the store's clock jumps by no more than 2 s
                          on condition that P10: the lookup goes by a reference that the call sent, on the provider's primary
                          on condition that P8: every call sends attempt.nativeKey(), and Bank recognises a native key for 6 min 2 s, this process never pauses longer than 1 min \
                        between check and first byte, no request reaches the provider later than 5 min after it was sent, and the \
                        store's clock jumps by no more than 2 s
                          on condition that P2: the store happens not to lose an acknowledged write; its class is LOSSY
                          does not hold if the store loses acknowledged writes""");
    }

    @Test
    void explain_ofAWindowThatNeverEnds_asksForNoBound() {
        Guarantee guarantee = durable(Policy.NATIVE, WhenMissing.HOLD, null, DAY.withWindow(ProviderProfile.ENDLESS));

        assertThat(guarantee).hasToString("""
                        Level C (deduplicated)
                          on condition that P8: every call sends attempt.nativeKey(), and Bank recognises a native key for ever
                          on condition that P14: no key is used for another write, ever: Bank still recognises its native key \
                        when it has been forgotten here
                          on condition that P2: the store keeps what it has acknowledged, also over a failover
                          holds even if the store loses acknowledged writes""");
    }

    // ---- the builder

    private static Operation.Builder<String, String> operation() {
        return Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", String.class, String.class)
                .key(request -> request);
    }

    @Test
    void calling_aLevelX_isRefusedWithWhatIsViolated() {
        var builder = operation().retention(Duration.ofDays(1)).retryHorizon(Duration.ofDays(2));

        assertThatIllegalStateException()
                .isThrownBy(() -> builder.calling((request, attempt) -> request))
                .withMessage("Operation 'pay' could make duplicates: P6: retention 24 h must be longer than the retry"
                        + " horizon 2 d");
        assertThatIllegalStateException()
                .isThrownBy(() -> builder.callingAsync((request, attempt) -> null))
                .withMessageContaining("P6: retention 24 h");
    }

    @Test
    void calling_aLevelXWithSeveralViolations_namesEach() {
        var recovery = Recovery.<String, String>lookupThenClose(
                (request, attempt) -> Finding.missing(), LONG_ENOUGH.withPeriod(Duration.ZERO));

        assertThatIllegalStateException()
                .isThrownBy(() -> operation()
                        .recovery(recovery)
                        .retryHorizon(Duration.ofDays(7))
                        .calling((request, attempt) -> request))
                .withMessage("Operation 'pay' could make duplicates: P6: retention 7 d must be longer than the retry"
                        + " horizon 7 d; P7: quiescence 0 s must be longer than pause + transit + lag + clock error"
                        + " = 3 min 39 s");
    }

    @Test
    void calling_aLevelX_whenDuplicatesAreAccepted_buildsAnOperationThatSaysSo() {
        var operation = operation()
                .retention(Duration.ofDays(1))
                .retryHorizon(Duration.ofDays(2))
                .acceptDuplicates("a second reminder does no harm")
                .calling((request, attempt) -> request);

        assertThat(operation.explain().level()).isEqualTo(Level.X);
        assertThat(operation.explain().violations()).hasSize(1);
    }

    @Test
    void calling_aProtectedLevel_explainsAsItsBuilderDid() {
        var builder = operation().retryHorizon(Duration.ofDays(6));

        assertThat(builder.calling((request, attempt) -> request).explain()).isEqualTo(builder.explain());
    }

    @Test
    void nativeKey_withoutAWindow_isRefusedByName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Recovery.nativeKey(Providers.SQUARE))
                .withMessage("profile 'Square' has no window; give it the one that the provider documents with"
                        + " withWindow(..)");
    }

    @Test
    void nativeKey_withAWindowNoLongerThanItsBounds_isRefusedWithAllThree() {
        var message = "profile 'Bank' has a window of 6 min 2 s, which is not longer than pause 1 min, transit 5 min"
                + " and clock error 2 s together; nothing could ever be sent again safely";
        var atTheBounds = DAY.withWindow(BOUND);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Recovery.nativeKey(atTheBounds))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Recovery.nativeKeyThenLookup(atTheBounds, (request, attempt) -> Finding.missing(), LONG_ENOUGH))
                .withMessage(message);
        assertThat(Recovery.nativeKey(atTheBounds.withWindow(BOUND.plus(TICK)))
                        .terms()
                        .resendWithin())
                .isEqualTo(TICK);
    }

    // ---- the guide

    @Test
    void guide_hasTheLevelsOfTheCode() {
        var rows = MarkdownTable.rows(
                "guarantees.md",
                "Level",
                "Title",
                "Configuration",
                "At most one effect",
                "Truthful, stable answer",
                "Resolves without a person",
                "Survives lost store writes",
                "Timing");

        assertThat(rows.stream().map(row -> row.subList(0, 2)))
                .containsExactlyElementsOf(Arrays.stream(Level.values())
                        .map(level -> List.of(level.name(), level.title()))
                        .toList());
    }

    @Test
    void guide_hasTheStoreClassesOfTheCode() {
        var rows =
                MarkdownTable.rows("guarantees.md", "Class", "What it does with acknowledged writes", "What it means");

        assertThat(rows.stream().map(row -> row.get(0)))
                .containsExactlyElementsOf(
                        Arrays.stream(StoreClass.values()).map(StoreClass::name).toList());
    }

    @Test
    void guide_namesEveryPreconditionThatExplainPrints() {
        var documented = MarkdownTable.rows("guarantees.md", "Id", "What must be true", "Who checks it").stream()
                .map(row -> row.get(0))
                .toList();
        var printed = Stream.of(StoreClass.values())
                .flatMap(store -> Stream.of(Policy.values())
                        .map(policy -> GuaranteeCalculator.compute(
                                store,
                                policy,
                                WhenMissing.REEXECUTE,
                                period(Duration.ZERO),
                                DAY.withWindow(WEEK),
                                WEEK,
                                Duration.ZERO,
                                null)))
                .flatMap(guarantee -> Stream.concat(guarantee.conditions().stream(), guarantee.violations().stream()))
                .map(line -> line.substring(0, line.indexOf(':')))
                .toList();

        assertThat(documented).hasSize(14).containsAll(printed);
    }

    @Test
    void guide_quotesTheSentenceAndTheInequalities() {
        String guide = MarkdownTable.read("guarantees.md").replaceAll("\\s*\\n> ?", " ");

        assertThat(guide)
                .contains("For one key the library starts a second call to the provider only if the provider itself"
                        + " will recognise it (same native key, inside its window), or has been asked after a waiting"
                        + " period longer than anything in flight can live, or has sealed the first call, or a named"
                        + " person decided. Otherwise it stops and shows the key as in doubt.")
                .contains("`Q > P + D + Lag + S`")
                .contains("`G + P + D + S <= W`")
                .contains("`H + G + P + D + S <= W`");
    }
}

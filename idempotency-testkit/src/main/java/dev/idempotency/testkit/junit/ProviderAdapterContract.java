package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ProviderProfile;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.Fault;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.MistakeError;
import dev.idempotency.testkit.app.ProviderAdapter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What an adapter must do for the engine to be right about it, as tests to inherit: its call sends once and tells the truth, its
 * native key is the attempt's, its lookup finds what the call sent and nothing else, its seal seals.
 *
 * <p>Connect your adapter to the provider that each test makes: over HTTP with {@link
 * dev.idempotency.testkit.HttpProviderSimulator}, over a stub of your own that hands each request to {@link
 * UnreliableProvider#submit}, or in this process over {@link dev.idempotency.testkit.app.ProviderWire#to}. The provider's clock
 * stands still; only answers that are slow by plan take real time.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public abstract class ProviderAdapterContract<I, O> {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final EffectLedger ledger = EffectLedger.inMemory();

    /** For subclasses. */
    protected ProviderAdapterContract() {}

    /**
     * Connects your adapter.
     *
     * @param provider the provider of this test
     * @return the adapter; closed after the test
     * @throws Exception if it cannot be connected
     */
    protected abstract ProviderAdapter<I, O> connect(UnreliableProvider provider) throws Exception;

    /**
     * What the provider does.
     *
     * @return as it documents itself
     */
    protected abstract ProviderBehavior behavior();

    /**
     * Requests to send.
     *
     * @param number from 1
     * @return a request for each number, each a write of its own; alike in all that two requests may have in common, such as the
     *     amount
     */
    protected abstract I request(int number);

    /**
     * The operation's classifier.
     *
     * @return as the operation has it
     */
    protected abstract FailureClassifier failures();

    /**
     * Tells whether a result speaks of an effect.
     *
     * @param result what the call or the lookup gave
     * @param effect one thing that the provider did
     * @return true if the result has its id
     */
    protected abstract boolean isAbout(O result, Effect effect);

    /**
     * The profile of the operation's recovery.
     *
     * @return null, unless overridden, if it does not re-send
     */
    protected @Nullable ProviderProfile profile() {
        return null;
    }

    /**
     * How long an answer takes that comes too late for the adapter's client.
     *
     * @return two seconds unless overridden; more than the client's timeout
     */
    protected Duration tooSlow() {
        return Duration.ofSeconds(2);
    }

    // ---- the call

    /**
     * Clause P1.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P1")
    @DisplayName("P1. A call makes one effect, and its result speaks of that effect.")
    public void call_thatIsAnswered_makesOneEffect() throws Exception {
        with(FaultPlan.none(), (adapter, provider) -> {
            O result = adapter.call(request(1), attempt(1));

            assertEquals(1, effects(provider).size(), "effects of one call");
            assertTrue(isAbout(result, effects(provider).get(0)), "the result speaks of its effect: " + result);
            O second = adapter.call(request(2), attempt(2));
            assertEquals(2, effects(provider).size(), "effects of two requests");
            assertTrue(isAbout(second, effects(provider).get(1)), "the result speaks of its effect: " + second);
        });
    }

    /**
     * Clause P2.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P2")
    @DisplayName(
            "P2. A call that is made again for one attempt makes no second effect where the provider takes native keys.")
    public void call_madeAgain_isRecognised() throws Exception {
        if (!behavior().nativeKey()) {
            return;
        }
        with(FaultPlan.none(), (adapter, provider) -> {
            O first = adapter.call(request(1), attempt(1));
            O again = adapter.call(request(1), attempt(1));

            if (effects(provider).size() > 1) {
                throw new MistakeError(Mistake.OWN_NATIVE_KEY, "effects: " + effects(provider));
            }
            Effect effect = effects(provider).get(0);
            assertTrue(isAbout(first, effect) && isAbout(again, effect), "both speak of one effect: " + first + again);
            assertEquals(attempt(1).nativeKey(), effect.nativeKey(), "the native key is the attempt's");
        });
    }

    /**
     * Clause P3.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P3")
    @DisplayName("P3. As long as the profile allows a native key to be sent again, the provider remembers it.")
    public void call_madeAgainAtTheEndOfTheProfilesWindow_isRecognised() throws Exception {
        ProviderProfile profile = profile();
        if (profile == null || !behavior().nativeKey()) {
            return;
        }
        Duration longest = profile.resendWithin();
        with(FaultPlan.none(), (adapter, provider) -> {
            adapter.call(request(1), attempt(1));
            clock.advance(
                    longest == null
                            ? Duration.ZERO
                            : longest.plus(profile.pause())
                                    .plus(profile.transit())
                                    .minusMillis(1));
            adapter.call(request(1), attempt(1));

            if (effects(provider).size() > 1) {
                throw new MistakeError(
                        Mistake.WINDOW_TOO_LONG,
                        "the profile's is " + profile.window() + ", the provider's "
                                + behavior().window());
            }
        });
    }

    /**
     * Clause P4.
     *
     * @param fault what goes wrong
     * @throws Exception if the adapter cannot be connected
     */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"NONE", "DECLINED_402", "REFUSED_429"})
    @Clause("P4")
    @DisplayName(
            "P4. Whatever hides what became of a request leaves its call with an ambiguous failure, or with the truth.")
    public void call_whoseOutcomeIsHidden_isNotCalledDefinite(Fault fault) throws Exception {
        with(FaultPlan.scripted(fault), (adapter, provider) -> {
            O result;
            try {
                result = adapter.call(request(1), attempt(1));
            } catch (Exception failure) {
                // A connection that was not made in time is definite, and no fault of the plan.
                if (isDefinite(failure) && !provider.plan().chosen().isEmpty()) {
                    throw new MistakeError(
                            Mistake.AMBIGUOUS_CALLED_DEFINITE, "after " + fault + " the call failed with " + failure);
                }
                return;
            }
            assertTrue(
                    effects(provider).stream().anyMatch(effect -> isAbout(result, effect)),
                    "after " + fault + " the call said " + result);
        });
    }

    private boolean isDefinite(Exception failure) {
        if (failure instanceof DeclinedException || failure instanceof NotExecutedException) {
            return true;
        }
        try {
            return failures().classify(failure) != FailureClass.AMBIGUOUS;
        } catch (RuntimeException e) {
            return false;
        }
    }

    /**
     * Clause P5.
     *
     * @param fault what goes wrong
     * @throws Exception if the adapter cannot be connected
     */
    @ParameterizedTest
    @EnumSource
    @Clause("P5")
    @DisplayName("P5. A call sends one request, whatever becomes of it: nothing below it repeats.")
    public void call_whateverHappens_sendsOnce(Fault fault) throws Exception {
        with(FaultPlan.scripted(fault), (adapter, provider) -> {
            try {
                adapter.call(request(1), attempt(1));
            } catch (Exception e) {
                // What it says is the matter of the other clauses.
            }
            long sent = LongStream.of(provider.plan().chosen().values().stream()
                            .mapToLong(Long::longValue)
                            .toArray())
                    .sum();
            if (sent != 1) {
                throw new MistakeError(Mistake.CLIENT_REPEATS, "after " + fault + " there were " + sent + " requests");
            }
        });
    }

    /**
     * Clause P6.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P6")
    @DisplayName("P6. A decline is no result.")
    public void call_declined_isNoResult() throws Exception {
        with(FaultPlan.scripted(Fault.DECLINED_402), (adapter, provider) -> {
            assertFailed(adapter, "declined");
            assertEquals(List.of(), effects(provider));
        });
    }

    /**
     * Clause P7.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P7")
    @DisplayName("P7. \"In progress\" is ambiguous.")
    public void call_whileTheFirstIsInProgress_isAmbiguous() throws Exception {
        if (!behavior().nativeKey() || !behavior().inProgress409()) {
            return;
        }
        with(FaultPlan.scripted(Fault.SLOW_PAST_TIMEOUT), (adapter, provider) -> {
            assertFailed(adapter, "too late");
            Exception failure = assertFailed(adapter, "in progress");
            if (isDefinite(failure)) {
                throw new MistakeError(Mistake.AMBIGUOUS_CALLED_DEFINITE, "\"in progress\" came out as " + failure);
            }
        });
    }

    private Exception assertFailed(ProviderAdapter<I, O> adapter, String why) {
        O result;
        try {
            result = adapter.call(request(1), attempt(1));
        } catch (Exception failure) {
            return failure;
        }
        throw new MistakeError(Mistake.ANSWER_WITHOUT_EFFECT, "a call that was " + why + " gave the result " + result);
    }

    // ---- the lookup

    /**
     * Clause P8.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P8")
    @DisplayName("P8. A lookup finds what the call sent, after the provider's lag, and not what another call sent.")
    public void lookup_afterTheCall_findsItsEffect() throws Exception {
        if (!behavior().lookup()) {
            return;
        }
        with(FaultPlan.scripted(Fault.NONE), (adapter, provider) -> {
            adapter.call(request(1), attempt(1));
            adapter.call(request(2), attempt(2));
            clock.advance(behavior().lookupLag());
            for (int i = 1; i <= 2; i++) {
                Finding<O> finding = adapter.lookup(request(i), attempt(i));

                if (!(finding instanceof Finding.Found<O> found)) {
                    throw new MistakeError(Mistake.LOOKUP_MISSES, "it said " + finding + " of " + request(i));
                }
                if (!isAbout(found.result(), effects(provider).get(i - 1))) {
                    throw new MistakeError(Mistake.ANSWER_OF_ANOTHER, request(i) + " was found as " + found.result());
                }
            }
        });
    }

    /**
     * Clause P9.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P9")
    @DisplayName("P9. A lookup of what was never sent does not find it, whatever others sent.")
    public void lookup_ofWhatWasNeverSent_findsNothing() throws Exception {
        if (!behavior().lookup()) {
            return;
        }
        with(FaultPlan.none(), (adapter, provider) -> {
            assertFalse(adapter.lookup(request(1), attempt(1)) instanceof Finding.Found, "found in an empty ledger");
            adapter.call(request(2), attempt(2));
            clock.advance(behavior().lookupLag());
            if (adapter.lookup(request(1), attempt(1)) instanceof Finding.Found<O> found) {
                throw new MistakeError(Mistake.ANSWER_OF_ANOTHER, request(1) + " was found as " + found.result());
            }
        });
    }

    /**
     * Clause P10.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P10")
    @DisplayName("P10. A lookup that gets no answer does not say missing.")
    public void lookup_withoutAnAnswer_doesNotSayMissing() throws Exception {
        if (!behavior().lookup()) {
            return;
        }
        with(FaultPlan.parse("lookup-error=1", 1), (adapter, provider) -> {
            adapter.call(request(1), attempt(1));
            clock.advance(behavior().lookupLag());
            Finding<O> finding;
            try {
                finding = adapter.lookup(request(1), attempt(1));
            } catch (Exception e) {
                return;
            }
            if (finding instanceof Finding.Missing) {
                throw new MistakeError(Mistake.LOOKUP_ERROR_IS_MISSING, "after a lookup that the provider failed");
            }
        });
    }

    // ---- the seal

    /**
     * Clause P11.
     *
     * @throws Exception if the adapter cannot be connected
     */
    @Test
    @Clause("P11")
    @DisplayName("P11. A seal finds what the call sent; otherwise the provider refuses that native key from then on.")
    public void seal_findsOrRefuses() throws Exception {
        if (!behavior().seal()) {
            return;
        }
        with(FaultPlan.none(), (adapter, provider) -> {
            adapter.call(request(1), attempt(1));
            var found = assertInstanceOf(Finding.Found.class, adapter.seal(request(1), attempt(1)));
            @SuppressWarnings("unchecked")
            O result = (O) found.result();
            assertTrue(isAbout(result, effects(provider).get(0)), "what the seal found");
            assertInstanceOf(Finding.Missing.class, adapter.seal(request(2), attempt(2)));
            try {
                adapter.call(request(2), attempt(2));
            } catch (Exception e) {
                // Refused, as it must be.
            }
            assertEquals(1, effects(provider).size(), "effects, one of them under a native key that was sealed");
        });
    }

    // ---- the provider of a test

    private interface Body<I, O> {
        void run(ProviderAdapter<I, O> adapter, UnreliableProvider provider) throws Exception;
    }

    private void with(FaultPlan plan, Body<I, O> body) throws Exception {
        var provider = new UnreliableProvider(
                new SimulatedProvider(behavior(), ledger, clock), plan, tooSlow(), Duration.ofSeconds(30));
        try (ProviderAdapter<I, O> adapter = connect(provider)) {
            body.run(adapter, provider);
        }
    }

    private static List<Effect> effects(UnreliableProvider provider) {
        return provider.provider().ledger().effects();
    }

    private static Attempt attempt(int number) {
        return new FirstAttempt(
                new IdempotencyKey("contract", "request-" + number),
                UUID.nameUUIDFromBytes(new byte[] {(byte) number}).toString());
    }

    private record FirstAttempt(IdempotencyKey key, String nativeKey) implements Attempt {
        @Override
        public int number() {
            return 1;
        }

        @Override
        public void checkMaySend() {}

        @Override
        public boolean isLost() {
            return false;
        }

        @Override
        public void onLost(Runnable action) {}
    }
}

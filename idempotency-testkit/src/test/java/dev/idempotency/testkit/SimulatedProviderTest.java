package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SimulatedProviderTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final ProviderBehavior NATIVE = ProviderBehavior.none().withNativeKey();

    private final ManualClock clock = new ManualClock(START);
    private final EffectLedger ledger = EffectLedger.inMemory();
    private int requests;

    private SimulatedProvider provider(ProviderBehavior behavior) {
        return new SimulatedProvider(behavior, ledger, clock);
    }

    private Submission request(@Nullable String nativeKey, String reference) {
        return request(nativeKey, reference, "payload of " + reference);
    }

    private Submission request(@Nullable String nativeKey, String reference, String payload) {
        return new Submission("r-" + ++requests, nativeKey, reference, payload);
    }

    @Test
    void submit_first_createsAnEffectWithAllItsParts() {
        var reply = provider(NATIVE).submit(request("k", "order-1", "text"));

        var effect = new Effect("effect-000001", "k", "order-1", "text", START, "r-1");
        assertThat(reply).isEqualTo(new Reply.Created(effect));
        assertThat(ledger.effects()).containsExactly(effect);
    }

    @Test
    void submit_sameKeyAndRequest_replaysTheEffect() {
        var provider = provider(NATIVE);
        provider.submit(request("k", "order-1"));
        clock.advance(Duration.ofDays(3650));

        assertThat(provider.submit(request("k", "order-1")))
                .isEqualTo(new Reply.Replayed(ledger.effects().get(0)));
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void submit_sameKeyOtherRequest_isRefused() {
        var provider = provider(NATIVE);
        provider.submit(request("k", "order-1", "a"));

        assertThat(provider.submit(request("k", "order-1", "b"))).isEqualTo(new Reply.KeyReused());
        assertThat(provider.submit(request("k", "order-2", "a"))).isEqualTo(new Reply.KeyReused());
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void submit_withoutNativeKeys_isAnEffectEachTime() {
        var provider = provider(ProviderBehavior.none());
        provider.submit(request("k", "order-1"));
        provider.submit(request("k", "order-1"));

        assertThat(ledger.duplicates()).containsOnlyKeys("order-1");
        assertThat(ledger.duplicateKeys()).containsOnlyKeys("k");
    }

    @Test
    void submit_withoutAKeyThoughKeysAreOn_isAnEffectEachTime() {
        var provider = provider(NATIVE);
        provider.submit(request(null, "order-1"));
        provider.submit(request(null, "order-1"));

        assertThat(ledger.duplicates()).containsOnlyKeys("order-1");
    }

    @Test
    void submit_atTheEndOfTheWindow_isADuplicate() {
        var provider = provider(ProviderBehavior.none().withNativeKey(Duration.ofHours(24)));
        provider.submit(request("k", "order-1"));

        clock.advance(Duration.ofHours(24).minusNanos(1));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
        clock.advance(Duration.ofNanos(1));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);

        assertThat(ledger.duplicates()).containsOnlyKeys("order-1");
        clock.advance(Duration.ofHours(23));
        assertThat(provider.submit(request("k", "order-1")))
                .isEqualTo(new Reply.Replayed(ledger.effects().get(1)));
    }

    @Test
    void submit_afterARefusal_isExecutedAndForgottenByTheWindowOfTheRefusedRequest() {
        var provider = provider(ProviderBehavior.none().withNativeKey(Duration.ofHours(24)));
        assertThat(provider.refuse(request("k", "order-1"))).isEqualTo(new Reply.RateLimited());
        assertThat(ledger.count()).isZero();

        clock.advance(Duration.ofHours(23));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
        clock.advance(Duration.ofHours(1));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);
    }

    @Test
    void submit_afterAnErrorBeforeTheEffect_isForgottenByTheWindowOfTheFailedRequest() {
        var provider = provider(ProviderBehavior.none().withNativeKey(Duration.ofHours(24)));
        provider.submit(request("k", "order-1"), Duration.ZERO, SimulatedProvider.Treatment.FAIL_BEFORE_EFFECT);

        clock.advance(Duration.ofHours(23));
        provider.submit(request("k", "order-1"));
        clock.advance(Duration.ofHours(1));

        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);
    }

    @Test
    void submit_afterARefusal_whereTheWindowCountsFromTheAnswer_isKnownForAWholeWindow() {
        var provider = provider(
                ProviderBehavior.none().withNativeKey(Duration.ofHours(24)).withWindowFromAnswer());
        provider.refuse(request("k", "order-1"));

        clock.advance(Duration.ofHours(23));
        provider.submit(request("k", "order-1"));
        clock.advance(Duration.ofHours(24).minusNanos(1));

        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
    }

    @Test
    void refuse_withoutNativeKeysOrWithoutAKey_onlyRefuses() {
        assertThat(provider(ProviderBehavior.none()).refuse(request("k", "order-1")))
                .isEqualTo(new Reply.RateLimited());
        assertThat(provider(NATIVE).refuse(request(null, "order-1"))).isEqualTo(new Reply.RateLimited());
        assertThat(ledger.count()).isZero();
    }

    @Test
    void submit_declinedByRule_hasNoEffectAndIsReplayed() {
        var tooMuch = new ArrayList<>(List.of("order-1"));
        var provider =
                new SimulatedProvider(NATIVE, ledger, clock, submission -> tooMuch.contains(submission.reference()));
        var first = provider.submit(request("k", "order-1"));
        tooMuch.clear();

        assertThat(first).isInstanceOf(Reply.Declined.class);
        assertThat(provider.submit(request("k", "order-1"))).isEqualTo(first);
        assertThat(ledger.count()).isZero();
        assertThat(provider.submit(request("k2", "order-1"))).isInstanceOf(Reply.Created.class);
    }

    @Test
    void submit_firstNotAnsweredYet_isInProgressUntilItIs() {
        var provider = provider(NATIVE.withInProgress409());
        var first = provider.submit(request("k", "order-1"), Duration.ofSeconds(2));

        assertThat(first).isInstanceOf(Reply.Created.class);
        assertThat(provider.submit(request("k", "order-1"))).isEqualTo(new Reply.InProgress());
        assertThat(provider.submit(request("k", "order-1", "other"))).isEqualTo(new Reply.KeyReused());
        clock.advance(Duration.ofSeconds(2));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void submit_firstNotAnsweredYetWithout409_isReplayed() {
        var provider = provider(NATIVE);
        provider.submit(request("k", "order-1"), Duration.ofSeconds(2));

        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> provider.submit(request("k", "order-1"), Duration.ofNanos(-1)));
    }

    @Test
    void lookup_beforeAndAfterTheLag_hidesAndShowsTheEffect() {
        var provider = provider(ProviderBehavior.none().withLookup(Duration.ofSeconds(5)));
        provider.submit(request("k", "order-1"));
        provider.submit(request("k2", "order-2"));

        clock.advance(Duration.ofSeconds(5).minusNanos(1));
        assertThat(provider.lookup("order-1")).isEmpty();
        assertThat(provider.lookupByKey("k")).isEmpty();
        clock.advance(Duration.ofNanos(1));
        assertThat(provider.lookup("order-1")).containsExactly(ledger.effects().get(0));
        assertThat(provider.lookupByKey("k")).containsExactly(ledger.effects().get(0));
    }

    @Test
    void lookupAndSeal_notOffered_areRefused() {
        var provider = provider(NATIVE);

        assertThatIllegalStateException().isThrownBy(() -> provider.lookup("order-1"));
        assertThatIllegalStateException().isThrownBy(() -> provider.lookupByKey("k"));
        assertThatIllegalStateException().isThrownBy(() -> provider.seal("k"));
        assertThat(ledger.isSealed("k")).isFalse();
    }

    @Test
    void seal_keyWithAnEffect_findsItAndSealsNothing() {
        var provider = provider(
                ProviderBehavior.none().withNativeKey(Duration.ofHours(1)).withSeal());
        provider.submit(request("k", "order-1"));
        clock.advance(Duration.ofHours(2));

        assertThat(provider.seal("k"))
                .isEqualTo(new SealAnswer.Found(ledger.effects().get(0)));
        assertThat(ledger.isSealed("k")).isFalse();
    }

    @Test
    void seal_keyWithoutEffect_refusesItForEver() {
        var provider = provider(
                ProviderBehavior.none().withNativeKey(Duration.ofHours(1)).withSeal());

        assertThat(provider.seal("k")).isEqualTo(new SealAnswer.Sealed());
        assertThat(provider.submit(request("k", "order-1"))).isEqualTo(new Reply.SealedRefused());
        clock.advance(Duration.ofDays(365));
        assertThat(provider.submit(request("k", "order-1", "other"))).isEqualTo(new Reply.SealedRefused());
        assertThat(provider.seal("k")).isEqualTo(new SealAnswer.Sealed());
        assertThat(ledger.count()).isZero();
    }

    @Test
    void seal_declinedKey_isSealed() {
        var provider = new SimulatedProvider(NATIVE.withSeal(), ledger, clock, submission -> true);
        provider.submit(request("k", "order-1"));

        assertThat(provider.seal("k")).isEqualTo(new SealAnswer.Sealed());
        assertThat(provider.submit(request("k", "order-1"))).isEqualTo(new Reply.SealedRefused());
    }

    @Test
    void seal_racingWithTheRequest_neverLosesToIt() throws Exception {
        var provider = provider(NATIVE.withSeal());
        var pool = Executors.newFixedThreadPool(2);
        var found = 0;
        try {
            for (var i = 0; i < 2000; i++) {
                var key = "k" + i;
                var start = new CyclicBarrier(2);
                var submission = request(key, "order-" + i);
                Callable<Object> post = () -> {
                    start.await();
                    return provider.submit(submission);
                };
                Callable<Object> seal = () -> {
                    start.await();
                    return provider.seal(key);
                };
                var posted = pool.submit(post);
                var answer = pool.submit(seal).get();
                found += answer instanceof SealAnswer.Found ? 1 : 0;
                assertThat(posted.get() instanceof Reply.Created).isEqualTo(answer instanceof SealAnswer.Found);
                assertThat(ledger.effectsUnder(key)).hasSize(answer instanceof SealAnswer.Found ? 1 : 0);
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(found).as("how often the request came first").isBetween(1, 1999);
    }

    @Test
    void submitLater_whenDue_landsWithTheTimeOfItsArrival() {
        var provider = provider(NATIVE.withLookup(Duration.ZERO));
        provider.submitLater(request("k", "order-1"), Duration.ofSeconds(10));

        clock.advance(Duration.ofSeconds(9));
        assertThat(provider.lookup("order-1")).isEmpty();
        assertThat(provider.ledger().count()).isZero();
        clock.advance(Duration.ofSeconds(11));
        assertThat(provider.ledger().effects()).extracting(Effect::receivedAt).containsExactly(START.plusSeconds(10));
    }

    @Test
    void submitLater_negativeDelay_isRefused() {
        var provider = provider(NATIVE);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> provider.submitLater(request("k", "order-1"), Duration.ofNanos(-1)));
    }

    @Test
    void submitLater_severalDueAtOnce_landInTheOrderOfArrival() {
        var provider = provider(ProviderBehavior.none());
        provider.submitLater(request(null, "third"), Duration.ofSeconds(3));
        provider.submitLater(request(null, "first"), Duration.ofSeconds(1));
        provider.submitLater(request(null, "second"), Duration.ofSeconds(1));
        clock.advance(Duration.ofSeconds(3));

        assertThat(provider.ledger().effects())
                .extracting(Effect::reference)
                .containsExactly("first", "second", "third");
    }

    @Test
    void submitLater_keyUsedMeanwhile_hasNoSecondEffect() {
        var provider = provider(NATIVE);
        provider.submitLater(request("k", "order-1"), Duration.ofSeconds(10));
        assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);
        clock.advance(Duration.ofSeconds(10));

        assertThat(provider.ledger().count()).isEqualTo(1);
    }

    @Test
    void submitLater_withoutNativeKeys_isADuplicate() {
        var provider = provider(ProviderBehavior.none());
        provider.submitLater(request("k", "order-1"), Duration.ofSeconds(10));
        provider.submit(request("k", "order-1"));
        clock.advance(Duration.ofSeconds(10));

        assertThat(provider.ledger().duplicates()).containsOnlyKeys("order-1");
    }

    @Test
    void submitLater_keySealedMeanwhile_isRefused() {
        var provider = provider(NATIVE.withSeal());
        provider.submitLater(request("k", "order-1"), Duration.ofSeconds(10));
        assertThat(provider.seal("k")).isEqualTo(new SealAnswer.Sealed());
        clock.advance(Duration.ofSeconds(10));

        assertThat(provider.ledger().count()).isZero();
    }

    @Test
    void submitLater_dueBeforeTheSeal_isFoundByIt() {
        var provider = provider(NATIVE.withSeal());
        provider.submitLater(request("k", "order-1"), Duration.ofSeconds(10));
        clock.advance(Duration.ofSeconds(10));

        assertThat(provider.seal("k")).isInstanceOf(SealAnswer.Found.class);
    }

    @Test
    void provider_startedOnAnOldLedger_knowsKeysAndSeals(@TempDir Path directory) throws IOException {
        var file = directory.resolve("ledger");
        var behavior =
                ProviderBehavior.none().withNativeKey(Duration.ofHours(1)).withSeal();
        try (var first = EffectLedger.open(file)) {
            var provider = new SimulatedProvider(behavior, first, clock);
            provider.submit(request("k", "order-1"));
            provider.seal("s");
        }
        clock.advance(Duration.ofMinutes(59));
        try (var second = EffectLedger.open(file)) {
            var provider = new SimulatedProvider(behavior, second, clock);
            assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Replayed.class);
            assertThat(provider.submit(request("k", "order-1", "x"))).isEqualTo(new Reply.KeyReused());
            assertThat(provider.submit(request("s", "order-2"))).isEqualTo(new Reply.SealedRefused());
            clock.advance(Duration.ofMinutes(1));
            assertThat(provider.submit(request("k", "order-1"))).isInstanceOf(Reply.Created.class);
            assertThat(second.effects()).extracting(Effect::effectId).doesNotHaveDuplicates();
        }
    }
}

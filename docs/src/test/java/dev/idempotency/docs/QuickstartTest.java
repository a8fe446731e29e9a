package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.Fault;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class QuickstartTest {
    private static final ChargeRequest ORDER = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

    @Test
    void wrap_callTimesOut_sendsTheSameNativeKeyAgainAndThenReplays() {
        var nativeKeys = new ArrayList<String>();

        Charge receipt = QuickstartSnippets.wrap((request, nativeKey) -> {
            nativeKeys.add(nativeKey);
            if (nativeKeys.size() == 1) {
                throw new HttpTimeoutException("no answer in time");
            }
            return new Charge("ch-1", request.amount());
        });

        assertThat(receipt).isEqualTo(new Charge("ch-1", 1250));
        assertThat(nativeKeys).hasSize(2).containsOnly(nativeKeys.get(0));
    }

    // tag::test[]
    @Test
    void charge_whoseReplyIsLost_isMadeOnce() throws Exception {
        var behavior = ProviderBehavior.none().withNativeKey(Duration.ofHours(24));
        var provider = new SimulatedProvider(behavior, EffectLedger.inMemory(), InstantSource.system());
        var faults = FaultPlan.scripted(Fault.REPLY_LOST_AFTER_EFFECT);
        var unreliable = new UnreliableProvider(provider, faults, Duration.ZERO, Duration.ZERO);

        try (var simulator = HttpProviderSimulator.start(unreliable);
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = QuickstartSnippets.charging(idempotency, new ChargeClient(simulator.charges()));
            var request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

            assertThat(charge.execute(request)).isEqualTo(charge.execute(request));

            assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
            assertThat(faults.chosen()).containsEntry(Fault.REPLY_LOST_AFTER_EFFECT, 1L);
        }
    }
    // end::test[]

    @Test
    void outcomes_byWhatHappensAtTheProvider_sayWhatToDo() throws Exception {
        assertThat(outcome(FaultPlan.none())).isEqualTo("charged: effect-000001");
        assertThat(outcome(FaultPlan.scripted(Fault.DECLINED_402))).isEqualTo("declined: card declined");
        assertThat(outcome(FaultPlan.scripted(Fault.REFUSED_429))).isEqualTo("not executed: try again when you like");
        assertThat(outcome(FaultPlan.scripted(Fault.RESET_AFTER_EFFECT, Fault.RESET_BEFORE_EFFECT)))
                .isEqualTo("not known yet: execute the same request again later");
    }

    @Test
    void outcomes_otherPayload_sayMismatch() throws Exception {
        try (var simulator = HttpProviderSimulator.start(unreliable(FaultPlan.none()));
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = QuickstartSnippets.charging(idempotency, new ChargeClient(simulator.charges()));
            charge.execute(ORDER);

            String outcome = QuickstartSnippets.outcome(charge, new ChargeRequest("ORD-1", 9999, "EUR", "Ada"));

            assertThat(outcome).startsWith("this order was charged with other data");
        }
    }

    private static String outcome(FaultPlan faults) throws Exception {
        try (var simulator = HttpProviderSimulator.start(unreliable(faults));
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = QuickstartSnippets.charging(idempotency, new ChargeClient(simulator.charges()));
            return QuickstartSnippets.outcome(charge, ORDER);
        }
    }

    private static UnreliableProvider unreliable(FaultPlan faults) {
        var behavior = ProviderBehavior.none().withNativeKey(Duration.ofHours(24));
        var provider = new SimulatedProvider(behavior, EffectLedger.inMemory(), InstantSource.system());
        return new UnreliableProvider(provider, faults, Duration.ZERO, Duration.ZERO);
    }
}

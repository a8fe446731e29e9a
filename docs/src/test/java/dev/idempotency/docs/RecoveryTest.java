package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.Recovery;
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
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The functions of the guide on recovery, against the simulated provider. */
final class RecoveryTest {
    private static final ChargeRequest ORDER = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

    @Test
    void lookup_ofAWriteWhoseReplyIsLost_findsIt() throws Exception {
        var ledger = chargeOnce(
                ProviderBehavior.none().withLookup(Duration.ZERO),
                Fault.REPLY_LOST_AFTER_EFFECT,
                snippets -> snippets.lookup(Duration.ofSeconds(1), Duration.ZERO));

        assertThat(ledger.effectsOf("ORD-1")).hasSize(1);
    }

    @Test
    void seal_ofAWriteWhoseReplyIsLost_findsIt() throws Exception {
        var ledger =
                chargeOnce(ProviderBehavior.none().withSeal(), Fault.REPLY_LOST_AFTER_EFFECT, RecoverySnippets::seal);

        assertThat(ledger.effectsOf("ORD-1")).hasSize(1);
    }

    @Test
    void seal_ofAWriteThatNeverArrived_refusesItAndCallsAgainWithANewNativeKey() throws Exception {
        var ledger = chargeOnce(ProviderBehavior.none().withSeal(), Fault.RESET_BEFORE_EFFECT, RecoverySnippets::seal);

        assertThat(ledger.effectsOf("ORD-1"))
                .singleElement()
                .satisfies(effect ->
                        assertThat(ledger.isSealed(effect.nativeKey())).isFalse());
    }

    private static EffectLedger chargeOnce(
            ProviderBehavior behavior,
            Fault fault,
            Function<RecoverySnippets, Recovery<ChargeRequest, Charge>> recovery)
            throws Exception {
        var provider = new SimulatedProvider(behavior, EffectLedger.inMemory(), InstantSource.system());
        var faults = FaultPlan.scripted(fault);
        var unreliable = new UnreliableProvider(provider, faults, Duration.ZERO, Duration.ZERO);
        try (var simulator = HttpProviderSimulator.start(unreliable);
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var client = new ChargeClient(simulator.charges());
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .recovery(recovery.apply(new RecoverySnippets(simulator.charges())))
                    .calling((request, attempt) -> client.charge(request, attempt.nativeKey()));

            assertThat(charge.execute(ORDER).amount()).isEqualTo(1250);
            assertThat(faults.chosen()).containsEntry(fault, 1L);
            return provider.ledger();
        }
    }
}

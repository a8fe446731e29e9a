package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The guide on the reconciler, run. */
final class ReconcilerTest {
    @Test
    void keyThatNobodyExecutesAgain_isResolved() throws Exception {
        var provider = new SimulatedProvider(
                ProviderBehavior.none().withLookup(Duration.ZERO), EffectLedger.inMemory(), InstantSource.system());
        try (var simulator = HttpProviderSimulator.start(
                        new UnreliableProvider(provider, FaultPlan.scripted(), Duration.ZERO, Duration.ZERO));
                var store = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var client = new ChargeClient(simulator.charges());
            var recovery = new RecoverySnippets(simulator.charges()).lookup(Duration.ofSeconds(1), Duration.ZERO);
            var order = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
            var dying = store.operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .keepRequests()
                    .recovery(Recovery.lookup((request, attempt) -> {
                        throw new IllegalStateException("this process has died");
                    }))
                    .calling((request, attempt) -> {
                        client.charge(request, attempt.nativeKey());
                        throw new IllegalStateException("this process has died");
                    });
            try {
                dying.execute(order);
            } catch (InDoubtException expected) {
                assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
            }

            try (Reconciler reconciler = ReconcilerSnippets.start(store, client, recovery)) {
                long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
                while (reconciler.sweep().unresolved() > 0 && System.nanoTime() - end < 0) {
                    LockSupport.parkNanos(1_000_000);
                }
            }

            assertThat(dying.execute(order).amount()).isEqualTo(1250);
            assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
        }
    }

    @Test
    void settings_areThoseOfTheBuilder() {
        List<String> settings = Markdown.of("docs/reconciler.md").table("Setting", "Default", "What it does").stream()
                .map(row -> row.get(0))
                .toList();

        assertThat(settings)
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(Reconciler.Builder.class.getDeclaredMethods())
                        .filter(method -> method.getReturnType() == Reconciler.Builder.class
                                && method.getParameterCount() == 1
                                && !method.isVarArgs())
                        .map(Method::getName)
                        .toList());
    }
}

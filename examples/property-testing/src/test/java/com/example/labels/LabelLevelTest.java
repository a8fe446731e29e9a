package com.example.labels;

import static dev.idempotency.testkit.app.GuaranteeAssert.assertLevel;

import dev.idempotency.Guarantee;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.app.ProviderWire;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class LabelLevelTest {
    // tag::level[]
    @Test
    void settings_guaranteeLevelD() {
        var idempotency = Idempotency.on(CaffeineIdempotencyStore.create());

        assertLevel(Labels.operation(idempotency, carrier()), Guarantee.Level.D);
    }
    // end::level[]

    private static Carrier carrier() {
        var provider = new SimulatedProvider(
                SimulatedCarrier.BEHAVIOR, EffectLedger.inMemory(), InstantSource.system());
        return new SimulatedCarrier(ProviderWire.to(
                new UnreliableProvider(provider, FaultPlan.none(), Duration.ZERO, Duration.ZERO)));
    }
}

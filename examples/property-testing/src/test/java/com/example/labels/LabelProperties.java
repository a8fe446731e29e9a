package com.example.labels;

import dev.idempotency.Operation;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.app.AppProcess;
import dev.idempotency.testkit.jqwik.EffectAtMostOnceProperties;
import java.time.Duration;
import net.jqwik.api.Arbitrary;

// tag::properties[]
/** Callers, retries, crashes, pauses, lost replies: one label for each order. */
class LabelProperties extends EffectAtMostOnceProperties<LabelRequest, Label> {
    @Override
    public Operation<LabelRequest, Label> start(AppProcess process) {
        return Labels.operation(process.idempotency().build(), new SimulatedCarrier(process.provider()));
    }

    @Override
    protected Arbitrary<LabelRequest> requests() {
        return Requests.any();
    }

    @Override
    public LabelRequest again(LabelRequest request) {
        return Requests.again(request);
    }

    @Override
    public boolean isAbout(Label label, Effect effect) {
        return label.trackingNumber().equals(effect.effectId());
    }

    @Override
    public ProviderBehavior provider() {
        return SimulatedCarrier.BEHAVIOR;
    }

    @Override
    public Duration longestTransit() {
        return Duration.ofSeconds(30);
    }
}
// end::properties[]

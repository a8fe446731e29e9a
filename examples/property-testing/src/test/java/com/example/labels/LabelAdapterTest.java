package com.example.labels;

import dev.idempotency.Attempt;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.app.ProviderAdapter;
import dev.idempotency.testkit.app.ProviderWire;
import dev.idempotency.testkit.junit.ProviderAdapterContract;
import java.io.IOException;

// tag::adapter[]
/** The adapter's call sends once and tells the truth; its lookup finds what the call sent. */
class LabelAdapterTest extends ProviderAdapterContract<LabelRequest, Label> {
    @Override
    protected ProviderAdapter<LabelRequest, Label> connect(UnreliableProvider provider) {
        var carrier = new SimulatedCarrier(ProviderWire.to(provider));
        return new ProviderAdapter<>() {
            @Override
            public Label call(LabelRequest request, Attempt attempt) throws IOException {
                return Labels.buy(carrier, request);
            }

            @Override
            public Finding<Label> lookup(LabelRequest request, Attempt attempt) throws IOException {
                return Labels.find(carrier, request);
            }
        };
    }

    @Override
    protected ProviderBehavior behavior() {
        return SimulatedCarrier.BEHAVIOR;
    }

    @Override
    protected LabelRequest request(int number) {
        return new LabelRequest("order-" + number, 500, Requests.number(1).contents(), Requests.number(1).askedAt());
    }

    @Override
    protected FailureClassifier failures() {
        return Labels.failures();
    }

    @Override
    protected boolean isAbout(Label label, Effect effect) {
        return label.trackingNumber().equals(effect.effectId());
    }
}
// end::adapter[]

package com.example.labels;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.testkit.jqwik.OperationKeyProperties;
import java.io.IOException;
import java.util.List;
import net.jqwik.api.Arbitrary;

// tag::keys[]
/** The key and the fingerprint say which label is meant, and nothing else. */
class LabelKeyProperties extends OperationKeyProperties<LabelRequest, Label> {
    @Override
    protected Operation<LabelRequest, Label> operation(Idempotency idempotency) {
        return Labels.operation(idempotency, new Carrier() {
            @Override
            public Bought buy(String reference, int grams) throws IOException {
                throw new IOException("nobody calls here");
            }

            @Override
            public List<Bought> byReference(String reference) {
                return List.of();
            }

            @Override
            public List<Bought> byWeight(int grams) {
                return List.of();
            }
        });
    }

    @Override
    protected Arbitrary<LabelRequest> requests() {
        return Requests.any();
    }

    @Override
    protected LabelRequest again(LabelRequest request) {
        return Requests.again(request);
    }
}
// end::keys[]

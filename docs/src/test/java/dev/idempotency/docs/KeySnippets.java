package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile.KeyFormat;
import java.util.Map;

final class KeySnippets {
    private KeySnippets() {}

    record Installment(String tenant, String invoice, int number, long amount, String traceId) {}

    interface Provider {
        String pay(Installment installment, String nativeKey) throws Exception;
    }

    static Operation<Installment, String> paying(Idempotency idempotency, Provider provider) {
        // tag::key[]
        return idempotency
                .operation("pay-installment", Installment.class, String.class)
                .tenant(Installment::tenant)
                .key(Installment::invoice, Installment::number) // scope pay-installment/acme, value 6:INV-771:3
                .fingerprint(r -> Map.of("amount", r.amount())) // the trace id may differ between retries
                .calling((request, attempt) -> provider.pay(request, attempt.nativeKey()));
        // end::key[]
    }

    static KeyFormat prefixed() {
        return KeyFormat.hex(32).withPrefix("test-");
    }
}

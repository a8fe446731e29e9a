package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.MismatchException;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.KeySnippets.Installment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class KeyTest {
    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create());
    private final Operation<Installment, String> paying =
            KeySnippets.paying(idempotency, (request, nativeKey) -> "paid " + request.amount());

    @AfterEach
    void close() {
        idempotency.close();
    }

    private static Installment installment(String traceId) {
        return new Installment("acme", "INV-77", 3, 1250, traceId);
    }

    // tag::deterministic[]
    @Test
    void key_ofTheSameRequestBuiltTwice_isTheSame() {
        Installment first = installment("trace-1");
        Installment again = installment("trace-2"); // as the next delivery of the message would build it

        assertThat(paying.keyOf(again)).isEqualTo(paying.keyOf(first));
        assertThat(paying.fingerprintOf(again)).isEqualTo(paying.fingerprintOf(first));
    }
    // end::deterministic[]

    @Test
    void key_ofTenantAndParts_isFramed() {
        assertThat(paying.keyOf(installment("t"))).isEqualTo(new IdempotencyKey("pay-installment/acme", "6:INV-771:3"));
    }

    @Test
    void fingerprint_ofAnotherAmount_isAMismatch() {
        paying.execute(installment("t"));

        assertThatThrownBy(() -> paying.execute(new Installment("acme", "INV-77", 3, 9999, "t")))
                .isInstanceOf(MismatchException.class);
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.MismatchException;
import dev.idempotency.OverrideRequest;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

final class OverridesTest {
    @Test
    void override_approvedByASecondPerson_letsTheNewPayloadRunUnderANewNativeKey() {
        var nativeKeys = new HashSet<String>();
        try (var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> {
                        nativeKeys.add(attempt.nativeKey());
                        return new Charge("ch-" + nativeKeys.size(), request.amount());
                    });
            charge.execute(new ChargeRequest("ORD-1", 12500, "EUR", "Ada"));

            // tag::override[]
            var corrected = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
            OverrideRequest wish = charge.requestOverride(corrected, "ada", "wrong amount, ch-1 is refunded");
            // ... somebody else looks at the record and at the provider, and then:
            charge.approveOverride(wish, "grace");
            Charge second = charge.execute(corrected);
            // end::override[]

            assertThat(second).isEqualTo(new Charge("ch-2", 1250));
            assertThat(nativeKeys).hasSize(2);
            assertThatThrownBy(() -> charge.execute(new ChargeRequest("ORD-1", 12500, "EUR", "Ada")))
                    .isInstanceOf(MismatchException.class);
        }
    }

    @Test
    void override_approvedByWhoAsked_isRefused() {
        try (var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> new Charge("ch-1", request.amount()));
            charge.execute(new ChargeRequest("ORD-1", 12500, "EUR", "Ada"));
            var wish = charge.requestOverride(new ChargeRequest("ORD-1", 1250, "EUR", "Ada"), "ada", "wrong amount");

            assertThatThrownBy(() -> charge.approveOverride(wish, "Ada")).isInstanceOf(IllegalArgumentException.class);
        }
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.DeclinedException;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ThroughputTest {
    @Test
    void all_oneIsDeclined_theOthersAreMade() {
        try (var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> {
                        if (request.orderId().equals("o-2")) {
                            throw new DeclinedException("no funds");
                        }
                        return new Charge("ch-" + request.orderId(), request.amount());
                    });
            var requests = List.of(request("o-1"), request("o-2"), request("o-3"));

            var failed = ThroughputSnippets.all(charge, requests);

            assertThat(failed).containsOnlyKeys(requests.get(1));
            assertThat(failed.get(requests.get(1))).isInstanceOf(DeclinedException.class);
        }
    }

    @Test
    void near_secondRequest_isAnswered() {
        var calls = new AtomicInteger();
        try (var idempotency = ThroughputSnippets.near(CaffeineIdempotencyStore.create())) {
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> new Charge("ch-" + calls.incrementAndGet(), request.amount()));

            assertThat(charge.execute(request("o-1"))).isEqualTo(charge.execute(request("o-1")));
            assertThat(calls).hasValue(1);
        }
    }

    private static ChargeRequest request(String order) {
        return new ChargeRequest(order, 100, "EUR", "c-1");
    }
}

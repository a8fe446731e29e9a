package com.example.labels;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Requests for tests. */
final class Requests {
    private Requests() {}

    static LabelRequest number(int order) {
        return new LabelRequest(
                "order-" + order,
                500 + order % 2,
                new LinkedHashSet<>(Set.of("book", "lamp")),
                Instant.parse("2026-01-01T00:00:00Z"));
    }

    /** Few weights, so that parcels weigh the same. */
    static Arbitrary<LabelRequest> any() {
        return Arbitraries.integers().between(1, 9).map(Requests::number);
    }

    // tag::again[]
    /** As a caller builds it who retries: at another time, and with the set in another order. */
    static LabelRequest again(LabelRequest request) {
        var contents = new ArrayList<>(request.contents());
        Collections.reverse(contents);
        return new LabelRequest(
                request.orderId(),
                request.grams(),
                new LinkedHashSet<>(contents),
                request.askedAt().plusSeconds(20));
    }
    // end::again[]
}

package dev.idempotency.benchmarks;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** The request of every operation: small, as a charge is. */
record Order(String orderId, long amount, String currency, String customer) {
    static Order of(String orderId) {
        return new Order(orderId, 1250, "EUR", "customer-4711");
    }

    /** With a key that nobody has used; drawn without the system's random source, which would be measured then. */
    static Order fresh() {
        var random = ThreadLocalRandom.current();
        return of(new UUID(random.nextLong(), random.nextLong()).toString());
    }
}

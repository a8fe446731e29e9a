package dev.idempotency.benchmarks;

import dev.idempotency.Idempotency;
import dev.idempotency.NearCache;
import dev.idempotency.Operation;
import dev.idempotency.benchmarks.Subject.Closing;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Work;
import dev.idempotency.store.IdempotencyStore;
import java.time.Duration;

/** This library, as its users have it: through {@link Operation#execute}, with the defaults. */
final class Library {
    static final String NAME = "this library";

    static final String NEAR = NAME + ", with a near cache";

    private Library() {}

    static Subject on(IdempotencyStore store, Downstream downstream, Closing alsoClosed) {
        return on(NAME, Idempotency.on(store), downstream, alsoClosed);
    }

    /** Outcomes are kept in this process too. Of replays only: nothing else asks for what is kept. */
    static Subject near(IdempotencyStore store, Downstream downstream, Closing alsoClosed) {
        var near = NearCache.create(64 << 20, Duration.ofMinutes(10));
        var idempotency = Idempotency.builder(store).nearCache(near).build();
        return on(NEAR, idempotency, downstream, alsoClosed);
    }

    static Subject on(String name, Idempotency idempotency, Downstream downstream, Closing alsoClosed) {
        Operation<Order, String> operation = operation(idempotency, downstream);
        Work work = operation::execute;
        return new Subject(name, Kind.LIBRARY, work, work, () -> {
            idempotency.close();
            alsoClosed.close();
        });
    }

    static Operation<Order, String> operation(Idempotency idempotency, Downstream downstream) {
        return idempotency
                .operation("order", Order.class, String.class)
                .key(Order::orderId)
                .calling((order, attempt) -> downstream.call());
    }
}

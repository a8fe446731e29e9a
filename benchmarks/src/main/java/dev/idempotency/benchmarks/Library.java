package dev.idempotency.benchmarks;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.benchmarks.Subject.Closing;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Work;
import dev.idempotency.store.IdempotencyStore;

/** This library, as its users have it: through {@link Operation#execute}, with the defaults. */
final class Library {
    static final String NAME = "this library";

    private Library() {}

    static Subject on(IdempotencyStore store, Downstream downstream, Closing alsoClosed) {
        return on(NAME, Idempotency.on(store), downstream, alsoClosed);
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

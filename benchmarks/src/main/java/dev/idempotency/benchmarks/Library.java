package dev.idempotency.benchmarks;

import dev.idempotency.Idempotency;
import dev.idempotency.NearCache;
import dev.idempotency.Operation;
import dev.idempotency.benchmarks.Subject.Closing;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Work;
import dev.idempotency.store.IdempotencyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** This library, as its users have it: through {@link Operation#execute}, with the defaults. */
final class Library {
    static final String NAME = "this library";

    static final String NEAR = NAME + ", with a near cache";

    private static final int AT_ONCE = 100;
    static final String MANY = NAME + ", executeAll of " + AT_ONCE;

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

    /** Each thread executes many orders at once, and waits for all of them. */
    static Subject many(IdempotencyStore store, Downstream downstream, Closing alsoClosed) {
        Idempotency idempotency = Idempotency.on(store);
        Operation<Order, String> operation = operation(idempotency, downstream);
        Work work = order -> {
            List<Order> orders = Stream.concat(
                            Stream.of(order), Stream.generate(Order::fresh).limit(AT_ONCE - 1))
                    .toList();
            String result = null;
            for (CompletableFuture<String> outcome : operation.executeAll(orders, AT_ONCE)) {
                result = outcome.join();
            }
            return result;
        };
        Closing close = () -> {
            idempotency.close();
            alsoClosed.close();
        };
        return new Subject(MANY, Kind.LIBRARY, work, operation::execute, close, () -> {}, AT_ONCE);
    }

    static Operation<Order, String> operation(Idempotency idempotency, Downstream downstream) {
        return idempotency
                .operation("order", Order.class, String.class)
                .key(Order::orderId)
                .calling((order, attempt) -> downstream.call());
    }
}

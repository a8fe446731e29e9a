package dev.idempotency.docs;

import dev.idempotency.Admin;
import dev.idempotency.Codec;
import dev.idempotency.DeclinedException;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.metrics.IdempotencyMetrics;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Everything that can end an execution, a lookup or a seal, in one run that is measured; and what Slack's side can do. */
final class MeasuredRun {
    private record Order(String id, long amount) {}

    private static final Operation.Call<Order, String> OK = (order, attempt) -> "ok";
    private static final Operation.Call<Order, String> RESET = (order, attempt) -> {
        throw new IOException("reset");
    };

    private final AuditedStore store = CaffeineIdempotencyStore.create();
    private final MeterRegistry registry;
    private int orders;

    private MeasuredRun(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Measures in a registry. */
    static void in(MeterRegistry registry) {
        new MeasuredRun(registry).run();
        MeasuredSlack.in(registry);
    }

    private void run() {
        try (var metrics = IdempotencyMetrics.of(store)) {
            var firstReading = new CountDownLatch(1);
            registry.config().onMeterAdded(added -> {
                if (isReading(added)) {
                    firstReading.countDown();
                }
            });
            metrics.bindTo(registry);
            try (var idempotency = Idempotency.builder(store).listener(metrics).build()) {
                executions(idempotency);
                questions(idempotency);
                withoutCallers(idempotency);
                people(idempotency, metrics);
            }
            failures(metrics);
            if (!firstReading.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("the store was not read");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        var failing = new FaultInjectingStore(store, StoreFaultPlan.at(1, StoreFault.NOT_WRITTEN));
        try (var metrics = IdempotencyMetrics.of(failing)) {
            var failedReading = new CountDownLatch(1);
            registry.config().onMeterAdded(added -> {
                if (isReading(added) && "failed".equals(added.getId().getTag("outcome"))) {
                    failedReading.countDown();
                }
            });
            metrics.bindTo(registry);
            if (!failedReading.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("the store did not fail");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isReading(Meter meter) {
        return "list_unresolved".equals(meter.getId().getTag("step"));
    }

    private Operation.Builder<Order, String> charge(Idempotency idempotency) {
        return idempotency
                .operation("charge", Order.class, String.class)
                .key(Order::id)
                .waitAtMost(Duration.ZERO);
    }

    private Order order() {
        return new Order("o-" + ++orders, 1);
    }

    private static void execute(Operation<Order, String> operation, Order order) {
        try {
            operation.execute(order);
        } catch (IdempotencyException | IllegalStateException e) {
            // Every ending is wanted here.
        }
    }

    private void executions(Idempotency idempotency) {
        Order first = order();
        execute(charge(idempotency).calling(OK), first);
        execute(charge(idempotency).calling(OK), first);
        execute(charge(idempotency).calling(OK), new Order(first.id(), 2));
        execute(charge(idempotency).codec(other()).calling(OK), first);
        execute(
                charge(idempotency).calling((order, attempt) -> {
                    throw new DeclinedException("no funds");
                }),
                order());
        execute(
                charge(idempotency).calling((order, attempt) -> {
                    throw new NotExecutedException("the circuit is open", null);
                }),
                order());
        execute(charge(idempotency).calling(RESET), order());
        execute(
                charge(idempotency).calling((order, attempt) -> {
                    execute(charge(idempotency).calling(OK), order);
                    return "ok";
                }),
                order());
    }

    private static Codec<String> other() {
        return new Codec<>() {
            @Override
            public String id() {
                return "other";
            }

            @Override
            public byte[] encode(String value) {
                return value.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] bytes) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
        };
    }

    private void questions(Idempotency idempotency) {
        for (Finding<String> finding :
                List.<Finding<String>>of(Finding.missing(), Finding.unknown("busy"), Finding.found("ok"))) {
            execute(
                    charge(idempotency)
                            .recovery(Recovery.lookup((order, attempt) -> finding))
                            .calling(RESET),
                    order());
            execute(
                    charge(idempotency)
                            .recovery(Recovery.sealThenClose((order, attempt) -> finding))
                            .calling(RESET),
                    order());
        }
        execute(
                charge(idempotency)
                        .recovery(Recovery.lookup((order, attempt) -> {
                            throw new IOException("down");
                        }))
                        .calling(RESET),
                order());
    }

    private void withoutCallers(Idempotency idempotency) {
        for (Finding<String> finding : List.<Finding<String>>of(Finding.found("ok"), Finding.unknown("busy"))) {
            Order order = order();
            execute(charge(idempotency).keepRequests().recovery(unknown()).calling(RESET), order);
            var operation = charge(idempotency)
                    .keepRequests()
                    .recovery(Recovery.lookup((same, attempt) -> finding))
                    .calling(RESET);
            try (var reconciler =
                    Reconciler.on(idempotency).operations(operation).build()) {
                reconciler.sweep();
            }
        }
    }

    private static Recovery<Order, String> unknown() {
        return Recovery.lookup((order, attempt) -> Finding.unknown("busy"));
    }

    private void people(Idempotency idempotency, IdempotencyMetrics metrics) {
        Order order = order();
        execute(charge(idempotency).calling(RESET), order);
        var key = charge(idempotency).calling(OK).keyOf(order);
        var admin = Admin.builder(store).listener(metrics.ofPeople()).build();
        admin.resolveExecuted(
                key, store.find(key).record().version(), null, new Admin.Ruling("ada", "it is there", "ticket 1"));
    }

    private void failures(IdempotencyMetrics metrics) {
        var failing = new FaultInjectingStore(store, StoreFaultPlan.seeded(1, 1.0, StoreFault.NOT_WRITTEN));
        try (var idempotency = Idempotency.builder(failing).listener(metrics).build()) {
            execute(charge(idempotency).calling(OK), order());
        }
        try (var idempotency = Idempotency.builder(store)
                .listener(metrics)
                .tokens(() -> {
                    throw new IllegalStateException("no random numbers");
                })
                .build()) {
            execute(charge(idempotency).calling(OK), order());
        }
    }
}

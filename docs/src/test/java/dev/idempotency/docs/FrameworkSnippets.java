package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.metrics.IdempotencyMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.Consumer;
import javax.sql.DataSource;

/** The library in a process without a framework, as the guide sets it up and takes it down. */
final class FrameworkSnippets {
    private FrameworkSnippets() {}

    static void run(
            DataSource records,
            MeterRegistry registry,
            ChargeClient client,
            Consumer<Operation<ChargeRequest, Charge>> application) {
        // tag::plain[]
        var store = JdbcIdempotencyStore.create(records); // a pool for the store alone
        try (var metrics = IdempotencyMetrics.of(store);
                var idempotency = Idempotency.builder(store).listener(metrics).build()) {
            metrics.bindTo(registry);
            Operation<ChargeRequest, Charge> charge = idempotency
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .recovery(Recovery.hold())
                    .keepRequests()
                    .calling((request, attempt) -> client.charge(request, attempt.nativeKey()));
            try (var reconciler = Reconciler.on(idempotency).operations(charge).build()) {
                reconciler.start();
                application.accept(charge); // returns when the process is to end
            }
        }
        // end::plain[]
    }
}

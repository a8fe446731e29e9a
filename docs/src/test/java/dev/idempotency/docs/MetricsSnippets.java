package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.metrics.IdempotencyMetrics;
import dev.idempotency.metrics.InboxMetrics;
import dev.idempotency.metrics.ObservationTracing;
import dev.idempotency.store.IdempotencyStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;

final class MetricsSnippets {
    private MetricsSnippets() {}

    static Idempotency measured(IdempotencyStore store, MeterRegistry registry, ObservationRegistry observations) {
        // tag::bind[]
        var metrics = IdempotencyMetrics.of(store);
        metrics.bindTo(registry);

        var idempotency = Idempotency.builder(store)
                .listener(metrics)
                .tracing(ObservationTracing.on(observations))
                .build();
        // end::bind[]
        metrics.close();
        return idempotency;
    }

    static Inbox measured(CaffeineIdempotencyStore store, MeterRegistry registry) {
        // tag::inbox[]
        var metrics = InboxMetrics.of(store.inbox(), "orders");
        metrics.bindTo(registry);

        Inbox inbox = Inbox.builder(store.inbox(), "orders").listener(metrics).build();
        // end::inbox[]
        metrics.close();
        return inbox;
    }
}

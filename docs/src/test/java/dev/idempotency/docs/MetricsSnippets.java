package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.metrics.IdempotencyMetrics;
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
}

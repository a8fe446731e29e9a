package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.process.PostgresServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

/** The code of the guide on frameworks, on a real PostgreSQL. */
final class FrameworksTest {
    @Test
    void charge_withoutAFramework_isMadeOnceAndCounted() throws Exception {
        var provider = new SimulatedProvider(ProviderBehavior.none(), EffectLedger.inMemory(), InstantSource.system());
        var reliable = new UnreliableProvider(provider, FaultPlan.none(), Duration.ZERO, Duration.ZERO);
        var registry = new SimpleMeterRegistry();
        var request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

        try (var server = PostgresServer.start();
                var simulator = HttpProviderSimulator.start(reliable)) {
            JdbcIdempotencyStore.builder(server.dataSource()).createSchema();
            FrameworkSnippets.run(server.dataSource(), registry, new ChargeClient(simulator.charges()), charge -> {
                charge.execute(request);
                charge.execute(request);
            });
        }

        assertThat(provider.ledger().count()).isEqualTo(1);
        assertThat(registry.get("idempotency.replays").counter().count()).isEqualTo(1);
    }
}

package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.testkit.chaos.Chaos;
import dev.idempotency.testkit.chaos.ChaosPrograms;
import dev.idempotency.testkit.chaos.CheckedDataSource;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

final class JdbcChaosTest {
    @Test
    void programs_onPostgres_showNothing_andEachConnectionComesBack() throws Exception {
        var connections = new CheckedDataSource(Database.pool());
        var store = JdbcIdempotencyStore.builder(connections)
                .schema(Database.schema())
                .createSchema()
                .build();

        ChaosPrograms.requireSound(() -> store);

        Bookings.awaitTrue("all connections to come back", () -> connections.borrowed() == connections.returned());
        assertThat(connections.borrowed()).isPositive();
        assertThat(connections.changed())
                .as("connections that came back changed")
                .isEmpty();
    }

    @Test
    void driver_throwsAtAnyCall_everythingEnds_andEachConnectionComesBack() throws Exception {
        long seed = System.nanoTime();
        var connections = new CheckedDataSource(Database.pool());
        try (Chaos chaos = Chaos.seeded(seed, 0.03)) {
            var store = JdbcIdempotencyStore.builder(chaos.around("database", DataSource.class, connections))
                    .schema(Database.schema())
                    .createSchema()
                    .build();
            var charge = Idempotency.on(store)
                    .operation("charge", String.class, String.class)
                    .key(order -> order)
                    .lease(Duration.ofMillis(200))
                    .callTimeout(Duration.ofMillis(200))
                    .waitAtMost(Duration.ofMillis(200))
                    .calling((order, attempt) -> order);
            chaos.begin();
            for (int i = 0; i < 40; i++) {
                ended(charge.executeAsync(UUID.randomUUID().toString()));
            }
            chaos.calm();

            String order = UUID.randomUUID().toString();
            assertThat(charge.executeAsync(order).get(60, TimeUnit.SECONDS))
                    .as("seed " + seed)
                    .isEqualTo(order);
            Bookings.awaitTrue(
                    "all connections to come back, seed " + seed,
                    () -> connections.borrowed() == connections.returned());
            assertThat(chaos.thrown()).isNotEmpty();
        }
    }

    private static void ended(CompletableFuture<String> future) throws Exception {
        try {
            future.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            // What it is told does not matter here.
        }
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.redis.RedisProbe;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.SocketOptions;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class RedisTest {
    @Test
    void store_asTheGuideMakesIt_works() {
        try (var server = RedisServer.start()) {
            var uri = server.uri();
            // tag::store[]
            RedisClient client = RedisClient.create(uri); // redis://, rediss:// or redis-sentinel://
            client.setOptions(ClientOptions.builder()
                    .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                    .socketOptions(SocketOptions.builder()
                            .connectTimeout(Duration.ofSeconds(2))
                            .build())
                    .build());
            RedisIdempotencyStore store = RedisIdempotencyStore.builder(client)
                    .prefix("billing")
                    .timeout(Duration.ofSeconds(2))
                    .build();
            for (RedisProbe probe : store.probes()) {
                System.out.println(probe);
            }
            Idempotency idempotency = Idempotency.on(store);
            // end::store[]
            Operation<ChargeRequest, String> charge = idempotency
                    .operation("charge-card", ChargeRequest.class, String.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> "ch_1");

            assertThat(charge.execute(new ChargeRequest("ORD-1", 1250, "EUR", "Ada")))
                    .isEqualTo("ch_1");
            assertThat(charge.explain().toString()).contains("LOSSY");
            assertThat(server.ask("KEYS", "*")).matches("\\{billing:\\d+\\.\\d+}:11:charge-cardORD-1");
            idempotency.close();
            store.close();
            client.shutdown();
        }
    }

    /** The access rules of the guide, word for word: with them everything works. */
    @Test
    void access_asTheGuideGrantsIt_isEnough() {
        var rules = Markdown.of("docs/redis.md").blocks().stream()
                .map(block -> String.join(" ", block.text()))
                .filter(text -> text.startsWith("ACL SETUSER"))
                .findFirst()
                .orElseThrow();
        try (var server = RedisServer.start();
                var other = RedisClient.create(server.uri())) {
            assertThat(server.ask(rules.strip().split("\\s+"))).isEqualTo("OK");
            try (var client = RedisClient.create(server.uri().replace("redis://", "redis://idempotency:password@"));
                    var store = RedisIdempotencyStore.builder(client)
                            .prefix("billing")
                            .build();
                    var process = RedisIdempotencyStore.builder(other)
                            .prefix("billing")
                            .build();
                    var idempotency = Idempotency.on(store)) {
                assertThat(store.probes()).isEqualTo(process.probes());
                Operation<ChargeRequest, String> charge = idempotency
                        .operation("charge-card", ChargeRequest.class, String.class)
                        .key(ChargeRequest::orderId)
                        .tombstone(Duration.ofDays(1))
                        .calling((request, attempt) -> {
                            assertThat(store.listUnresolved(null, 10)).hasSize(1);
                            return "ch_1";
                        });
                var request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
                try (var watch = store.watch(charge.keyOf(request), () -> {})) {
                    assertThat(charge.execute(request)).isEqualTo("ch_1");
                }
                assertThat(charge.execute(request)).isEqualTo("ch_1");
                assertThat(store.purge(10)).isZero();
                assertThat(store.listUnresolved(null, 10)).isEmpty();
                assertThat(server.ask("ACL", "LOG")).isEmpty();
            }
        }
    }
}

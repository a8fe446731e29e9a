package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.redis.RedisProbe;
import dev.idempotency.testkit.process.RedisCluster;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class RedisTest {
    private static final Markdown GUIDE = Markdown.of("docs/redis.md");

    @Test
    void store_asTheGuideMakesIt_works() {
        try (var server = RedisServer.start()) {
            var uri = server.uri();
            // tag::store[]
            RedisClient client = RedisClient.create(uri); // redis:// or rediss://
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

    @Test
    void store_behindSentinels_worksAsTheGuideMakesIt() {
        try (var server = RedisServer.start();
                var sentinel = RedisServer.sentinelOf(server, "billing")) {
            var sentinels = "redis-sentinel://127.0.0.1:" + sentinel.port() + "#billing";
            // tag::sentinels[]
            RedisURI uri = RedisURI.create(sentinels); // redis-sentinel://host-1,host-2,host-3#billing
            RedisClient client = RedisClient.create();
            RedisIdempotencyStore store =
                    RedisIdempotencyStore.builder(client, uri).prefix("billing").build();
            // end::sentinels[]
            assertThat(store.probes())
                    .singleElement()
                    .satisfies(probe -> assertThat(probe.role()).isEqualTo("master"));
            store.close();
            client.shutdown();
        }
    }

    @Test
    void settings_ofTheTable_areSettingsOfTheServer() {
        try (var server = RedisServer.start()) {
            for (List<String> row : GUIDE.table("Setting", "Value", "Why")) {
                assertThat(server.ask("CONFIG", "GET", row.get(0)))
                        .as(row.get(0))
                        .isNotEmpty();
                String value = row.get(1).replaceFirst("`?(\\w+).*", "$1");
                assertThat(server.ask("CONFIG", "SET", row.get(0), value))
                        .as(row.get(0))
                        .isEqualTo("OK");
            }
        }
    }

    /** One record of each kind: each key in Redis has one row in the table, and each row a key. */
    @Test
    void keys_ofTheTable_areThoseInRedis() {
        List<List<String>> table = GUIDE.table("Key", "Type", "What it is");
        try (var server = RedisServer.start();
                var client = RedisClient.create(server.uri());
                var store =
                        RedisIdempotencyStore.builder(client).prefix("billing").build();
                var idempotency = Idempotency.on(store)) {
            var charge = idempotency
                    .operation("charge-card", ChargeRequest.class, String.class)
                    .key(ChargeRequest::orderId)
                    .tombstone(Duration.ofDays(1))
                    .calling((request, attempt) -> {
                        if (request.orderId().equals("ORD-2")) {
                            throw new IllegalStateException("no answer");
                        }
                        return "ch_1";
                    });
            charge.execute(new ChargeRequest("ORD-1", 1250, "EUR", "Ada"));
            assertThatThrownBy(() -> charge.execute(new ChargeRequest("ORD-2", 1250, "EUR", "Ada")))
                    .isInstanceOf(InDoubtException.class);
            var admin = Admin.on(store);
            var corrected = new ChargeRequest("ORD-1", 125, "EUR", "Ada");
            admin.requestOverride(
                    charge.keyOf(corrected),
                    admin.review(charge.keyOf(corrected)).record().version(),
                    charge.fingerprintOf(corrected),
                    new Admin.Ruling("ada", "wrong amount", "none"));

            var inbox = store.inbox();
            for (String event : List.of("ev-1", "ev-2", "ev-3")) {
                inbox.offer(message(event), Duration.ofDays(1));
            }
            inbox.bury(inbox.claim("events", 1, Duration.ofHours(1)).get(0), "no handler");
            inbox.claim("events", 1, Duration.ofHours(1));
            store.versionGuard()
                    .advance(
                            new IdempotencyKey("charge-card", "ORD-1"),
                            new EntityVersion(1, "", false),
                            Duration.ofDays(1));

            var rows =
                    server.ask("KEYS", "*").lines().map(key -> row(table, key)).collect(Collectors.toSet());

            assertThat(rows).containsExactlyInAnyOrderElementsOf(table);
            for (String key : server.ask("KEYS", "*").lines().toList()) {
                assertThat(row(table, key).get(1).replace("sorted set", "zset"))
                        .as(key)
                        .isEqualTo(server.ask("TYPE", key));
            }
        }
    }

    private static InboxMessage message(String event) {
        return new InboxMessage(new IdempotencyKey("events", event), new byte[] {1}, Map.of());
    }

    private static List<String> row(List<List<String>> table, String key) {
        return table.stream()
                .filter(row -> key.matches(row.get(0)
                        .replace("{prefix:n.i}", "\\{billing:\\d+\\.\\d+}")
                        .replace("length:scopevalue", "11:charge-cardORD-\\d")
                        .replace("length:queuekey", "6:eventsev-\\d")
                        .replace(":queue", ":events")))
                .findFirst()
                .orElseThrow(() -> new AssertionError("the guide has no row for " + key));
    }

    @Test
    void refusals_thatTheTableNames_areThoseOfTheCode() {
        var code = String.join(
                "\n",
                Markdown.read(Markdown.ROOT.resolve(
                        "idempotency-redis/src/main/java/dev/idempotency/redis/CountedCommand.java")));
        var told = GUIDE.table("Failure", "Written?", "What the library does").stream()
                .flatMap(
                        row -> Pattern.compile("`([A-Z]+)`").matcher(row.get(0)).results())
                .map(match -> match.group(1))
                .toList();

        assertThat(told)
                .contains("OOM", "MOVED")
                .allSatisfy(name -> assertThat(code).contains("\"" + name + "\""));
    }

    /** The access rules of the guide, word for word: with them everything works. */
    @Test
    void access_asTheGuideGrantsIt_isEnough() {
        var rules = GUIDE.blocks().stream()
                .map(block -> String.join(" ", block.text()))
                .filter(text -> text.startsWith("ACL SETUSER"))
                .findFirst()
                .orElseThrow();
        try (var server = RedisServer.start();
                var other = RedisClient.create(server.uri() + "/3")) {
            assertThat(server.ask(rules.strip().split("\\s+"))).isEqualTo("OK");
            // On a database of its own: a client then has to select it.
            try (var client = RedisClient.create(
                            server.uri().replace("redis://", "redis://idempotency:password@") + "/3");
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
                var admin = Admin.on(store);
                var key = charge.keyOf(request);
                var ruling = new Admin.Ruling("ada", "wrong amount", "none");
                long version = admin.review(key).record().version();
                var wish = admin.requestOverride(
                        key, version, charge.fingerprintOf(new ChargeRequest("ORD-1", 1, "EUR", "Ada")), ruling);
                assertThat(admin.audit(key, null, 10)).containsExactly(wish);
                assertThat(admin.audit(null, null, 10)).containsExactly(wish);
                assertThat(server.ask("ACL", "LOG")).isEmpty();
            }
        }
    }

    /** In a Cluster, while a slot moves: its keys are asked for where they already are. */
    @Test
    void access_asTheGuideGrantsIt_isEnoughWhileASlotMoves() {
        var rules = GUIDE.blocks().stream()
                .map(block -> String.join(" ", block.text()))
                .filter(text -> text.startsWith("ACL SETUSER"))
                .findFirst()
                .orElseThrow();
        try (var cluster = RedisCluster.start()) {
            for (var master : cluster.masters()) {
                assertThat(master.ask(rules.strip().split("\\s+"))).isEqualTo("OK");
            }
            var first = cluster.masters().get(0);
            try (var client = RedisClusterClient.create(
                            first.uri().replace("redis://", "redis://idempotency:password@"));
                    var store = RedisIdempotencyStore.builder(client)
                            .prefix("billing")
                            .build();
                    var idempotency = Idempotency.on(store)) {
                Operation<String, String> charge = idempotency
                        .operation("charge-card", String.class, String.class)
                        .key(order -> order)
                        .calling((order, attempt) -> "ch_" + order);
                charge.execute("ORD-1");
                var from = cluster.masters().stream()
                        .filter(master -> !master.ask("KEYS", "*").isEmpty())
                        .findFirst()
                        .orElseThrow();
                var key = from.ask("KEYS", "*");
                var to = cluster.masters().stream()
                        .filter(master -> master != from)
                        .findFirst()
                        .orElseThrow();
                var slot = from.ask("CLUSTER", "KEYSLOT", key);
                assertThat(to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", from.ask("CLUSTER", "MYID")))
                        .isEqualTo("OK");
                assertThat(from.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", to.ask("CLUSTER", "MYID")))
                        .isEqualTo("OK");
                assertThat(from.ask("MIGRATE", "127.0.0.1", Integer.toString(to.port()), key, "0", "5000"))
                        .isEqualTo("OK");

                assertThat(charge.execute("ORD-1")).isEqualTo("ch_ORD-1");
            }
        }
    }
}

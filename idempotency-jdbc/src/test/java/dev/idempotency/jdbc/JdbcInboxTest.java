package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxStore.Offered;
import dev.idempotency.testkit.process.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

final class JdbcInboxTest {
    private static final String QUEUE = "events";
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final String schema = Database.schema();
    private final InboxStore inbox = open(schema);

    private static InboxStore open(String schema) {
        return JdbcIdempotencyStore.builder(Database.pool())
                .schema(schema)
                .createSchema()
                .build()
                .inbox();
    }

    private static InboxMessage message(int number) {
        return new InboxMessage(
                new IdempotencyKey(QUEUE, "message-" + number),
                ("payload " + number).getBytes(StandardCharsets.UTF_8),
                Map.of("number", Integer.toString(number)));
    }

    private static String value(InboxClaim claim) {
        return claim.message().key().value();
    }

    @Test
    void claim_byEightThreadsWhileOthersOffer_eachMessageOnce() throws Exception {
        int messages = 400;
        Queue<InboxClaim> claims = new ConcurrentLinkedQueue<>();
        var accepted = new AtomicInteger();
        var ended = new AtomicInteger();
        long deadline = System.nanoTime() + MINUTE.toNanos();
        var threads = Executors.newFixedThreadPool(10);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                running.add(threads.submit(() -> {
                    // Both offer everything: half of it is a duplicate.
                    for (int number = 0; number < messages; number++) {
                        if (inbox.offer(message(number), LONG) == Offered.ACCEPTED) {
                            accepted.incrementAndGet();
                        }
                    }
                }));
            }
            for (int i = 0; i < 8; i++) {
                running.add(threads.submit(() -> {
                    while (ended.get() < messages && System.nanoTime() < deadline) {
                        for (InboxClaim claim : inbox.claim(QUEUE, 7, LONG)) {
                            claims.add(claim);
                            assertThat(inbox.done(claim)).isTrue();
                            ended.incrementAndGet();
                        }
                    }
                }));
            }
            for (Future<?> each : running) {
                each.get(2, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }

        assertThat(accepted).hasValue(messages);
        assertThat(claims).hasSize(messages).allMatch(claim -> claim.attempt() == 1);
        assertThat(claims.stream().map(JdbcInboxTest::value).distinct()).hasSize(messages);
        assertThat(inbox.depth(QUEUE).ready()).isZero();
    }

    /** Asked once: a lease may end between two questions. */
    private boolean holdsAny() {
        var depth = inbox.depth(QUEUE);
        return depth.ready() + depth.claimed() > 0;
    }

    /** Claims and ends for ever; says what it is about to do and what it has done. */
    static final class Claimer {
        private Claimer() {}

        public static void main(String[] args) {
            var dataSource = new PGSimpleDataSource();
            dataSource.setUrl(args[0]);
            var inbox = JdbcIdempotencyStore.builder(dataSource)
                    .schema(args[1])
                    .build()
                    .inbox();
            while (true) {
                for (InboxClaim claim : inbox.claim(QUEUE, 5, Duration.ofSeconds(1))) {
                    System.out.println("ending " + value(claim) + ".");
                    if (inbox.done(claim)) {
                        System.out.println("ended " + value(claim) + ".");
                    }
                }
            }
        }
    }

    @Test
    void claimer_killed_itsMessagesComeBackAndNoOthers() throws Exception {
        int messages = 300;
        for (int number = 0; number < messages; number++) {
            inbox.offer(message(number), LONG);
        }
        var ended = new HashSet<String>();
        var ending = new HashSet<String>();
        try (var child = ChildJvm.start(Claimer.class, Database.server().jdbcUrl(), schema)) {
            child.await(line -> line.startsWith("ended") && child.output().size() > 40, MINUTE);
            child.kill();
            for (String line : child.output()) {
                // The kill may have cut the last line.
                if (line.endsWith(".")) {
                    String value = line.substring(line.indexOf(' ') + 1, line.length() - 1);
                    (line.startsWith("ended ") ? ended : ending).add(value);
                }
            }
        }

        var left = new ArrayList<InboxClaim>();
        long deadline = System.nanoTime() + MINUTE.toNanos();
        while (holdsAny() && System.nanoTime() < deadline) {
            for (InboxClaim claim : inbox.claim(QUEUE, 50, LONG)) {
                left.add(claim);
                assertThat(inbox.done(claim)).isTrue();
            }
        }

        var values = left.stream().map(JdbcInboxTest::value).toList();
        assertThat(values).doesNotHaveDuplicates().doesNotContainAnyElementsOf(ended);
        var all = new HashSet<>(values);
        all.addAll(ending);
        assertThat(all).as("claimed by the child, or left").hasSize(messages);
        // The five of its last claim at most, each with one attempt more.
        assertThat(left.stream().filter(claim -> claim.attempt() == 2)).hasSizeLessThanOrEqualTo(5);
        assertThat(left).allMatch(claim -> claim.attempt() <= 2);
    }

    @Test
    void done_message_losesItsPayloadAndKeepsItsKey() {
        inbox.offer(message(1), LONG);

        assertThat(inbox.done(inbox.claim(QUEUE, 1, LONG).get(0))).isTrue();

        var rows = Jdbi.create(Database.pool())
                .withHandle(
                        handle -> handle.createQuery("SELECT key, payload IS NULL AND attributes IS NULL AS empty FROM "
                                        + schema + ".idempotency_record_inbox")
                                .mapToMap()
                                .list());
        assertThat(rows).containsExactly(Map.of("key", "message-1", "empty", true));
    }

    @Test
    void claim_amongManyThatAreDoneOrDelayed_goesByTheIndex() {
        var plan = Jdbi.create(Database.pool()).withHandle(handle -> {
            String table = schema + ".idempotency_record_inbox";
            handle.execute("INSERT INTO " + table
                    + " (queue, key, stage, attempts, received_at, expires_at, due_at) SELECT '"
                    + QUEUE + "', 'k' || n, CASE WHEN n % 2 = 0 THEN 'DONE' ELSE 'WAITING' END, 0, now(), now(),"
                    + " now() + interval '1 hour' FROM generate_series(1, 20000) n");
            handle.execute("ANALYZE " + table);
            return String.join(
                    "\n",
                    handle.createQuery("EXPLAIN " + ((JdbcInbox) inbox).claim)
                            .bind(0, QUEUE)
                            .bind(1, 10)
                            .bind(2, "a,b")
                            .bind(3, 1000L)
                            .mapTo(String.class)
                            .list());
        });

        assertThat(plan)
                .contains("idempotency_record_inbox_due")
                .doesNotContain("Seq Scan on idempotency_record_inbox");
    }
}

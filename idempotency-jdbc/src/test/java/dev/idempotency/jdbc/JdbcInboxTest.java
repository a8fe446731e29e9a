package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.inbox.ClaimersCases;
import dev.idempotency.testkit.process.ChildJvm;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.postgresql.ds.PGSimpleDataSource;

@Execution(ExecutionMode.CONCURRENT)
final class JdbcInboxTest extends ClaimersCases {
    private final String schema = Database.schema();
    private final InboxStore inbox = open(schema);

    private static InboxStore open(String schema) {
        return JdbcIdempotencyStore.builder(Database.pool())
                .schema(schema)
                .createSchema()
                .build()
                .inbox();
    }

    /** A process that claims. */
    static final class Claimer {
        private Claimer() {}

        public static void main(String[] args) {
            var dataSource = new PGSimpleDataSource();
            dataSource.setUrl(args[0]);
            claimForEver(JdbcIdempotencyStore.builder(dataSource)
                    .schema(args[1])
                    .build()
                    .inbox());
        }
    }

    @Override
    protected InboxStore inbox() {
        return inbox;
    }

    @Override
    protected ChildJvm startClaimer() throws Exception {
        return ChildJvm.start(Claimer.class, Database.server().jdbcUrl(), schema);
    }

    @Test
    void done_message_losesItsPayloadAndKeepsItsKey() {
        inbox.offer(message("message-1"), LONG);

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

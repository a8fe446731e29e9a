package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** Two nodes purge many expired records while others reserve. More rows with {@code -Dpurge.rows=...}. */
final class PurgeUnderTrafficTest {
    private static final int EXPIRED = Integer.getInteger("purge.rows", 50_000);
    private static final int KEPT = 500;
    private static final int UNRESOLVED = 500;
    private static final int BATCH = 10_000;
    private static final int CALLERS = 4;
    private static final int WARM = 200;

    private final JdbcIdempotencyStore store = Database.store();
    private final Jdbi jdbi = Jdbi.create(Database.pool());

    @Test
    void purge_onTwoNodesUnderTraffic_removesWhatIsDueAndNothingElse() throws Exception {
        fill("expired", EXPIRED, "COMPLETED", "-1 hour");
        fill("kept", KEPT, "COMPLETED", "1 hour");
        fill("unresolved", UNRESOLVED, "IN_DOUBT", "-1 hour");
        Operation<String, String> charge = Idempotency.on(store)
                .operation("charge", String.class, String.class)
                .key(order -> order)
                .calling((order, attempt) -> "paid " + order);
        var ended = new AtomicBoolean();
        var orders = new AtomicInteger();
        List<Long> reserves = Collections.synchronizedList(new ArrayList<>());
        List<Long> batches = Collections.synchronizedList(new ArrayList<>());
        var purged = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS + 3);
        try {
            List<Future<?>> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                callers.add(threads.submit(() -> {
                    while (!ended.get()) {
                        String order = "order-" + orders.incrementAndGet();
                        long start = System.nanoTime();
                        assertThat(charge.execute(order)).isEqualTo("paid " + order);
                        reserves.add(System.nanoTime() - start);
                    }
                }));
            }
            while (orders.get() < WARM) {
                LockSupport.parkNanos(1_000_000);
            }
            reserves.clear();
            Future<Integer> waits = threads.submit(() -> tableLockWaits(ended));
            List<Future<?>> nodes = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                nodes.add(threads.submit(() -> {
                    int done;
                    do {
                        long start = System.nanoTime();
                        done = store.purge(BATCH);
                        batches.add(System.nanoTime() - start);
                        purged.addAndGet(done);
                    } while (done > 0);
                }));
            }
            for (Future<?> node : nodes) {
                node.get();
            }
            ended.set(true);
            for (Future<?> caller : callers) {
                caller.get();
            }
            assertThat(waits.get())
                    .as("sessions seen waiting for a lock on the table")
                    .isZero();
        } finally {
            threads.shutdownNow();
        }

        System.out.printf(
                "purge: %,d rows in %d batches, longest batch %d ms; meanwhile %,d executions, median %d ms, longest %d ms%n",
                purged.get(),
                batches.size(),
                millis(Collections.max(batches)),
                orders.get(),
                median(reserves),
                millis(Collections.max(reserves)));
        assertThat(purged).hasValue(EXPIRED);
        assertThat(count("expired")).isZero();
        assertThat(count("kept")).isEqualTo(KEPT);
        assertThat(count("unresolved")).isEqualTo(UNRESOLVED);
        assertThat(count("charge")).as("executions that were recorded").isEqualTo(orders.get());
    }

    /** A purge that kept others out of the table would be seen here. */
    private int tableLockWaits(AtomicBoolean ended) {
        return jdbi.withHandle(handle -> {
            int seen = 0;
            while (!ended.get()) {
                seen += handle.createQuery(
                                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST(? AS regclass)")
                        .bind(0, store.table().quoted())
                        .mapTo(Integer.class)
                        .one();
            }
            return seen;
        });
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }

    private static long median(List<Long> all) {
        return millis(all.stream().sorted().skip(all.size() / 2).findFirst().orElse(0L));
    }

    /** Rows of another life: written as they stand long after. */
    private void fill(String scope, int rows, String state, String expiry) {
        jdbi.useHandle(
                handle -> handle.createUpdate("INSERT INTO " + store.table().quoted()
                                + " (scope, key, generation, state, version, token, attempt, native_key, recovery, when_missing,"
                                + " result_kind, result_codec, result, evidence, created_at, first_sent_at, state_since,"
                                + " expires_at, forget_at, purge_at) SELECT :scope, i, 1, :state, 2, md5(i::text), 1, i, 'HOLD', 'HOLD',"
                                + " 'RESULT', 'json', decode(repeat('7b7d', 150), 'hex'), '[]', now(), now(), now(),"
                                + " now() + CAST(:expiry AS interval), now() + CAST(:expiry AS interval),"
                                + " now() + CAST(:expiry AS interval)"
                                + " FROM generate_series(1, :rows) i")
                        .bind("scope", scope)
                        .bind("rows", rows)
                        .bind("state", state)
                        .bind("expiry", expiry)
                        .execute());
    }

    private int count(String scope) {
        return jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT count(*) FROM " + store.table().quoted() + " WHERE scope = ?")
                .bind(0, scope)
                .mapTo(Integer.class)
                .one());
    }
}

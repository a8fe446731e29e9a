package dev.idempotency.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.benchmarks.Subject.Path;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import java.io.PrintStream;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** What the size of the table costs a first execution, with one table and with one partition for each day. */
final class Growth {
    private static final int THREADS = 16;
    private static final int DAYS = 7;
    private final LocalDate today = LocalDate.now(ZoneOffset.UTC);

    private final Server postgres;
    private final int connections;
    private final Downstream downstream = new Downstream();
    private final PrintStream log;

    Growth(Server postgres, int connections, PrintStream log) {
        this.postgres = postgres;
        this.connections = connections;
        this.log = log;
    }

    /** Fills four tables and measures them in pairs: small and large, plain and by day. */
    void measure(Results results, Rounds rounds, long small, long large) {
        for (boolean byDay : new boolean[] {false, true}) {
            String layout = byDay ? "by day" : "plain";
            try (var pool = PostgresSubjects.pool(postgres, connections)) {
                Subject few = subject(pool, layout + ", " + small + " records", Kind.LIMIT, byDay, small);
                Subject many = subject(pool, layout + ", " + large + " records", Kind.LIBRARY, byDay, large);
                // Both begin with what is written to them since the checkpoint, as they would in the long run.
                PostgresSubjects.execute(pool, "VACUUM ANALYZE", "CHECKPOINT");
                var group = new Group("PostgreSQL, " + layout, Path.FIRST, THREADS, 1);
                List<Outcome> outcomes = rounds.of(group, List.of(few, many), downstream, postgres::cpuNanos);
                Optional<Spread> ratio = outcomes.get(1).ratioTo(outcomes.get(0));
                results.add(new Results.Figure(
                        Targets.GROWTH,
                        layout,
                        "x those at the small size",
                        ratio,
                        outcomes.get(1)
                                .failure()
                                .or(() -> outcomes.get(0).failure())
                                .orElse("")));
                for (Outcome outcome : outcomes) {
                    results.add(new Results.Figure(
                            Targets.GROWTH,
                            outcome.subject().name(),
                            "operations/s",
                            outcome.spread(Cell::perSecond),
                            ""));
                }
                few.close().close();
                many.close().close();
            } catch (Exception e) {
                results.problem("growth, " + layout + ": " + Rounds.why(e));
                log.println("growth, " + layout + ": " + Rounds.why(e));
            }
        }
    }

    private Subject subject(HikariDataSource pool, String name, Kind kind, boolean byDay, long records) {
        String table = "growth_" + (byDay ? "by_day_" : "plain_") + records;
        PostgresSubjects.execute(pool, "DROP TABLE IF EXISTS " + table);
        JdbcIdempotencyStore.Builder builder =
                JdbcIdempotencyStore.builder(pool).table(table);
        if (byDay) {
            builder.partitionedByDay(Growth::day);
        }
        JdbcIdempotencyStore store = builder.createSchema().build();
        if (byDay) {
            store.createPartitions(today.minusDays(DAYS - 1), today);
        }
        Subject library = Library.on(store, downstream, () -> {});
        fill(pool, table, library, byDay, records);
        Subject.Work work = byDay ? order -> library.first().run(Order.of(newKey())) : library.first();
        return new Subject(name, kind, work, null, library.close());
    }

    /** Keys that tell their day and, as a UUID of version 7 does, their order. */
    private String newKey() {
        var random = ThreadLocalRandom.current();
        return today + String.format("-%016x-", System.nanoTime()) + new UUID(random.nextLong(), random.nextLong());
    }

    private static LocalDate day(IdempotencyKey key) {
        return LocalDate.parse(key.value().substring(0, 10));
    }

    /** As many copies of a record that the library has written; by day, an equal part for each day. */
    private void fill(HikariDataSource pool, String table, Subject library, boolean byDay, long records) {
        Order one = byDay ? Order.of(newKey()) : Order.fresh();
        try {
            library.first().run(one);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        String key = byDay
                ? "(r.day - (n % " + DAYS
                        + ")::int)::text || '-' || lpad(to_hex(n), 16, '0') || '-' || gen_random_uuid()"
                : "gen_random_uuid()::text";
        String columns = "generation, fingerprint_algorithm, fingerprint, state, version, token, attempt, native_key,"
                + " recovery, when_missing, quiescence_micros, resend_within_micros, result_kind, result_codec, result,"
                + " request_codec, request, evidence, created_at, first_sent_at, state_since, lease_until, expires_at,"
                + " forget_at, purge_at";
        long done = 0;
        while (done < records) {
            long next = Math.min(done + 500_000, records);
            PostgresSubjects.execute(
                    pool,
                    "INSERT INTO " + table + " (" + (byDay ? "day, " : "") + "scope, key, " + columns + ") SELECT "
                            + (byDay ? "r.day - (n % " + DAYS + ")::int, " : "") + "r.scope, " + key + ", "
                            + columns.replaceAll("(\\w+)", "r.$1") + " FROM " + table + " r, generate_series("
                            + (done + 1) + ", " + next + ") n WHERE r.key = '" + one.orderId() + "'");
            done = next;
        }
    }
}

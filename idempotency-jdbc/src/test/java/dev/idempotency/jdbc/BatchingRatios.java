package dev.idempotency.jdbc;

import com.sun.management.OperatingSystemMXBean;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.process.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;

/**
 * Compares what the store does with what its statements cost at least: two raw ones for a first execution, one for a replay,
 * by callers of different numbers through one pool of 16. All of it in one run, in rounds of shuffled cells, because the machine
 * is never quiet; a ratio is the median over the rounds. A program, and no test: {@code BatchingRatios <rounds> <millis of a
 * cell> <callers,...> <work,...>}.
 */
final class BatchingRatios {
    private static final int POOL = 16;
    private static final int REPLAYED = 400;
    private static final byte[] RESULT = new byte[300];
    private static final OperatingSystemMXBean CLIENT =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private BatchingRatios() {}

    private interface Work {
        void once() throws Exception;
    }

    /** What one cell saw. */
    private record Seen(double perSecond, double clientMicros, double serverMicros, double p50, double p99) {}

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        var cell = Duration.ofMillis(Long.parseLong(args[1]));
        List<Integer> callers =
                Arrays.stream(args[2].split(",")).map(Integer::valueOf).toList();
        List<String> wanted = List.of(args[3].split(","));
        try (var server = PostgresServer.start(Map.of("shared_buffers", "512MB", "max_wal_size", "4GB"));
                var pool = pool(server)) {
            Map<String, Work> works = works(pool);
            works.keySet().retainAll(wanted);
            measure(server, works, callers, rounds, cell);
        }
    }

    private static HikariDataSource pool(PostgresServer server) {
        var config = new HikariConfig();
        config.setJdbcUrl(server.jdbcUrl());
        config.setMaximumPoolSize(POOL);
        return new HikariDataSource(config);
    }

    private static JdbcIdempotencyStore store(DataSource pool, String table, int singleSteps) {
        return JdbcIdempotencyStore.builder(pool)
                .table(table)
                .singleSteps(singleSteps)
                .createSchema()
                .build();
    }

    private static Map<String, Work> works(DataSource pool) throws SQLException {
        Map<String, Work> works = new LinkedHashMap<>();
        var raw = new Raw(pool);
        works.put("raw", raw::first);
        works.put("raw-replay", raw::replay);
        Map<String, Integer> gates = new LinkedHashMap<>();
        gates.put("single", Integer.MAX_VALUE);
        gates.put("gate", POOL);
        gates.put("gate4", 4);
        gates.put("batched", 0);
        gates.forEach((name, gate) -> {
            JdbcIdempotencyStore store = store(pool, "records_" + name, gate);
            works.put(name, () -> first(store, Writes.key()));
            List<IdempotencyKey> keys = new ArrayList<>();
            for (int i = 0; i < REPLAYED; i++) {
                keys.add(Writes.key());
                first(store, keys.get(i));
            }
            works.put(name + "-replay", () -> {
                Snapshot met = store.reserve(Writes.reservation(random(keys)));
                require(!met.applied() && met.record() != null && met.record().state() == State.COMPLETED);
            });
            works.put(name + "-find", () -> require(store.find(random(keys)).record() != null));
        });
        JdbcIdempotencyStore waking = JdbcIdempotencyStore.builder(pool)
                .table("records_gate")
                .wakeUps(pool)
                .build();
        works.put("waking", () -> first(waking, Writes.key()));
        return works;
    }

    private static <T> T random(List<T> all) {
        return all.get(ThreadLocalRandom.current().nextInt(all.size()));
    }

    private static void first(JdbcIdempotencyStore store, IdempotencyKey key) {
        Snapshot reserved = store.reserve(Writes.reservation(key));
        require(reserved.applied());
        IdempotencyRecord standing = reserved.record();
        var next = standing.with()
                .state(State.COMPLETED)
                .version(standing.version() + 1)
                .result(new StoredResult(StoredResult.Kind.RESULT, "json", RESULT))
                .build();
        require(store.replace(standing, new Write(next, false, false, true, null, Writes.RETENTION, Duration.ZERO))
                .applied());
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new AssertionError("the store did something else");
        }
    }

    /** The least that PostgreSQL can be asked for the same: a fenced reservation and its outcome. */
    private static final class Raw {
        private final DataSource pool;
        private final List<String> keys = new ArrayList<>();

        Raw(DataSource pool) throws SQLException {
            this.pool = pool;
            try (Connection connection = pool.getConnection()) {
                connection
                        .createStatement()
                        .execute(
                                "CREATE TABLE raw (key text PRIMARY KEY, token bigint NOT NULL, state smallint NOT NULL,"
                                        + " lease_until timestamptz, expires_at timestamptz NOT NULL, result bytea);"
                                        + " CREATE INDEX ON raw (expires_at)");
            }
            for (int i = 0; i < REPLAYED; i++) {
                keys.add(first());
            }
        }

        String first() throws SQLException {
            String key = UUID.randomUUID().toString();
            long token = ThreadLocalRandom.current().nextLong();
            try (Connection connection = pool.getConnection();
                    PreparedStatement insert = connection.prepareStatement(
                            "INSERT INTO raw VALUES (?, ?, 1, now() + interval '30 s', now()"
                                    + " + interval '7 d', NULL) ON CONFLICT DO NOTHING RETURNING token")) {
                insert.setString(1, key);
                insert.setLong(2, token);
                one(insert);
            }
            try (Connection connection = pool.getConnection();
                    PreparedStatement update = connection.prepareStatement(
                            "UPDATE raw SET state = 2, result = ? WHERE key = ? AND token = ? RETURNING token")) {
                update.setBytes(1, RESULT);
                update.setString(2, key);
                update.setLong(3, token);
                one(update);
            }
            return key;
        }

        void replay() throws SQLException {
            try (Connection connection = pool.getConnection();
                    PreparedStatement select = connection.prepareStatement(
                            "SELECT token, state, expires_at, result FROM raw WHERE key = ?")) {
                select.setString(1, random(keys));
                one(select);
            }
        }

        private static void one(PreparedStatement statement) throws SQLException {
            try (ResultSet row = statement.executeQuery()) {
                require(row.next());
            }
        }
    }

    private static void measure(
            PostgresServer server, Map<String, Work> works, List<Integer> callers, int rounds, Duration cell)
            throws Exception {
        Map<String, List<Seen>> seen = new LinkedHashMap<>();
        for (int round = -1; round < rounds; round++) {
            List<Runnable> cells = new ArrayList<>();
            for (int count : callers) {
                works.forEach((name, work) -> {
                    String at = name + " " + count;
                    cells.add(() -> {
                        Seen one = cell(server, work, count, cell);
                        seen.computeIfAbsent(at, a -> new ArrayList<>()).add(one);
                    });
                });
            }
            Collections.shuffle(cells, new Random(round));
            cells.forEach(Runnable::run);
            System.err.println("round " + round);
        }
        System.out.printf("load %s, pool %d, %d rounds of %s%n", loadAverage(), POOL, rounds, cell);
        System.out.println(
                "| callers | work | ratio to raw (from..to) | per second | CPU us client + server | p50 ms | p99 ms |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (int count : callers) {
            for (String name : works.keySet()) {
                List<Seen> of = measured(seen, name + " " + count);
                List<Seen> base = measured(
                        seen, (name.endsWith("-replay") || name.endsWith("-find") ? "raw-replay " : "raw ") + count);
                List<Double> ratios = new ArrayList<>();
                for (int i = 0; i < Math.min(of.size(), base.size()); i++) {
                    ratios.add(of.get(i).perSecond() / base.get(i).perSecond());
                }
                Collections.sort(ratios);
                System.out.printf(
                        "| %d | %s | %.2f (%.2f..%.2f) | %.0f | %.0f + %.0f | %.1f | %.1f |%n",
                        count,
                        name,
                        median(ratios),
                        ratios.isEmpty() ? 0 : ratios.get(0),
                        ratios.isEmpty() ? 0 : ratios.get(ratios.size() - 1),
                        median(of.stream().map(Seen::perSecond).toList()),
                        median(of.stream().map(Seen::clientMicros).toList()),
                        median(of.stream().map(Seen::serverMicros).toList()),
                        median(of.stream().map(Seen::p50).toList()),
                        median(of.stream().map(Seen::p99).toList()));
            }
        }
    }

    /** Without the first round, in which everything is warmed up. */
    private static List<Seen> measured(Map<String, List<Seen>> seen, String at) {
        List<Seen> all = seen.getOrDefault(at, List.of());
        return all.isEmpty() ? all : all.subList(1, all.size());
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2);
    }

    private static Seen cell(PostgresServer server, Work work, int callers, Duration length) {
        var begin = new CyclicBarrier(callers + 1);
        List<List<Long>> times = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            List<Long> own = new ArrayList<>();
            times.add(own);
            var thread = new Thread(() -> {
                try {
                    begin.await();
                    long end = System.nanoTime() + length.toNanos();
                    for (long from = System.nanoTime(); from < end; from = System.nanoTime()) {
                        work.once();
                        own.add(System.nanoTime() - from);
                    }
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            thread.start();
            threads.add(thread);
        }
        try {
            long server0 = serverMicros(server);
            begin.await();
            long client0 = CLIENT.getProcessCpuTime();
            long from = System.nanoTime();
            for (Thread thread : threads) {
                thread.join();
            }
            double seconds = (System.nanoTime() - from) / 1e9;
            double client = (CLIENT.getProcessCpuTime() - client0) / 1e3;
            double serverMicros = serverMicros(server) - server0;
            long[] all = times.stream()
                    .flatMap(List::stream)
                    .mapToLong(Long::longValue)
                    .sorted()
                    .toArray();
            return new Seen(
                    all.length / seconds,
                    client / all.length,
                    serverMicros / all.length,
                    all[all.length / 2] / 1e6,
                    all[all.length * 99 / 100] / 1e6);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** CPU of all of the server's processes, as Linux counts it, in hundredths of a second. */
    private static long serverMicros(PostgresServer server) {
        ProcessHandle postmaster = ProcessHandle.of(server.postmaster()).orElseThrow();
        return postmaster
                .descendants()
                .mapToLong(process -> {
                    try {
                        String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
                        String[] fields =
                                stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * 10_000;
                    } catch (NoSuchFileException e) {
                        return 0;
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .sum();
    }

    private static String loadAverage() {
        return String.format("%.1f", CLIENT.getSystemLoadAverage());
    }
}

package dev.idempotency.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.benchmarks.Subject.Path;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import io.lettuce.core.RedisClient;
import java.io.IOException;
import java.io.PrintStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures everything, and writes the report. What cannot be measured is reported as such, and the rest goes on. */
@Command(
        name = "benchmarks",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures the library beside the limit of each store and beside its peers, and writes the report."
                + " With 'jmh' as the first argument, runs the benchmarks of single costs instead, with JMH's options.")
final class Benchmarks implements Callable<Integer> {
    private static final Set<String> PARTS = Set.of("caffeine", "redis", "postgres", "one-key", "memory", "growth");
    /** Where reading the clock would be most of the work. */
    private static final int IN_PROCESS_SAMPLING = 16;

    @Option(
            names = "--quick",
            description = "About three minutes instead of half an hour: fewer rounds, smaller tables.")
    boolean quick;

    @Option(
            names = "--out",
            defaultValue = "target/performance",
            description = "The folder of the report (${DEFAULT-VALUE}).")
    java.nio.file.Path out = java.nio.file.Path.of("target/performance");

    @Option(
            names = "--only",
            split = ",",
            description = "Some parts only: caffeine, redis, postgres, one-key, memory, growth.")
    @Nullable
    List<String> only;

    @Option(names = "--jdbc-url", description = "A PostgreSQL that is there, instead of one that is started.")
    @Nullable
    String jdbcUrl;

    @Option(names = "--redis-url", description = "A Redis that is there, instead of one that is started.")
    @Nullable
    String redisUrl;

    @Option(
            names = "--pool",
            defaultValue = "16",
            description = "Connections to PostgreSQL, of each (${DEFAULT-VALUE}).")
    int connections = 16;

    @Option(names = "--rounds", description = "How many rounds count.")
    @Nullable
    Integer rounds;

    @Option(names = "--cell-millis", description = "How long each subject works in a round.")
    @Nullable
    Integer cellMillis;

    @Option(
            names = "--seed",
            defaultValue = "1",
            description = "What the order within the rounds is drawn from (${DEFAULT-VALUE}).")
    long seed = 1;

    private final PrintStream log = System.out;
    private final Results results = new Results();
    private final Downstream downstream = new Downstream();
    private final Map<String, String> run = new LinkedHashMap<>();
    private final List<Subject> open = new ArrayList<>();

    /**
     * The program.
     *
     * @param arguments see {@code --help}
     * @throws Exception if a benchmark of single costs failed
     */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("jmh")) {
            org.openjdk.jmh.Main.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            return;
        }
        System.exit(new CommandLine(new Benchmarks()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        if (only != null && !PARTS.containsAll(only)) {
            throw new IllegalArgumentException(
                    "--only takes " + PARTS.stream().sorted().toList());
        }
        long from = System.nanoTime();
        part("caffeine", this::caffeine);
        part("one-key", () -> oneKey().on(Targets.CAFFEINE, CaffeineIdempotencyStore.create(), key -> {}));
        part("memory", () -> memory().on(Targets.CAFFEINE, CaffeineIdempotencyStore.create(), Memory::heap));
        if (wants("redis") || wants("one-key") || wants("memory")) {
            write(from);
            whole("Redis", this::redis);
        }
        if (wants("postgres") || wants("one-key") || wants("memory") || wants("growth")) {
            write(from);
            whole("PostgreSQL", this::postgres);
        }
        write(from);
        log.println();
        for (Targets.Target target : Targets.of(results)) {
            log.printf(
                    "%-14s %-12s %s (%s)%n",
                    target.verdict().replace("*", ""),
                    target.figure().map(Spread::middle).orElse("-"),
                    target.path(),
                    target.target());
        }
        log.println("Written to " + out.resolve(Report.PAGE));
        return 0;
    }

    /** What there is so far: whatever becomes of the rest. */
    private void write(long from) throws IOException {
        machine(Duration.ofNanos(System.nanoTime() - from));
        new Report(results, run).write(out);
    }

    private boolean wants(String part) {
        return only == null || only.contains(part);
    }

    /** Something that may fail without the rest. */
    @FunctionalInterface
    private interface Part {
        void run() throws Exception;
    }

    private void part(String name, Part part) {
        if (wants(name)) {
            whole(name, part);
        }
    }

    private void whole(String name, Part part) {
        try {
            part.run();
        } catch (Exception | LinkageError e) {
            results.problem(name + ": " + Rounds.why(e));
            log.println(name + ": " + Rounds.why(e));
        } finally {
            closeAll();
        }
    }

    private void closeAll() {
        for (Subject subject : open) {
            try {
                subject.close().close();
            } catch (Exception e) {
                log.println(subject.name() + " does not close: " + e);
            }
        }
        open.clear();
    }

    private void add(List<Subject> subjects, String name, Supplier<Subject> subject) {
        try {
            Subject made = subject.get();
            subjects.add(made);
            open.add(made);
        } catch (RuntimeException | LinkageError e) {
            results.problem(name + " could not be set up: " + Rounds.why(e));
            log.println(name + " could not be set up: " + Rounds.why(e));
        }
    }

    private Rounds rounds(boolean inProcess) {
        var plan = new Rounds.Plan(
                rounds != null ? rounds : quick ? 3 : 8,
                Duration.ofMillis(cellMillis != null ? cellMillis : quick ? 250 : 500),
                Duration.ofSeconds(inProcess ? (quick ? 6 : 20) : (quick ? 1 : 4)));
        return new Rounds(plan, seed, log);
    }

    private void compare(
            String store, Path path, int[] threads, List<Subject> subjects, LongSupplier server, boolean inProcess) {
        for (int count : threads) {
            var group = new Group(store, path, count, inProcess ? IN_PROCESS_SAMPLING : 1);
            results.add(group, rounds(inProcess).of(group, subjects, downstream, server));
            if (count == 16 || count == 256) {
                subjects.stream()
                        .filter(subject -> subject.name().equals(Library.NAME))
                        .forEach(subject -> profile(group, subject, server));
            }
        }
    }

    private void profile(Group group, Subject subject, LongSupplier server) {
        try (var profile = new Profile();
                var crew = new Crew(group.threads(), group.sampling(), downstream, server)) {
            crew.work(subject, group.path(), Rounds.executed(subject), Duration.ofSeconds(quick ? 2 : 5));
            results.profile(group.id(), profile.text());
        } catch (Exception e) {
            results.problem("profile of " + group.id() + ": " + Rounds.why(e));
        }
    }

    private void caffeine() {
        List<Subject> subjects = new ArrayList<>();
        add(subjects, "raw Caffeine", () -> CaffeineSubjects.raw(downstream));
        add(subjects, Library.NAME, () -> CaffeineSubjects.library(downstream));
        add(subjects, "Powertools", () -> PowertoolsSubject.of(downstream));
        add(subjects, "Spring Integration", () -> CaffeineSubjects.springIntegration(downstream));
        for (Path path : Path.values()) {
            compare(Targets.CAFFEINE, path, some(16, 1), subjects, () -> -1, true);
        }
        run.put("Caffeine", Versions.of(Caffeine.class) + ", up to " + CaffeineSubjects.MAXIMUM + " results");
    }

    /** The first of these numbers of threads in a quick run, and all of them in a full one. */
    private int[] some(int... threads) {
        return quick ? new int[] {threads[0]} : Arrays.stream(threads).sorted().toArray();
    }

    private OneKey oneKey() {
        return new OneKey(results, log, quick ? 9 : 25, seed);
    }

    private Memory memory() {
        return new Memory(results, log, quick ? 5_000 : 50_000);
    }

    private void redis() throws Exception {
        try (var server = Server.redis(redisUrl, "everysec")) {
            if (wants("redis")) {
                List<Subject> subjects = redisSubjects(server);
                List<Subject> first = new ArrayList<>(subjects);
                add(first, Library.MANY, () -> RedisSubjects.many(server, downstream));
                compare(Targets.REDIS, Path.FIRST, some(16, 1, 64), first, server::cpuNanos, false);
                add(subjects, Library.NEAR, () -> RedisSubjects.near(server, downstream));
                compare(Targets.REDIS, Path.REPLAY, some(16, 1), subjects, server::cpuNanos, false);
                closeAll();
            }
            run.put("Redis", Versions.of(RedisClient.class) + "; " + server.settings());
            try (var client = RedisClient.create(server.url());
                    var connection = client.connect();
                    RedisIdempotencyStore store = RedisIdempotencyStore.create(client)) {
                var commands = connection.sync();
                part(
                        "one-key",
                        () -> oneKey().on(Targets.REDIS, store, key -> commands.set("bare:" + key, Downstream.RESULT)));
                part("memory", () -> memory().on(Targets.REDIS, store, () -> usedMemory(commands.info("memory"))));
            }
        }
        if (wants("redis") && redisUrl == null && !quick) {
            try (var server = Server.redis(null, "always")) {
                compare(
                        "Redis, fsync with every write",
                        Path.FIRST,
                        new int[] {16},
                        redisSubjects(server),
                        server::cpuNanos,
                        false);
                closeAll();
            }
        }
    }

    private List<Subject> redisSubjects(Server server) {
        List<Subject> subjects = new ArrayList<>();
        add(subjects, "raw Redis", () -> RedisSubjects.raw(server, downstream));
        add(subjects, Library.NAME, () -> RedisSubjects.library(server, downstream));
        add(subjects, "Redisson", () -> RedisSubjects.redisson(server, downstream));
        add(subjects, "Spring Integration", () -> RedisSubjects.springIntegration(server, downstream));
        return subjects;
    }

    private static long usedMemory(String info) {
        return info.lines()
                .filter(line -> line.startsWith("used_memory:"))
                .map(line ->
                        Long.parseLong(line.substring("used_memory:".length()).strip()))
                .findFirst()
                .orElseThrow();
    }

    private void postgres() throws Exception {
        try (var server = Server.postgres(jdbcUrl)) {
            if (wants("postgres")) {
                List<Subject> subjects = new ArrayList<>();
                add(subjects, "raw PostgreSQL", () -> PostgresSubjects.raw(server, connections, downstream));
                add(subjects, Library.NAME, () -> PostgresSubjects.library(server, connections, downstream));
                add(
                        subjects,
                        "Spring Integration",
                        () -> PostgresSubjects.springIntegration(server, connections, downstream));
                add(subjects, "Camel", () -> PostgresSubjects.camel(server, connections, downstream));
                add(subjects, "ShedLock", () -> PostgresSubjects.shedLock(server, connections, downstream));
                List<Subject> first = new ArrayList<>(subjects);
                add(first, Library.MANY, () -> PostgresSubjects.many(server, connections, downstream));
                compare(Targets.POSTGRES, Path.FIRST, some(16, 1), first, server::cpuNanos, false);
                List<Subject> crowded = new ArrayList<>(subjects);
                add(crowded, PostgresSubjects.SINGLE, () -> PostgresSubjects.single(server, connections, downstream));
                compare(Targets.POSTGRES, Path.FIRST, new int[] {64, 256}, crowded, server::cpuNanos, false);
                add(subjects, Library.NEAR, () -> PostgresSubjects.near(server, connections, downstream));
                compare(Targets.POSTGRES, Path.REPLAY, some(16, 1, 64), subjects, server::cpuNanos, false);
                closeAll();
            }
            try (HikariDataSource pool = PostgresSubjects.pool(server, connections)) {
                run.put("PostgreSQL", postgresVersion(pool) + "; " + server.settings() + "; pools of " + connections);
                if (wants("one-key") || wants("memory")) {
                    onOneTable(pool);
                }
            }
            part(
                    "growth",
                    () -> new Growth(server, connections, log)
                            .measure(results, rounds(false), quick ? 20_000 : 100_000, quick ? 200_000 : 5_000_000));
        }
    }

    private void onOneTable(HikariDataSource pool) {
        JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                .table("others")
                .createSchema()
                .build();
        PostgresSubjects.execute(pool, PostgresSubjects.RAW);
        part("one-key", () -> oneKey().on(Targets.POSTGRES, store, key -> PostgresSubjects.rawReserve(pool, key, 1)));
        PostgresSubjects.execute(pool, "TRUNCATE others");
        part(
                "memory",
                () -> memory().on(Targets.POSTGRES, store, () -> {
                    try (var connection = pool.getConnection();
                            var statement = connection.createStatement();
                            var rows = statement.executeQuery("SELECT pg_total_relation_size('others')")) {
                        rows.next();
                        return rows.getLong(1);
                    }
                }));
    }

    private static String postgresVersion(HikariDataSource pool) throws SQLException {
        try (var connection = pool.getConnection()) {
            return connection.getMetaData().getDatabaseProductVersion() + ", "
                    + Versions.of(org.postgresql.Driver.class) + ", " + Versions.of(HikariDataSource.class);
        }
    }

    private void machine(Duration took) {
        run.put(
                "Machine",
                Processor.count() + " processors, " + Processor.memoryGigabytes() + " GB, "
                        + System.getProperty("os.name") + " " + System.getProperty("os.arch")
                        + "; clients and servers share it");
        run.put(
                "Java",
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version") + ", heap up to "
                        + Runtime.getRuntime().maxMemory() / (1 << 20) + " MB");
        run.put("Peers", Versions.peers());
        run.put("Parts", only == null ? "all" : only.stream().sorted().collect(Collectors.joining(", ")));
        run.put("Kind of run", (quick ? "quick" : "full") + ", seed " + seed + ", " + took.toMinutes() + " min");
    }
}

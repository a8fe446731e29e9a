package dev.idempotency.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.chaos.ChaosProgram;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Searches for a duplicate, for as long as it is told to: random programs under chaos, over all policies and stores. Prints the
 * seed of each program that shows a fault, and ends with 1 if there was one.
 */
@Command(name = "duplicate-search", mixinStandardHelpOptions = true)
final class DuplicateSearch implements Callable<Integer> {
    private enum Kind {
        CAFFEINE,
        POSTGRES,
        REDIS
    }

    /** What stays in doubt for ever is listed by every sweep. */
    private static final int CLEAR_EVERY = 20;

    @Option(names = "--minutes", defaultValue = "10", description = "how long programs are begun: ${DEFAULT-VALUE}")
    private long minutes;

    @Option(names = "--stores", split = ",", description = "CAFFEINE, POSTGRES, REDIS; by default all")
    private Set<Kind> stores = EnumSet.allOf(Kind.class);

    @Option(names = "--policies", split = ",", description = "by default all of them")
    private Set<ChaosProgram.Policy> policies = EnumSet.allOf(ChaosProgram.Policy.class);

    @Option(names = "--at-once", defaultValue = "12", description = "programs at the same time: ${DEFAULT-VALUE}")
    private int atOnce;

    @Option(names = "--seed", description = "one program only, with one store and one policy")
    private @Nullable Long seed;

    @Option(names = "--repeat", defaultValue = "1", description = "how often with --seed: ${DEFAULT-VALUE}")
    private int repeat;

    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong programs = new AtomicLong();
    private final AtomicLong executions = new AtomicLong();
    private final AtomicLong calls = new AtomicLong();
    private final AtomicLong effects = new AtomicLong();
    private final AtomicLong faults = new AtomicLong();
    private final AtomicLong duplicates = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong hung = new AtomicLong();
    private final AtomicLong different = new AtomicLong();
    private final AtomicLong unsound = new AtomicLong();

    /** Where the programs of one thread keep their records, and how they are thrown away. */
    private record Place(Kind kind, Supplier<IdempotencyStore> store, Runnable clear) {}

    private DuplicateSearch() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new DuplicateSearch())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }

    @Override
    public Integer call() throws Exception {
        try (var postgres = stores.contains(Kind.POSTGRES) ? PostgresServer.start() : null;
                var redis = stores.contains(Kind.REDIS)
                        ? RedisServer.start(Map.of("appendonly", "no", "databases", "256"))
                        : null;
                var pool = postgres == null ? null : pool(postgres)) {
            var workers = new ArrayList<List<Place>>();
            for (int i = 0; i < atOnce; i++) {
                var places = new ArrayList<Place>();
                for (Kind kind : stores) {
                    places.add(
                            switch (kind) {
                                case CAFFEINE -> new Place(kind, CaffeineIdempotencyStore::create, () -> {});
                                case POSTGRES ->
                                    postgres(Objects.requireNonNull(pool), Objects.requireNonNull(postgres), i);
                                case REDIS -> redis(Objects.requireNonNull(redis), i);
                            });
                }
                workers.add(places);
            }
            search(workers);
        }
        print();
        return unsound.get() == 0 ? 0 : 1;
    }

    private static HikariDataSource pool(PostgresServer server) {
        var config = new HikariConfig();
        config.setJdbcUrl(server.jdbcUrl());
        config.setMaximumPoolSize(24);
        return new HikariDataSource(config);
    }

    private static Place postgres(DataSource pool, PostgresServer server, int number) {
        String schema = "search_" + number;
        var jdbi = Jdbi.create(server.dataSource());
        jdbi.useHandle(handle -> handle.execute("CREATE SCHEMA " + schema));
        var store = JdbcIdempotencyStore.builder(pool)
                .schema(schema)
                .wakeUps(server.dataSource())
                .createSchema()
                .build();
        return new Place(
                Kind.POSTGRES,
                () -> store,
                () -> jdbi.useHandle(handle -> handle.execute("TRUNCATE " + schema + ".idempotency_record")));
    }

    private static Place redis(RedisServer server, int number) {
        var client = RedisClient.create(server.uri() + "/" + number);
        var store = RedisIdempotencyStore.create(client);
        var connection = client.connect().sync();
        return new Place(Kind.REDIS, () -> store, connection::flushdb);
    }

    private void search(List<List<Place>> workers) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofMinutes(minutes).toNanos();
        var threads = new ArrayList<Thread>();
        for (List<Place> places : workers) {
            var thread = new Thread(() -> {
                try {
                    work(places, end);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } catch (RuntimeException | Error e) {
                    e.printStackTrace();
                    unsound.incrementAndGet();
                }
            });
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
        long report = System.nanoTime();
        while (threads.stream().anyMatch(Thread::isAlive)) {
            for (Thread thread : threads) {
                thread.join(100);
            }
            if (System.nanoTime() - report > Duration.ofMinutes(1).toNanos()) {
                report = System.nanoTime();
                print();
            }
        }
    }

    private void work(List<Place> places, long end) throws InterruptedException {
        var allowed = List.copyOf(policies);
        for (int own = 1; seed == null ? System.nanoTime() < end : begun.get() < repeat; own++) {
            long n = begun.getAndIncrement();
            if (seed != null && n >= repeat) {
                return;
            }
            Place on = places.get((int) (n % places.size()));
            var policy = allowed.get((int) (n / places.size() % allowed.size()));
            judge(
                    on,
                    ChaosProgram.run(
                            on.store().get(),
                            seed == null ? ThreadLocalRandom.current().nextLong() : seed,
                            policy));
            if (own % CLEAR_EVERY == 0) {
                places.forEach(place -> place.clear().run());
            }
        }
    }

    private void judge(Place on, ChaosProgram.Report report) {
        programs.incrementAndGet();
        executions.addAndGet(report.executions());
        calls.addAndGet(report.calls());
        effects.addAndGet(report.effects());
        faults.addAndGet(report.faults());
        duplicates.addAndGet(report.duplicates().size());
        different.addAndGet(report.different().size());
        lost.addAndGet(report.lost().size());
        hung.addAndGet(report.hung().size());
        if (!report.isSound()) {
            unsound.incrementAndGet();
            System.out.println(
                    "FAULT --stores " + on.kind() + " --policies " + report.policy() + " --seed=" + report.seed()
                            + "\n  duplicates " + report.duplicates() + "\n  different " + report.different()
                            + "\n  lost " + report.lost() + "\n  hung " + report.hung()
                            + "\n    " + String.join("\n    ", report.story()));
        }
    }

    private void print() {
        System.out.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + " programs "
                + programs + " executions "
                + executions + " calls " + calls + " effects " + effects + " faults around " + faults + " | duplicates "
                + duplicates + " different " + different + " lost " + lost + " hung " + hung);
    }
}

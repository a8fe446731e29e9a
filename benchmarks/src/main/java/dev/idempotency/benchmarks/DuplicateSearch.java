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
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
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

    private static final long PURGE_EVERY = 200;

    @Option(names = "--minutes", defaultValue = "10", description = "how long programs are begun: ${DEFAULT-VALUE}")
    private long minutes;

    @Option(names = "--stores", split = ",", description = "CAFFEINE, POSTGRES, REDIS; by default all")
    private Set<Kind> stores = EnumSet.allOf(Kind.class);

    @Option(names = "--policies", split = ",", description = "by default all of them")
    private Set<ChaosProgram.Policy> policies = EnumSet.allOf(ChaosProgram.Policy.class);

    @Option(names = "--at-once", defaultValue = "12", description = "programs at the same time: ${DEFAULT-VALUE}")
    private int atOnce;

    @Option(names = "--seed", description = "one program only, with one store and one policy")
    private Long seed;

    @Option(names = "--repeat", defaultValue = "1", description = "how often with --seed: ${DEFAULT-VALUE}")
    private int repeat;

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

    private record Running(Kind kind, IdempotencyStore store, AutoCloseable server) {}

    private DuplicateSearch() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new DuplicateSearch())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }

    @Override
    public Integer call() throws Exception {
        var running = new ArrayList<Running>();
        for (Kind kind : stores) {
            running.add(start(kind));
        }
        try {
            search(running);
        } finally {
            for (Running one : running) {
                one.server().close();
            }
        }
        print();
        return unsound.get() == 0 ? 0 : 1;
    }

    private static Running start(Kind kind) {
        return switch (kind) {
            case CAFFEINE -> new Running(kind, CaffeineIdempotencyStore.create(), () -> {});
            case POSTGRES -> {
                var server = PostgresServer.start();
                var config = new HikariConfig();
                config.setJdbcUrl(server.jdbcUrl());
                config.setMaximumPoolSize(16);
                var pool = new HikariDataSource(config);
                var store = JdbcIdempotencyStore.builder(pool)
                        .wakeUps(server.dataSource())
                        .createSchema()
                        .build();
                yield new Running(kind, store, () -> {
                    pool.close();
                    server.close();
                });
            }
            case REDIS -> {
                var server = RedisServer.start(Map.of("appendonly", "no"));
                var client = RedisClient.create(server.uri());
                var store = RedisIdempotencyStore.create(client);
                yield new Running(kind, store, () -> {
                    store.close();
                    client.shutdown();
                    server.close();
                });
            }
        };
    }

    private void search(List<Running> running) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofMinutes(minutes).toNanos();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < atOnce; i++) {
            var thread = new Thread(() -> {
                try {
                    work(running, end);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
        long report = System.nanoTime();
        while (threads.stream().anyMatch(Thread::isAlive)) {
            threads.get(0).join(1000);
            if (System.nanoTime() - report > Duration.ofMinutes(1).toNanos()) {
                report = System.nanoTime();
                print();
            }
        }
    }

    private void work(List<Running> running, long end) throws InterruptedException {
        var allowed = List.copyOf(policies);
        while (seed == null ? System.nanoTime() < end : programs.get() < repeat) {
            long n = programs.getAndIncrement();
            if (seed != null && n >= repeat) {
                return;
            }
            Running on = running.get((int) (n % running.size()));
            var policy = allowed.get((int) (n / running.size() % allowed.size()));
            judge(on, ChaosProgram.run(on.store(), seed == null ? ThreadLocalRandom.current().nextLong() : seed, policy));
            if (n % PURGE_EVERY < running.size()) {
                on.store().purge(1000);
            }
        }
    }

    private void judge(Running on, ChaosProgram.Report report) {
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
            System.out.println("FAULT --stores " + on.kind() + " --policies " + report.policy() + " --seed=" + report.seed()
                    + "\n  duplicates " + report.duplicates() + "\n  different " + report.different()
                    + "\n  lost " + report.lost() + "\n  hung " + report.hung());
        }
    }

    private void print() {
        System.out.println(LocalTime.now().truncatedTo(ChronoUnit.SECONDS) + " programs " + programs + " executions "
                + executions + " calls " + calls + " effects " + effects + " faults around " + faults + " | duplicates "
                + duplicates + " different " + different + " lost " + lost + " hung " + hung);
    }
}

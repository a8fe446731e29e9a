package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.IdempotencyException;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.Charges.Policy;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.ProviderProcess;
import dev.idempotency.testkit.process.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * While callers charge orders, PostgreSQL is killed and restarted, its sessions are terminated in storms, and its connections
 * are cut. Then it is left alone, and each order is executed until it is resolved or found listed. The seed is printed; more
 * rounds with {@code -Doutage.rounds=...}.
 */
@Execution(ExecutionMode.CONCURRENT)
final class ServerOutageTest {
    private static final int CALLERS = 6;
    private static final int ORDERS_PER_ROUND = 15;
    private static final int ROUNDS = Integer.getInteger("outage.rounds", 3);
    private static final int EXECUTIONS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final long seed = Long.getLong("outage.seed", System.nanoTime());
    private final LedgerCheck check = new LedgerCheck();

    private enum Outage {
        KILL,
        TERMINATE,
        CUT
    }

    @ParameterizedTest
    @EnumSource
    void outages_underLoad_haveOneEffectAndNothingIsLost(Policy policy) throws Exception {
        var random = new SplittableRandom(seed);
        try (var server = PostgresServer.start();
                var provider = ProviderProcess.start();
                var proxy = TcpProxy.start(server.port());
                var pool = new HikariDataSource(config(proxy))) {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .timeout(Duration.ofSeconds(2))
                    // Fewer than the callers: some steps share a statement.
                    .singleSteps(CALLERS / 2)
                    .createSchema()
                    .build();
            Operation<String, String> charge = new Charges(provider).operation(store, policy);
            var outages = new ArrayList<Outage>();
            underLoad(charge, (number, ended) -> {
                for (int round = 0; round < ROUNDS; round++) {
                    Outage outage = Outage.values()[round < 3 ? round : random.nextInt(3)];
                    outages.add(outage);
                    awaitOrders((round + 1) * ORDERS_PER_ROUND, number);
                    strike(outage, server, proxy);
                }
                awaitOrders((ROUNDS + 1) * ORDERS_PER_ROUND, number);
            });
            settle(charge);

            // Judged past the proxy, where a cut may still be waiting for its answer.
            var figures = check.figures(
                    provider.effects(),
                    JdbcIdempotencyStore.builder(server.dataSource()).build());
            System.out.printf(
                    "outages: policy %s, seed %d, %s, %d orders: %s%n",
                    policy, seed, outages, check.orders().size(), figures);
            assertThat(figures.duplicates()).as("duplicates, seed " + seed).isZero();
            assertThat(figures.lost()).as("lost, seed " + seed).isZero();
            assertThat(figures.contradicting())
                    .as("contradicting, seed " + seed)
                    .isZero();
            assertThat(figures.unlisted()).as("unlisted, seed " + seed).isZero();
            if (policy != Policy.HOLD) {
                assertThat(check.orders()).as("seed " + seed).allMatch(check::isAnswered);
            }
        }
    }

    private interface Nemesis {
        void strike(AtomicInteger orders, AtomicBoolean ended) throws Exception;
    }

    private void underLoad(Operation<String, String> charge, Nemesis nemesis) throws Exception {
        var orders = new AtomicInteger();
        var ended = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
        try {
            List<Future<?>> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                callers.add(threads.submit(() -> {
                    while (!ended.get()) {
                        String order = "order-" + orders.incrementAndGet();
                        check.asked(order);
                        execute(charge, order);
                        execute(charge, order);
                    }
                }));
            }
            try {
                nemesis.strike(orders, ended);
            } finally {
                ended.set(true);
            }
            for (Future<?> caller : callers) {
                caller.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private void execute(Operation<String, String> charge, String order) {
        try {
            check.answered(order, charge.execute(order));
        } catch (IdempotencyException e) {
            // Not resolved yet; executed again when all is well.
        }
    }

    private static void awaitOrders(int wanted, AtomicInteger orders) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (orders.get() < wanted && System.nanoTime() < end) {
            LockSupport.parkNanos(5_000_000);
        }
        assertThat(orders.get()).as("callers make progress").isGreaterThanOrEqualTo(wanted);
    }

    private static void strike(Outage outage, PostgresServer server, TcpProxy proxy) throws SQLException {
        switch (outage) {
            case KILL -> {
                server.kill();
                server.restart();
            }
            case TERMINATE -> {
                for (int i = 0; i < 20; i++) {
                    try (Connection connection = server.dataSource().getConnection()) {
                        connection
                                .createStatement()
                                .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <>"
                                        + " pg_backend_pid() AND backend_type = 'client backend'");
                        connection.createStatement().execute("SELECT pg_sleep(0.05)");
                    }
                }
            }
            case CUT -> {
                for (int i = 1; i <= 20; i++) {
                    proxy.cut();
                    proxy.pass();
                    proxy.cutAnswer(i);
                    proxy.delay(Duration.ofMillis(i));
                }
                proxy.delay(Duration.ZERO);
            }
        }
    }

    private void settle(Operation<String, String> charge) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(32);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (String order : check.orders()) {
                all.add(threads.submit(() -> {
                    for (int i = 0; i < EXECUTIONS && !check.isAnswered(order); i++) {
                        execute(charge, order);
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static HikariConfig config(TcpProxy proxy) {
        var config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + proxy.port() + "/postgres?user=postgres&connectTimeout=2");
        config.setMaximumPoolSize(8);
        config.setConnectionTimeout(2_000);
        return config;
    }
}

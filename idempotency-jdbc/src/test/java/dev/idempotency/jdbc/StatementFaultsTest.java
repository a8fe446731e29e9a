package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.IdempotencyException;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.Charges.Policy;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.process.ProviderProcess;
import dev.idempotency.testkit.process.TcpProxy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The connection to PostgreSQL fails in each way at each statement of an execution whose call was answered by nothing; then
 * all is well again, and the order is executed until it is resolved. The provider is another process with its own ledger.
 */
final class StatementFaultsTest {
    /** Reserve, mark in doubt, re-send or found, complete; and what is repeated of them. */
    private static final int STEPS = 6;

    private static final int EXECUTIONS = 10;
    private static final Set<String> STATEMENTS = Set.of("reserve", "replace", "find");
    private static final ProviderProcess PROVIDER = ProviderProcess.start();

    /** What happens to the connection. */
    enum Fault {
        CUT(TcpProxy::cut),
        CUT_ANSWER(proxy -> proxy.cutAnswer(1)),
        HALF_OPEN(TcpProxy::stall),
        DELAY(proxy -> proxy.delay(Duration.ofMillis(300)));

        private final Consumer<TcpProxy> strike;

        Fault(Consumer<TcpProxy> strike) {
            this.strike = strike;
        }
    }

    private final Charges charges = new Charges(PROVIDER);
    private final JdbcIdempotencyStore healthy = Database.store();
    private final LedgerCheck check = new LedgerCheck();

    @AfterAll
    static void stop() {
        PROVIDER.close();
    }

    @ParameterizedTest
    @EnumSource
    void everyStatement_anyFault_hasOneEffectAndNothingIsLost(Policy policy) throws Exception {
        AtomicInteger struck = run(policy, store -> charges.operation(store, policy));

        var figures = check.figures(PROVIDER.effects(), healthy);
        assertThat(struck).as("faults that met a statement").hasValueGreaterThan(Fault.values().length);
        assertThat(figures).isEqualTo(new LedgerCheck.Figures(Fault.values().length * STEPS, 0, 0, 0, 0));
        if (policy != Policy.HOLD) {
            assertThat(check.orders()).allMatch(check::isAnswered);
        }
    }

    /** The same with a classifier that calls a lost answer "not sent": the ledger must show it. */
    @Test
    void everyStatement_recklessClassifier_showsDuplicates() throws Exception {
        run(Policy.HOLD, store -> charges.recklessOperation(store, Policy.HOLD));

        assertThat(check.figures(PROVIDER.effects(), healthy).duplicates()).isPositive();
    }

    private interface Wrap {
        Operation<String, String> around(IdempotencyStore store);
    }

    private AtomicInteger run(Policy policy, Wrap wrap) throws Exception {
        var struck = new AtomicInteger();
        List<Callable<Void>> cells = new ArrayList<>();
        for (Fault fault : Fault.values()) {
            for (int step = 1; step <= STEPS; step++) {
                int at = step;
                cells.add(() -> {
                    cell(policy + "-" + fault + "-" + at + "-" + UUID.randomUUID(), fault, at, wrap, struck);
                    return null;
                });
            }
        }
        ExecutorService threads = Executors.newFixedThreadPool(cells.size());
        try {
            for (var done : threads.invokeAll(cells)) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
        return struck;
    }

    private void cell(String order, Fault fault, int step, Wrap wrap, AtomicInteger struck) {
        check.asked(order);
        try (var proxy = TcpProxy.start(Database.server().port());
                var pool = new HikariDataSource(config(proxy))) {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(pool)
                    .schema(healthy.table().schema())
                    .timeout(Duration.ofSeconds(1))
                    .build();
            Operation<String, String> charge = wrap.around(sabotaged(store, proxy, fault, step, struck));
            for (int i = 0; i < EXECUTIONS && !check.isAnswered(order); i++) {
                try {
                    check.answered(order, charge.execute(order));
                } catch (IdempotencyException e) {
                    // Not resolved yet; executed again.
                }
            }
        }
    }

    private static HikariConfig config(TcpProxy proxy) {
        var config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + proxy.port() + "/postgres?user=postgres&connectTimeout=2");
        config.setMaximumPoolSize(2);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(1_000);
        return config;
    }

    /** At one step the connection fails, and from the next on it works again. */
    private static IdempotencyStore sabotaged(
            IdempotencyStore store, TcpProxy proxy, Fault fault, int step, AtomicInteger struck) {
        var steps = new AtomicInteger();
        return (IdempotencyStore) Proxy.newProxyInstance(
                IdempotencyStore.class.getClassLoader(),
                new Class<?>[] {IdempotencyStore.class},
                (self, method, arguments) -> {
                    if (STATEMENTS.contains(method.getName())) {
                        int now = steps.incrementAndGet();
                        if (now == step) {
                            struck.incrementAndGet();
                            fault.strike.accept(proxy);
                        } else if (now == step + 1) {
                            proxy.pass();
                            proxy.delay(Duration.ZERO);
                        }
                    }
                    try {
                        return method.invoke(store, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}

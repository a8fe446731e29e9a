package com.example.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.ProviderProcess;
import dev.idempotency.testkit.process.TcpProxy;
import java.net.http.HttpResponse;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.support.TransactionTemplate;

/** The application as a whole: its web server, a PostgreSQL, and a provider in a process of its own that is reached through a proxy. */
final class ShopTest {
    private static final long SECONDS = 30;

    private static PostgresServer postgres;
    private static ProviderProcess provider;
    private static TcpProxy line;
    private static RunningShop shop;

    private final Order order = new Order("ORD-" + UUID.randomUUID(), 1250, "EUR", "Ada");
    private final JdbcTemplate jdbc = shop.bean(JdbcTemplate.class);
    private final TransactionTemplate transaction = shop.bean(TransactionTemplate.class);

    @BeforeAll
    static void start() {
        postgres = PostgresServer.start();
        provider = ProviderProcess.start("--capabilities", "native", "--window", "PT24H");
        line = TcpProxy.start(provider.uri().getPort());
        shop = RunningShop.start(postgres.jdbcUrl(), line.port());
    }

    @AfterAll
    static void stop() {
        shop.close();
        line.close();
        provider.close();
        postgres.close();
    }

    // ---- over HTTP

    @Test
    void order_whoseReplyIsLost_isSentAgainAndChargedOnce() throws Exception {
        HttpResponse<String> first = postAndLoseTheReply("orders");
        assertThat(first.statusCode()).isEqualTo(202);
        assertThat(first.headers().firstValue("Retry-After")).hasValue("5");
        assertThat(first.body()).contains("urn:shop:in-doubt");
        assertThat(shop.get("actuator/health/idempotency").body()).contains("\"UP\"", "\"inDoubt\":1");

        HttpResponse<String> second = shop.post("orders", order);
        HttpResponse<String> third = shop.post("orders", order);

        assertThat(second.statusCode()).isEqualTo(201);
        assertThat(third.body()).isEqualTo(second.body()).contains(order.orderId());
        assertThat(effects()).isEqualTo(1);
        assertThat(stateOfOrder()).isEqualTo("PAID");
        assertThat(shop.get("actuator/health/idempotency").body()).contains("\"inDoubt\":0");
    }

    /** The control: the same loss, the same client, without the library. */
    @Test
    void unprotectedOrder_whoseReplyIsLost_isChargedTwice() throws Exception {
        HttpResponse<String> first = postAndLoseTheReply("unprotected");
        assertThat(first.statusCode()).isEqualTo(500);

        assertThat(shop.post("unprotected", order).statusCode()).isEqualTo(201);

        assertThat(effects()).isEqualTo(2);
    }

    @Test
    void order_withOtherData_isRefused() {
        shop.post("orders", order);

        HttpResponse<String> changed = shop.post("orders", new Order(order.orderId(), 9900, "EUR", "Ada"));

        assertThat(changed.statusCode()).isEqualTo(422);
        assertThat(changed.body()).contains("urn:shop:mismatch");
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void order_whenTheProviderIsNotThere_isFreeAgain() {
        var gone = shopOf(shop.bean(JdbcIdempotencyStore.class), 1);

        assertThatThrownBy(() -> gone.execute(order)).hasMessageContaining("charge");
        assertThat(state("charge")).isEqualTo(State.OPEN);

        assertThat(shop.post("orders", order).statusCode()).isEqualTo(201);
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void metrics_ofTheLibrary_areThoseOfTheActuator() {
        shop.post("orders", order);
        shop.post("orders", order);

        assertThat(shop.get("actuator/metrics").body())
                .contains(
                        "\"idempotency.executions\"",
                        "\"idempotency.replays\"",
                        "\"idempotency.doubts\"",
                        "\"idempotency.in.doubt\"",
                        "\"idempotency.store.steps\"");
        HttpResponse<String> replayed =
                shop.get("actuator/metrics/idempotency.executions?tag=operation:charge&tag=outcome:replayed");
        assertThat(replayed.statusCode()).isEqualTo(200);
        assertThat(replayed.body()).contains("COUNT");
    }

    // ---- beside the transaction of the application

    // tag::rollback[]
    @Test
    void record_whenTheTransactionAroundItRollsBack_staysWithItsEffect() {
        Operation<Order, Charge> charge = charge();
        transaction.executeWithoutResult(status -> {
            jdbc.update("INSERT INTO shop_order VALUES (?, ?, 'PLACED')", order.orderId(), order.amount());
            charge.execute(order);
            status.setRollbackOnly();
        });

        assertThat(count("shop_order")).isZero();
        assertThat(state("charge")).isEqualTo(State.COMPLETED);
        charge.execute(order);
        assertThat(effects()).isEqualTo(1);
    }
    // end::rollback[]

    @Test
    void checkout_withinATransaction_isRefusedBeforeAnythingIsSent() {
        var checkout = shop.bean(Checkout.class);

        assertThatThrownBy(() -> transaction.execute(status -> checkout.pay(order)))
                .isInstanceOf(IllegalTransactionStateException.class);

        assertThat(effects()).isZero();
        assertThat(count("shop_order")).isZero();
    }

    /** Why the store has a pool of its own. */
    @Test
    void order_whenTheTransactionHoldsTheOnlyConnection_isNotSent() {
        try (var pool = new HikariDataSource()) {
            pool.setJdbcUrl(postgres.jdbcUrl());
            pool.setMaximumPoolSize(1);
            pool.setConnectionTimeout(500);
            var charge = shopOf(JdbcIdempotencyStore.create(pool), line.port());
            var around = new TransactionTemplate(new DataSourceTransactionManager(pool));

            assertThatThrownBy(() -> around.execute(status -> charge.execute(order)))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("nothing was");

            assertThat(effects()).isZero();
            charge.execute(order);
            assertThat(effects()).isEqualTo(1);
        }
    }

    @Test
    void store_onADataSourceThatIsBoundToTheTransaction_isRefused() {
        var bound = new TransactionAwareDataSourceProxy(shop.bean(DataSource.class));
        var charge = shopOf(JdbcIdempotencyStore.create(bound), line.port());

        assertThatThrownBy(() -> transaction.executeWithoutResult(status -> {
                    jdbc.update("INSERT INTO shop_order VALUES (?, ?, 'PLACED')", order.orderId(), order.amount());
                    charge.execute(order);
                }))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("in a transaction already");

        assertThat(effects()).isZero();
    }

    // ---- in the transaction of the application

    @Test
    void points_whenTheTransactionCommits_areThereOnce() {
        Points given = transaction.execute(status -> loyalty().award(order));
        Points again = transaction.execute(status -> loyalty().award(order));

        assertThat(again).isEqualTo(given).extracting(Points::points).isEqualTo(12L);
        assertThat(count("points")).isEqualTo(1);
        assertThat(state("award")).isEqualTo(State.COMPLETED);
    }

    @Test
    void points_whenTheTransactionRollsBack_areNeitherThereNorRecorded() {
        transaction.executeWithoutResult(status -> {
            loyalty().award(order);
            assertThat(count("points")).isEqualTo(1);
            status.setRollbackOnly();
        });

        assertThat(count("points")).isZero();
        assertThat(state("award")).isEqualTo(State.IN_FLIGHT);
        transaction.execute(status -> loyalty().award(order)); // waits for the lease of the attempt that is gone
        assertThat(count("points")).isEqualTo(1);
        assertThat(state("award")).isEqualTo(State.COMPLETED);
    }

    @Test
    void points_whenTheTransactionGoesOnAfterwards_areCommittedWithTheRest() {
        transaction.executeWithoutResult(status -> {
            jdbc.update("INSERT INTO shop_order VALUES (?, ?, 'PLACED')", order.orderId(), order.amount());
            loyalty().award(order);
            jdbc.update("UPDATE shop_order SET state = 'AWARDED' WHERE order_id = ?", order.orderId());
        });

        assertThat(stateOfOrder()).isEqualTo("AWARDED");
        assertThat(count("points")).isEqualTo(1);
    }

    @Test
    void points_withoutATransaction_areRefused() {
        assertThatThrownBy(() -> loyalty().award(order)).isInstanceOf(IllegalTransactionStateException.class);
    }

    @Test
    void points_throughATransactionAwareDataSource_areCommittedAndRolledBackToo() {
        var aware = new TransactionAwareDataSourceProxy(shop.bean(DataSource.class));
        var loyalty = new Loyalty(award(), shop.bean(JdbcIdempotencyStore.class), aware);

        transaction.executeWithoutResult(status -> {
            loyalty.award(order);
            status.setRollbackOnly();
        });
        assertThat(count("points")).isZero();

        transaction.executeWithoutResult(status -> loyalty.award(order));
        assertThat(count("points")).isEqualTo(1);
    }

    // ---- ends and outages

    @Test
    void close_whileAnOrderIsAtTheProvider_finishesIt() throws Exception {
        try (var second = RunningShop.start(postgres.jdbcUrl(), line.port())) {
            var records = second.context().getBean("recordsPool", HikariDataSource.class);
            var closing = new CountDownLatch(1);
            second.context()
                    .addApplicationListener((ApplicationListener<ContextClosedEvent>) event -> closing.countDown());
            provider.hold(order.orderId(), Gate.BEFORE_RESPONSE);
            var answer = second.postAsync("orders", order);
            assertThat(provider.awaitHeld(order.orderId())).isTrue();

            // Not in the common pool: on two processors its only thread would be waited for by the JDK's HTTP client.
            var closed = new FutureTask<Void>(second::close, null);
            new Thread(closed, "closing").start();
            assertThat(closing.await(SECONDS, TimeUnit.SECONDS)).isTrue();
            provider.letGo(order.orderId());

            assertThat(answer.get(SECONDS, TimeUnit.SECONDS).statusCode()).isEqualTo(201);
            closed.get(SECONDS, TimeUnit.SECONDS);
            assertThat(state("charge")).isEqualTo(State.COMPLETED);
            assertThat(stateOfOrder()).isEqualTo("PAID");
            assertThat(records.isClosed()).isTrue();
        }
    }

    @Test
    void health_whenTheStoreIsAway_isDownAndComesBack() {
        try (var server = PostgresServer.start();
                var second = RunningShop.start(server.jdbcUrl(), line.port())) {
            assertThat(second.get("actuator/health/idempotency").statusCode()).isEqualTo(200);

            server.kill();
            HttpResponse<String> down = second.get("actuator/health/idempotency");
            assertThat(down.statusCode()).isEqualTo(503);
            assertThat(down.body()).contains("\"DOWN\"");
            assertThat(second.post("orders", order).statusCode()).isGreaterThanOrEqualTo(500);
            assertThat(effects()).isZero();

            server.restart();
            // Each pool notices by itself that its connections are gone.
            until(() -> second.get("actuator/health/idempotency").statusCode() == 200);
            until(() -> second.post("orders", order).statusCode() == 201);
            assertThat(effects()).isEqualTo(1);
        }
    }

    // ---- what the tests are made of

    private static void until(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the shop came back").isLessThan(deadline);
        }
    }

    /** The provider does what it is asked, its answer is lost on the way, and it cannot be reached until that has been noticed. */
    private HttpResponse<String> postAndLoseTheReply(String path) throws Exception {
        provider.hold(order.orderId(), Gate.BEFORE_RESPONSE);
        var answer = shop.postAsync(path, order);
        assertThat(provider.awaitHeld(order.orderId())).isTrue();
        line.cut();
        try {
            provider.letGo(order.orderId());
            return answer.get(SECONDS, TimeUnit.SECONDS);
        } finally {
            line.pass();
        }
    }

    @SuppressWarnings("unchecked")
    private static Operation<Order, Charge> charge() {
        return (Operation<Order, Charge>) shop.context().getBean("charge");
    }

    @SuppressWarnings("unchecked")
    private static Operation<Order, Points> award() {
        return (Operation<Order, Points>) shop.context().getBean("award");
    }

    private static Loyalty loyalty() {
        return shop.bean(Loyalty.class);
    }

    /** The operation of the application on another store, or with another provider. */
    private static Operation<Order, Charge> shopOf(JdbcIdempotencyStore store, int providerPort) {
        var own = shop.bean(ShopSettings.class);
        var settings = new ShopSettings(
                java.net.URI.create("http://127.0.0.1:" + providerPort), own.lease(), own.waitForStore());
        return new IdempotencyConfiguration().charge(Idempotency.on(store), new ChargeClient(settings), settings);
    }

    private long effects() {
        return provider.effects().stream()
                .filter(effect -> effect.reference().equals(order.orderId()))
                .count();
    }

    private State state(String operation) {
        var record = shop.bean(JdbcIdempotencyStore.class)
                .find(new IdempotencyKey(operation, order.orderId()))
                .record();
        return record == null ? null : record.state();
    }

    private String stateOfOrder() {
        return jdbc.queryForObject("SELECT state FROM shop_order WHERE order_id = ?", String.class, order.orderId());
    }

    private int count(String table) {
        return jdbc.queryForObject(
                "SELECT count(*) FROM " + table + " WHERE order_id = ?", Integer.class, order.orderId());
    }
}

package com.example.shop;

import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.metrics.IdempotencyMetrics;
import dev.idempotency.metrics.ObservationTracing;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The library's beans: all that a Spring application needs of it. */
@Configuration(proxyBeanMethods = false)
class IdempotencyConfiguration {
    private static final int CONNECTIONS = 8;

    /** What the provider documents about its idempotency keys. */
    private static final ProviderProfile PROVIDER = ProviderProfile.of(
            "payments", "https://payments.example/docs/idempotency", KeyFormat.uuid(), Duration.ofHours(24));

    // tag::store[]
    /** A pool of the store's own, on the same database. Not a candidate where a DataSource is wanted, so that Boot's stays the one. */
    @Bean(defaultCandidate = false, destroyMethod = "close")
    @Qualifier("records")
    HikariDataSource recordsPool(DataSource shop, ShopSettings settings) {
        var pool =
                DataSourceBuilder.derivedFrom(shop).type(HikariDataSource.class).build();
        pool.setPoolName("records");
        pool.setMaximumPoolSize(CONNECTIONS);
        pool.setConnectionTimeout(settings.waitForStore().toMillis());
        return pool;
    }

    @Bean
    JdbcIdempotencyStore idempotencyStore(@Qualifier("records") DataSource records) {
        return JdbcIdempotencyStore.builder(records)
                .singleSteps(CONNECTIONS)
                .createSchema() // leave it out where Flyway or Liquibase has run the library's schema.sql
                .build();
    }
    // end::store[]

    // tag::engine[]
    /** Boot binds it to the meter registry, for it is a MeterBinder. */
    @Bean(destroyMethod = "close")
    IdempotencyMetrics idempotencyMetrics(JdbcIdempotencyStore store) {
        return IdempotencyMetrics.of(store);
    }

    @Bean(destroyMethod = "close")
    Idempotency idempotency(JdbcIdempotencyStore store, IdempotencyMetrics metrics, ObservationRegistry observations) {
        return Idempotency.builder(store)
                .listener(metrics)
                .tracing(ObservationTracing.on(observations))
                .build();
    }

    @Bean
    Admin idempotencyAdmin(JdbcIdempotencyStore store, IdempotencyMetrics metrics) {
        return Admin.builder(store).listener(metrics.ofPeople()).build();
    }
    // end::engine[]

    // tag::operation[]
    @Bean
    Operation<Order, Charge> charge(Idempotency idempotency, ChargeClient client, ShopSettings settings) {
        return idempotency
                .operation("charge", Order.class, Charge.class)
                .key(Order::orderId)
                .recovery(Recovery.nativeKey(PROVIDER))
                .failures(ChargeClient.failures())
                .keepRequests() // the reconciler has no caller who knows them
                .lease(settings.lease())
                .calling((order, attempt) -> client.charge(order, attempt.nativeKey()));
    }
    // end::operation[]

    // tag::same-transaction[]
    @Bean
    Operation<Order, Points> award(Idempotency idempotency, JdbcIdempotencyStore store, ShopSettings settings) {
        return idempotency
                .operation("award", Order.class, Points.class)
                .key(Order::orderId)
                .lease(settings.lease())
                .callingInTransactionOf(store, (order, attempt, handle) -> {
                    long points = order.amount() / 100;
                    int number = handle.createQuery(
                                    "INSERT INTO points (order_id, points) VALUES (?, ?) RETURNING number")
                            .bind(0, order.orderId())
                            .bind(1, points)
                            .mapTo(Integer.class)
                            .one();
                    return new Points(number, points);
                });
    }
    // end::same-transaction[]

    // tag::reconciler[]
    @Bean(initMethod = "start", destroyMethod = "close")
    Reconciler reconciler(Idempotency idempotency, List<Operation<?, ?>> operations) {
        return Reconciler.on(idempotency)
                .operations(operations.toArray(Operation<?, ?>[]::new))
                .build();
    }
    // end::reconciler[]
}

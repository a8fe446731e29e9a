package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import java.time.LocalDate;
import javax.sql.DataSource;

/** The code of the guide on PostgreSQL. */
final class PostgresSnippets {
    private PostgresSnippets() {}

    static Idempotency open(DataSource dataSource) {
        // tag::open[]
        var store = JdbcIdempotencyStore.builder(dataSource).createSchema().build();
        var idempotency = Idempotency.on(store);
        // end::open[]
        return idempotency;
    }

    static JdbcIdempotencyStore wakeUps(DataSource dataSource) {
        // tag::wake-ups[]
        var store = JdbcIdempotencyStore.builder(dataSource).wakeUps(dataSource).build();
        // end::wake-ups[]
        return store;
    }

    static JdbcIdempotencyStore manyCallers(DataSource dataSource) {
        // tag::many-callers[]
        var store = JdbcIdempotencyStore.builder(dataSource)
                .singleSteps(8) // the connections of its pool
                .build();
        // end::many-callers[]
        return store;
    }

    static boolean partitions(DataSource dataSource, LocalDate today) {
        // tag::partitions[]
        var store = JdbcIdempotencyStore.builder(dataSource)
                .table("charge_by_day")
                .partitionedByDay(key -> LocalDate.parse(key.value().substring(0, 10)))
                .createSchema()
                .build();

        store.createPartitions(today, today.plusDays(7)); // every day, well ahead
        boolean gone = store.dropPartition(today.minusDays(30)); // not while anything in it must be kept
        // end::partitions[]
        return gone;
    }
}

package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.docs.SameTransactionSnippets.Booking;
import dev.idempotency.docs.SameTransactionSnippets.BookingRequest;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** The code of the guide, on a real PostgreSQL. */
final class SameTransactionTest {
    @Test
    void book_twice_writesEachBookingOnce() {
        try (var server = PostgresServer.start()) {
            var dataSource = server.dataSource();
            JdbcIdempotencyStore.builder(dataSource).createSchema();
            var jdbi = Jdbi.create(dataSource);
            jdbi.useHandle(handle -> {
                handle.execute("CREATE TABLE booking (id serial PRIMARY KEY, order_id text, amount integer)");
                handle.execute("CREATE TABLE orders (id text PRIMARY KEY, state text)");
                handle.execute("INSERT INTO orders VALUES ('ORD-1-joined', 'NEW')");
            });
            var order = new BookingRequest("ORD-1", 1250);

            Booking booked = SameTransactionSnippets.book(dataSource, order);
            Booking replayed = SameTransactionSnippets.book(dataSource, order);

            assertThat(replayed).isEqualTo(booked);
            assertThat(texts(jdbi, "SELECT order_id FROM booking ORDER BY id"))
                    .containsExactly("ORD-1", "ORD-1-joined");
            assertThat(texts(jdbi, "SELECT state FROM orders")).containsExactly("BOOKED");
        }
    }

    private static List<String> texts(Jdbi jdbi, String query) {
        return jdbi.withHandle(
                handle -> handle.createQuery(query).mapTo(String.class).list());
    }
}

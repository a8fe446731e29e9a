package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/** The code of the guide on calls in a transaction of the store. */
final class SameTransactionSnippets {
    private SameTransactionSnippets() {}

    record BookingRequest(String orderId, int amount) {}

    record Booking(int id, int amount) {}

    static Booking book(DataSource dataSource, BookingRequest order) {
        // tag::operation[]
        var store = JdbcIdempotencyStore.create(dataSource);
        var idempotency = Idempotency.on(store);

        var book = idempotency
                .operation("book", BookingRequest.class, Booking.class)
                .key(BookingRequest::orderId)
                .callingInTransactionOf(store, (request, attempt, handle) -> {
                    int id = handle.createQuery("INSERT INTO booking (order_id, amount) VALUES (?, ?) RETURNING id")
                            .bind(0, request.orderId())
                            .bind(1, request.amount())
                            .mapTo(Integer.class)
                            .one();
                    return new Booking(id, request.amount());
                });

        Booking booking = book.execute(order);
        // end::operation[]
        join(Jdbi.create(dataSource), store, book, new BookingRequest(order.orderId() + "-joined", 1));
        idempotency.close();
        return booking;
    }

    private static void join(
            Jdbi jdbi, JdbcIdempotencyStore store, Operation<BookingRequest, Booking> book, BookingRequest order) {
        // tag::joining[]
        jdbi.useTransaction(handle -> {
            handle.execute("UPDATE orders SET state = 'BOOKED' WHERE id = ?", order.orderId());
            store.joining(handle, () -> book.execute(order));
        });
        // end::joining[]
    }
}

package dev.idempotency.jdbc;

import static dev.idempotency.jdbc.Bookings.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.Reconciler;
import dev.idempotency.jdbc.Bookings.Booking;
import dev.idempotency.jdbc.Bookings.Order;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.ReconcilerCases;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
final class JdbcReconcilerTest extends ReconcilerCases {
    private final IdempotencyStore store = Database.store();

    @Override
    protected IdempotencyStore store() {
        return store;
    }

    @Test
    void sweep_freesAKeyWhoseTransactionLapsed_andTheLateTransactionIsUndone() throws Exception {
        try (var bookings = Bookings.open();
                var idempotency = Idempotency.builder(bookings.store).build()) {
            var calls = new AtomicInteger();
            var insideTheCall = new CountDownLatch(1);
            var goOn = new CountDownLatch(1);
            var slow = bookings.shortLived().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
                calls.incrementAndGet();
                var booking = bookings.insert(order, attempt, handle);
                insideTheCall.countDown();
                goOn.await();
                return booking;
            });
            var registered = idempotency
                    .operation("book", Order.class, Booking.class)
                    .key(Order::id)
                    .callingInTransactionOf(bookings.store, bookings::insert);
            CompletableFuture<Booking> caller = CompletableFuture.supplyAsync(() -> slow.execute(ORDER));
            try (var reconciler =
                    Reconciler.on(idempotency).operations(registered).build()) {
                insideTheCall.await();
                bookings.awaitLapse();

                var sweep = reconciler.sweep();

                assertThat(sweep.resolved()).isEqualTo(1);
                assertThat(sweep.failed()).isZero();
                assertThat(bookings.record().state()).isEqualTo(State.OPEN);
            } finally {
                goOn.countDown();
            }

            Booking booking = caller.join();

            assertThat(calls).as("the first one's transaction was undone").hasValue(2);
            assertThat(bookings.committed()).containsExactly(booking.id());
        }
    }
}

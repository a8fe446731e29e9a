package dev.idempotency.jdbc;

import static dev.idempotency.jdbc.Bookings.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NearCache;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.Bookings.Booking;
import dev.idempotency.jdbc.Bookings.Order;
import dev.idempotency.store.State;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.transaction.TransactionIsolationLevel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Effect and record in a transaction of the caller's. */
@Timeout(120)
final class JoinedTransactionTest {
    private final Bookings bookings = Bookings.open();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final AtomicInteger calls = new AtomicInteger();

    @AfterEach
    void close() {
        callers.shutdownNow();
        bookings.close();
    }

    private Operation<Order, Booking> booking() {
        return bookings.booking();
    }

    /** Something else that the caller does in his transaction. */
    private void other(Handle handle) {
        handle.execute("INSERT INTO " + bookings.schema + ".booking (id, order_id, amount) VALUES (-1, 'other', 1)");
    }

    private Booking join(Handle transaction, Operation<Order, Booking> operation) {
        return bookings.store.joining(transaction, () -> operation.execute(ORDER));
    }

    @Test
    void joined_committedByTheCaller_allOfItCounts() {
        Booking booked = bookings.jdbi.inTransaction(transaction -> {
            other(transaction);
            Booking booking = join(transaction, booking());
            assertThat(bookings.committed()).isEmpty();
            assertThat(bookings.record().state()).isEqualTo(State.IN_FLIGHT);
            return booking;
        });

        assertThat(bookings.committed()).containsExactly(-1, 1);
        assertThat(bookings.record().state()).isEqualTo(State.COMPLETED);
        assertThat(booking().execute(ORDER)).isEqualTo(booked);
    }

    @Test
    void joined_rolledBackByTheCaller_keepsTheReservationUntilItLapses() {
        bookings.jdbi.useHandle(handle -> {
            handle.begin();
            join(handle, booking());
            handle.rollback();
        });
        assertThat(bookings.committed()).isEmpty();
        assertThat(bookings.record().state()).isEqualTo(State.IN_FLIGHT);
        var impatient = bookings.book()
                .waitAtMost(Duration.ZERO)
                .lease(Duration.ofSeconds(30))
                .callingInTransactionOf(bookings.store, bookings::insert);

        bookings.awaitLapse();

        assertThat(impatient.execute(ORDER)).isEqualTo(new Booking(2, 100));
        assertThat(bookings.committed()).containsExactly(2);
        assertThat(bookings.happened()).contains(Type.TAKEN_OVER);
    }

    @Test
    void joined_notCommittedYet_isInFlightForOthers() {
        var impatient =
                bookings.book().waitAtMost(Duration.ZERO).callingInTransactionOf(bookings.store, bookings::insert);

        bookings.jdbi.useTransaction(transaction -> {
            bookings.store.joining(transaction, () -> impatient.execute(ORDER));
            var elsewhere = callers.submit(() -> impatient.execute(ORDER));
            assertThatThrownBy(() -> elsewhere.get(60, TimeUnit.SECONDS)).hasCauseInstanceOf(InFlightException.class);
        });

        assertThat(impatient.execute(ORDER)).isEqualTo(new Booking(1, 100));
    }

    @Test
    void joined_stillOpenWhenTheLeaseLapses_isNotTakenOver() throws Exception {
        Handle transaction = bookings.jdbi.open().begin();
        try {
            Booking booked = join(transaction, booking());
            bookings.awaitLapse();
            Future<Booking> other = callers.submit(() -> booking().execute(ORDER));
            bookings.awaitWaitForRow();
            transaction.commit();

            assertThat(other.get(60, TimeUnit.SECONDS)).isEqualTo(booked);
            assertThat(bookings.committed()).containsExactly(1);
        } finally {
            transaction.close();
        }
    }

    @Test
    void joined_callThatFails_leavesNothingBehindInACommittedTransaction() {
        var failing = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.insert(order, attempt, handle);
            throw new IOException("no such account");
        });

        bookings.jdbi.useTransaction(transaction -> {
            other(transaction);
            assertThatThrownBy(() -> join(transaction, failing))
                    .isInstanceOf(NotExecutedException.class)
                    .hasRootCauseMessage("no such account");
        });

        assertThat(bookings.committed()).containsExactly(-1);
        assertThat(bookings.record().state()).isEqualTo(State.OPEN);
    }

    /** As a data source for distributed transactions does. */
    @Test
    void joined_callThatFailsAndCannotBeUndone_isInDoubt() throws SQLException {
        var failing = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.insert(order, attempt, handle);
            throw new IOException("no such account");
        });

        try (Connection connection = Database.pool().getConnection()) {
            connection.setAutoCommit(false);
            Connection refusing = refusing("rollback", connection);
            assertThatThrownBy(() -> bookings.store.joining(refusing, () -> failing.execute(ORDER)))
                    .hasStackTraceContaining("could not be undone: roll the joined transaction back");
            connection.rollback();
        }

        assertThat(bookings.committed()).isEmpty();
        assertThat(bookings.record().state()).isNotEqualTo(State.OPEN);
    }

    private static Connection refusing(String name, Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                JoinedTransactionTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals(name)) {
                        throw new SQLException(name + " is not for you");
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void joined_statementThatFails_leavesTheTransactionUsable() {
        var failing = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            handle.execute("SELECT 1 / 0");
            return new Booking(0, 0);
        });

        bookings.jdbi.useTransaction(transaction -> {
            assertThatThrownBy(() -> join(transaction, failing)).isInstanceOf(NotExecutedException.class);
            other(transaction);
        });

        assertThat(bookings.committed()).containsExactly(-1);
    }

    @Test
    void joined_twiceInOneTransaction_isCalledOnce() {
        var counting = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            calls.incrementAndGet();
            return bookings.insert(order, attempt, handle);
        });

        bookings.jdbi.useTransaction(transaction -> {
            Booking first = join(transaction, counting);
            assertThat(join(transaction, counting)).isEqualTo(first);
            assertThatThrownBy(() ->
                            bookings.store.joining(transaction, () -> counting.execute(new Order(ORDER.id(), 999))))
                    .isInstanceOf(MismatchException.class);
        });

        assertThat(calls).hasValue(1);
        assertThat(bookings.committed()).hasSize(1);
    }

    @Test
    void joined_afterAnotherRunHasCompleted_replays() {
        Booking booked = booking().execute(ORDER);

        Booking again = bookings.jdbi.inTransaction(transaction -> join(transaction, booking()));

        assertThat(again).isEqualTo(booked);
        assertThat(bookings.committed()).hasSize(1);
    }

    @Test
    void joined_byConnection_countsWithItsCommit() throws SQLException {
        try (Connection connection = Database.pool().getConnection()) {
            connection.setAutoCommit(false);
            Booking booked = bookings.store.joining(connection, () -> booking().execute(ORDER));
            assertThat(bookings.committed()).isEmpty();
            connection.commit();

            assertThat(bookings.committed()).containsExactly(booked.id());
        }
    }

    @Test
    void joining_over_theThreadIsItselfAgain() {
        bookings.jdbi.useHandle(handle -> {
            handle.begin();
            assertThatThrownBy(() -> bookings.store.joining(handle, () -> {
                        assertThat(bookings.store.isJoined()).isTrue();
                        throw new IOException("out");
                    }))
                    .isInstanceOf(IOException.class);
            assertThat(bookings.store.isJoined()).isFalse();
            Booking booked = booking().execute(ORDER);
            handle.rollback();

            assertThat(bookings.committed()).containsExactly(booked.id());
        });
    }

    @Test
    void joining_withinAnother_usesTheInnerOneAndThenTheOuterOne() {
        bookings.jdbi.useHandle(outer -> {
            outer.begin();
            bookings.store.joining(outer, () -> {
                bookings.outside.useTransaction(inner -> join(inner, booking()));
                assertThat(bookings.committed()).hasSize(1);
                return booking().execute(new Order("o-2", 2));
            });
            outer.rollback();
        });

        assertThat(bookings.committed()).hasSize(1);
    }

    @Test
    void executeAsync_joined_isRefused() {
        bookings.jdbi.useTransaction(transaction -> assertThatThrownBy(() ->
                        bookings.store.joining(transaction, () -> booking().executeAsync(ORDER)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("belongs to this thread"));
    }

    @Test
    void executeTwiceJoined_rolledBack_nobodyIsGivenTheOutcomeThatWasNeverCommitted() {
        var near = NearCache.create(1 << 20, Duration.ofMinutes(1));
        try (var here = Idempotency.builder(bookings.store).nearCache(near).build()) {
            var booking = here.operation("book", Order.class, Booking.class)
                    .key(Order::id)
                    .lease(Bookings.LEASE)
                    .waitAtMost(Duration.ofSeconds(60))
                    .callingInTransactionOf(bookings.store, bookings::insert);
            bookings.jdbi.useHandle(handle -> {
                handle.begin();
                Booking rolledBack = join(handle, booking);
                assertThat(join(handle, booking)).isEqualTo(rolledBack);
                handle.rollback();

                Booking booked = booking.execute(ORDER);

                assertThat(booked).isNotEqualTo(rolledBack);
                assertThat(bookings.committed()).containsExactly(booked.id());
            });
        }
    }

    // ---- what cannot be joined

    @Test
    void joining_anAbortedTransaction_isRefusedAndNothingIsWritten() {
        bookings.jdbi.useHandle(handle -> {
            handle.begin();
            assertThatThrownBy(() -> handle.execute("SELECT 1 / 0")).isNotNull();

            assertThatThrownBy(() -> join(handle, booking()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("aborted by an earlier failure");
            handle.rollback();
        });

        assertThat(bookings.store.find(Bookings.KEY).record()).isNull();
    }

    @Test
    void joining_aTransactionThatIsAbortedLater_writesNothing() {
        bookings.jdbi.useHandle(handle -> {
            handle.begin();
            assertThatThrownBy(() -> bookings.store.joining(handle, () -> {
                        assertThatThrownBy(() -> handle.execute("SELECT 1 / 0")).isNotNull();
                        return booking().execute(ORDER);
                    }))
                    .hasMessageContaining("aborted by an earlier failure");
            handle.rollback();
        });

        assertThat(bookings.store.find(Bookings.KEY).record()).isNull();
    }

    @Test
    void joining_noTransaction_isRefused() {
        bookings.jdbi.useHandle(handle -> assertThatThrownBy(() -> join(handle, booking()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Begin one first"));
    }

    @Test
    void joining_aTransactionWithAnOldView_isRefused() {
        for (var level : new TransactionIsolationLevel[] {
            TransactionIsolationLevel.REPEATABLE_READ, TransactionIsolationLevel.SERIALIZABLE
        }) {
            assertThatThrownBy(() -> bookings.jdbi.useTransaction(level, handle -> join(handle, booking())))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("not READ COMMITTED");
        }
        assertThat(bookings.store.find(Bookings.KEY).record()).isNull();
    }
}

package dev.idempotency.jdbc;

import static dev.idempotency.jdbc.Bookings.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.Guarantee.Level;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.InFlightException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.jdbc.Bookings.Booking;
import dev.idempotency.jdbc.Bookings.Order;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.process.ChildJvm;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.PgConnection;

/** Effect and record in one transaction of PostgreSQL. */
@Timeout(120)
final class SameTransactionTest {
    private final Bookings bookings = Bookings.open();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final AtomicInteger calls = new AtomicInteger();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    @AfterEach
    void close() {
        callers.shutdownNow();
        bookings.close();
    }

    private static Booking get(Future<Booking> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static void pass(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(60, TimeUnit.SECONDS)) {
            throw new AssertionError("the latch never opened");
        }
    }

    /** Inserts, and then stands still until it is told to go on. */
    private Booking slowly(Order order, Attempt attempt, Handle handle) throws InterruptedException {
        Booking booking = bookings.insert(order, attempt, handle);
        begun.countDown();
        pass(goOn);
        return booking;
    }

    // ---- the end of the transaction is not the call's

    private interface Ending {
        void by(Connection connection) throws SQLException;
    }

    /** Booked, committed past the library, and failed: nobody may be told that nothing was executed. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    void call_thatEndsItsTransaction_isRefusedAndLeavesNothing(int way) {
        List<Ending> endings = List.of(
                connection -> connection.createStatement().getConnection().commit(),
                connection ->
                        connection.prepareStatement("SELECT 1").getConnection().commit(),
                connection -> connection.unwrap(Connection.class).commit(),
                connection -> connection.createStatement().execute("COMMIT"),
                connection -> connection.createStatement().execute(" -- done\n/* now */ end work"),
                connection -> connection.prepareStatement("rollback").execute(),
                connection -> connection.createStatement().execute("SELECT ';'; COMMIT"));
        var book = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.insert(order, attempt, handle);
            endings.get(way).by(handle.getConnection());
            return new Booking(0, 0);
        });

        assertThatThrownBy(() -> book.execute(ORDER))
                .isInstanceOf(NotExecutedException.class)
                .hasRootCauseInstanceOf(SQLException.class)
                .rootCause()
                .hasMessageContaining("is not for the call");
        assertThat(bookings.committed()).isEmpty();
    }

    @Test
    void call_withSavepointsAndTextsThatOnlyMentionACommit_isLeftAlone() {
        var book = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            Connection connection = handle.getConnection();
            connection.createStatement().execute("SAVEPOINT mine");
            connection.createStatement().execute("SELECT 'x; COMMIT'; SELECT 2");
            connection.createStatement().execute("ROLLBACK TO SAVEPOINT mine");
            connection.createStatement().execute("rollback work to mine");
            connection.rollback(connection.setSavepoint("end"));
            return bookings.insert(order, attempt, handle);
        });

        book.execute(ORDER);

        assertThat(bookings.committed()).hasSize(1);
    }

    /** What gets past the connection that it was given, by way of the driver's own class. */
    @Test
    void call_thatEndsItsTransactionBehindOurBack_isNotSaidToHaveDoneNothing() {
        assertThatThrownBy(() -> bookings.store.inTransaction(transaction -> {
                    transaction.getConnection().unwrap(PgConnection.class).commit();
                    throw new IllegalStateException("and then it fails");
                }))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isTrue())
                .hasMessageContaining("has ended the transaction");
        assertThatThrownBy(() -> bookings.store.inTransaction(transaction -> {
                    transaction.getConnection().unwrap(PgConnection.class).commit();
                    return "and goes on";
                }))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isTrue());
    }

    /** A renewal changes the record after the transaction's snapshot, which another isolation would be refused for. */
    @ParameterizedTest
    @ValueSource(strings = {"repeatable\\ read", "serializable"})
    void call_thatIsRenewedMeanwhile_isCommittedWhateverTheIsolationOfThePool(String isolation) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setOptions("-cdefault_transaction_isolation=" + isolation);
        try (var others = Bookings.open(dataSource)) {
            var book = others.book()
                    .lease(Duration.ofSeconds(1))
                    .callingInTransactionOf(others.store, (order, attempt, handle) -> {
                        calls.incrementAndGet();
                        Booking booking = others.insert(order, attempt, handle);
                        long before = others.record().version();
                        Bookings.awaitTrue("a renewal", () -> others.record().version() > before);
                        return booking;
                    });

            book.execute(ORDER);

            assertThat(calls).hasValue(1);
            assertThat(others.committed()).hasSize(1);
        }
    }

    // ---- one effect

    @Test
    void execute_manyRunsOfOneKey_oneBooking() throws Exception {
        var here = bookings.booking();
        var there = bookings.booking();
        var runs = new ArrayList<Future<Booking>>();
        for (int i = 0; i < 16; i++) {
            var operation = i % 2 == 0 ? here : there;
            runs.add(callers.submit(() -> operation.execute(ORDER)));
        }

        var answers = new HashSet<Booking>();
        for (var run : runs) {
            answers.add(get(run));
        }

        assertThat(answers).hasSize(1);
        assertThat(bookings.committed()).hasSize(1);
        assertThat(bookings.record().state()).isEqualTo(State.COMPLETED);
        assertThat(here.explain().level()).isEqualTo(Level.A);
    }

    @Test
    void execute_onAPoolWithoutAutoCommit_oneBooking() {
        var config = new HikariConfig();
        config.setJdbcUrl(Database.server().jdbcUrl());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(2);
        try (var pool = new HikariDataSource(config);
                var others = Bookings.open(pool)) {
            assertThat(others.booking().execute(ORDER)).isEqualTo(new Booking(1, 100));
            assertThat(others.booking().execute(ORDER)).isEqualTo(new Booking(1, 100));
            assertThat(others.committed()).containsExactly(1);
        }
    }

    @Test
    void attempt_pausedPastItsLease_isTakenOverAndItsBookingIsGone() throws Exception {
        var slow = bookings.shortLived().callingInTransactionOf(bookings.store, this::slowly);
        Future<Booking> paused = callers.submit(() -> slow.execute(ORDER));
        pass(begun);
        bookings.awaitLapse();

        assertThat(bookings.booking().execute(ORDER)).isEqualTo(new Booking(2, 100));
        goOn.countDown();

        assertThat(get(paused)).isEqualTo(new Booking(2, 100));
        assertThat(bookings.committed()).containsExactly(2);
        assertThat(bookings.happened())
                .contains(Type.TAKEN_OVER, Type.SUPERSEDED)
                .noneMatch(Type::isAlarm);
        assertThat(bookings.record().attempt()).isEqualTo(2);
    }

    /** The control: what the test above would show if the token were not checked in the transaction. */
    @Test
    void attempt_pausedPastItsLeaseOnAStoreThatComparesNothing_booksTwice() throws Exception {
        var broken = new ComparesNothing(bookings.store);
        var slow = bookings.book(broken)
                .lease(Bookings.LEASE)
                .callTimeout(Duration.ofMillis(10))
                .callingInTransactionOf(broken, this::slowly);
        Future<Booking> paused = callers.submit(() -> slow.execute(ORDER));
        pass(begun);
        bookings.awaitLapse();

        bookings.booking().execute(ORDER);
        goOn.countDown();
        get(paused);

        assertThat(bookings.committed()).hasSize(2);
    }

    /** Replaces in a transaction whatever stands. */
    private static final class ComparesNothing extends ForwardingStore implements TransactionalStore<Handle> {
        private final JdbcIdempotencyStore store;

        ComparesNothing(JdbcIdempotencyStore store) {
            super(store);
            this.store = store;
        }

        @Override
        public <R extends @Nullable Object> R inTransaction(Work<? super Handle, R> work) throws Exception {
            return store.inTransaction(work);
        }

        @Override
        public Snapshot replace(Handle transaction, IdempotencyRecord expected, Write write) {
            return store.replace(
                    transaction,
                    Objects.requireNonNull(store.find(expected.key()).record()),
                    write);
        }

        @Override
        public boolean isJoined() {
            return store.isJoined();
        }
    }

    /** The row lock decides: whoever wants to take over waits for the commit. */
    @Test
    void attempt_lapsedInItsCommit_isNotTakenOver() throws Exception {
        Handle held = bookings.holdCommits();
        var slow = bookings.shortLived().callingInTransactionOf(bookings.store, bookings::insert);
        Future<Booking> committing = callers.submit(() -> slow.execute(ORDER));
        bookings.awaitHeldCommit();
        bookings.awaitLapse();
        Future<Booking> other = callers.submit(() -> bookings.booking().execute(ORDER));
        bookings.awaitWaitForRow();

        bookings.letCommit(held);

        assertThat(get(committing)).isEqualTo(new Booking(1, 100));
        assertThat(get(other)).isEqualTo(new Booking(1, 100));
        assertThat(bookings.committed()).containsExactly(1);
        assertThat(bookings.record().attempt()).isEqualTo(1);
    }

    @Test
    void reserve_whileTheRecordIsBeingCommitted_doesNotWaitForTheCommit() throws Exception {
        Handle held = bookings.holdCommits();
        Future<Booking> committing = callers.submit(() -> bookings.booking().execute(ORDER));
        bookings.awaitHeldCommit();
        var impatient =
                bookings.book().waitAtMost(Duration.ZERO).callingInTransactionOf(bookings.store, bookings::insert);

        assertThatThrownBy(() -> impatient.execute(ORDER)).isInstanceOf(InFlightException.class);
        bookings.letCommit(held);

        assertThat(get(committing)).isEqualTo(new Booking(1, 100));
    }

    // ---- failures of the call

    @Test
    void call_thatThrows_leavesNothingAndFreesTheKey() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            Booking booking = bookings.insert(order, attempt, handle);
            if (calls.incrementAndGet() == 1) {
                throw new SQLException("the account is closed");
            }
            return booking;
        });

        assertThatThrownBy(() -> operation.execute(ORDER))
                .isInstanceOf(NotExecutedException.class)
                .hasRootCauseMessage("the account is closed");
        assertThat(bookings.committed()).isEmpty();
        assertThat(bookings.record().state()).isEqualTo(State.OPEN);

        assertThat(operation.execute(ORDER).amount()).isEqualTo(100);
        assertThat(bookings.committed()).hasSize(1);
    }

    @Test
    void call_thatDeclines_leavesNothingAndIsReplayed() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.insert(order, attempt, handle);
            calls.incrementAndGet();
            throw new DeclinedException("no funds");
        });

        assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(DeclinedException.class);
        assertThatThrownBy(() -> bookings.booking().execute(ORDER)).isInstanceOf(DeclinedException.class);

        assertThat(calls).hasValue(1);
        assertThat(bookings.committed()).isEmpty();
    }

    @Test
    void call_thatViolatesADeferredConstraint_isRefusedInTheCommitAndFreesTheKey() {
        bookings.jdbi.useHandle(handle -> handle.execute(
                "INSERT INTO " + bookings.schema + ".booking (order_id, amount, account) VALUES ('other', 1, 'a')"));
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            handle.execute(
                    "INSERT INTO " + bookings.schema + ".booking (order_id, amount, account) VALUES ('x', 1, 'a')");
            return new Booking(0, 0);
        });

        assertThatThrownBy(() -> operation.execute(ORDER))
                .isInstanceOf(NotExecutedException.class)
                .hasMessageContaining("free again")
                .cause()
                .hasMessageContaining("commit was refused");
        assertThat(bookings.committed()).hasSize(1);
        assertThat(bookings.record().state()).isEqualTo(State.OPEN);
    }

    /** The control: an effect beside the transaction stays when the transaction goes. */
    @Test
    void call_thatWritesBesideItsTransaction_isNotProtected() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.outside.useHandle(beside -> bookings.insert(order, attempt, beside));
            throw new SQLException("the account is closed");
        });

        assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(NotExecutedException.class);
        assertThat(bookings.committed()).hasSize(1);
    }

    @Test
    void call_thatHidesAFailure_isRolledBack() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            bookings.insert(order, attempt, handle);
            try {
                handle.execute("SELECT 1 / 0");
            } catch (RuntimeException e) {
                calls.incrementAndGet();
            }
            return new Booking(0, 0);
        });

        assertThatThrownBy(() -> operation.execute(ORDER))
                .isInstanceOf(NotExecutedException.class)
                .cause()
                .hasMessageContaining("aborted by an earlier failure");
        assertThat(calls).hasValue(1);
        assertThat(bookings.committed()).isEmpty();
    }

    @Test
    void call_thatEndsItsTransaction_isRefused() {
        List<SqlAction> endings = List.of(
                handle -> handle.getConnection().commit(),
                handle -> handle.getConnection().rollback(),
                handle -> handle.getConnection().setAutoCommit(true),
                handle -> handle.getConnection().close(),
                handle -> handle.commit(),
                handle -> handle.rollback());
        for (SqlAction ending : endings) {
            var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
                bookings.insert(order, attempt, handle);
                ending.with(handle);
                return new Booking(0, 0);
            });

            assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(NotExecutedException.class);
        }
        assertThat(bookings.committed()).isEmpty();
        assertThat(bookings.booking().execute(ORDER).amount()).isEqualTo(100);
    }

    private interface SqlAction {
        void with(Handle handle) throws SQLException;
    }

    @Test
    void call_withSavepointsAndNestedTransactions_works() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            var connection = handle.getConnection();
            var savepoint = connection.setSavepoint();
            bookings.insert(order, attempt, handle);
            connection.rollback(savepoint);
            return handle.inTransaction(same -> bookings.insert(order, attempt, same));
        });

        assertThat(operation.execute(ORDER)).isEqualTo(new Booking(2, 100));
        assertThat(bookings.committed()).containsExactly(2);
    }

    // ---- failures of connection and process

    @Test
    void backend_killedBeforeTheCommit_leavesNothingAndFreesTheKey() {
        var operation = bookings.book().callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
            Booking booking = bookings.insert(order, attempt, handle);
            if (calls.incrementAndGet() == 1) {
                terminate(handle.createQuery("SELECT pg_backend_pid()")
                        .mapTo(Integer.class)
                        .one());
            }
            return booking;
        });

        assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(NotExecutedException.class);
        assertThat(bookings.committed()).isEmpty();

        assertThat(operation.execute(ORDER).amount()).isEqualTo(100);
        assertThat(bookings.committed()).hasSize(1);
    }

    private void terminate(int backend) {
        bookings.jdbi.useHandle(handle -> handle.createQuery("SELECT pg_terminate_backend(?)")
                .bind(0, backend)
                .mapTo(Boolean.class)
                .one());
    }

    @Test
    void backend_killedInTheCommit_isExecutedAgain() throws Exception {
        Handle held = bookings.holdCommits();
        Future<Booking> run = callers.submit(() -> bookings.booking().execute(ORDER));
        terminate(bookings.awaitHeldCommit());
        bookings.letCommit(held);

        assertThat(get(run)).isEqualTo(new Booking(2, 100));
        assertThat(bookings.committed()).containsExactly(2);
        assertThat(bookings.happened()).contains(Type.IN_DOUBT, Type.REEXECUTED);
    }

    @Test
    void reply_toTheCommitLost_isFoundInTheRecord() {
        try (var proxy = TcpProxy.start(Database.server().port());
                var others = Bookings.open(through(proxy))) {
            var operation = others.book().callingInTransactionOf(others.store, (order, attempt, handle) -> {
                Booking booking = others.insert(order, attempt, handle);
                calls.incrementAndGet();
                proxy.cutAnswer(2);
                return booking;
            });

            assertThat(operation.execute(ORDER)).isEqualTo(new Booking(1, 100));
            assertThat(calls).hasValue(1);
            assertThat(others.committed()).containsExactly(1);
            assertThat(others.happened()).contains(Type.REPLAYED).doesNotContain(Type.COMPLETED);
        }
    }

    @Test
    void reply_toTheRecordLost_leavesNothing() {
        try (var proxy = TcpProxy.start(Database.server().port());
                var others = Bookings.open(through(proxy))) {
            var operation = others.book().callingInTransactionOf(others.store, (order, attempt, handle) -> {
                Booking booking = others.insert(order, attempt, handle);
                proxy.cutAnswer(1);
                return booking;
            });

            assertThatThrownBy(() -> operation.execute(ORDER)).isInstanceOf(NotExecutedException.class);
            assertThat(others.committed()).isEmpty();
        }
    }

    private static PGSimpleDataSource through(TcpProxy proxy) {
        var way = new PGSimpleDataSource();
        way.setUrl(PostgresServer.jdbcUrl(proxy.port()));
        return way;
    }

    /** Books, and dies when it is killed. */
    static final class Child {
        public static void main(String[] args) {
            var way = new PGSimpleDataSource();
            way.setUrl(args[0]);
            try (var bookings = Bookings.in(way, args[1])) {
                boolean hangs = Boolean.parseBoolean(args[2]);
                var operation = bookings.shortLived()
                        .callingInTransactionOf(bookings.store, (order, attempt, handle) -> {
                            Booking booking = bookings.insert(order, attempt, handle);
                            System.out.println("booked");
                            if (hangs) {
                                new CountDownLatch(1).await();
                            }
                            return booking;
                        });
                System.out.println(executed(operation));
            }
        }

        /** A process that has just started may be too slow for its short lease before it calls: it tries again. */
        private static Booking executed(Operation<Order, Booking> operation) {
            while (true) {
                try {
                    return operation.execute(ORDER);
                } catch (NotExecutedException e) {
                    System.out.println("not executed: " + e.getMessage());
                }
            }
        }
    }

    private ChildJvm child(boolean hangs) {
        return ChildJvm.start(Child.class, Database.server().jdbcUrl(), bookings.schema, Boolean.toString(hangs));
    }

    @Test
    void process_killedInItsCall_isTakenOverAndItsBookingIsGone() throws Exception {
        try (var child = child(true)) {
            child.await("booked"::equals, Duration.ofSeconds(60));
            child.kill();
        }

        assertThat(bookings.booking().execute(ORDER)).isEqualTo(new Booking(2, 100));
        assertThat(bookings.committed()).containsExactly(2);
        assertThat(bookings.happened()).contains(Type.TAKEN_OVER);
    }

    @Test
    void process_killedInItsCommit_hasItsBookingFound() throws Exception {
        Handle held = bookings.holdCommits();
        try (var child = child(false)) {
            bookings.awaitHeldCommit();
            child.kill();
        }
        bookings.awaitLapse();
        Future<Booking> next = callers.submit(() -> bookings.booking().execute(ORDER));
        bookings.awaitWaitForRow();
        bookings.letCommit(held);

        assertThat(get(next)).isEqualTo(new Booking(1, 100));
        assertThat(bookings.committed()).containsExactly(1);
    }
}

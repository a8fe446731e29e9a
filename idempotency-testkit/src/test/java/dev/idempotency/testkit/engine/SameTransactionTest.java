package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Codec;
import dev.idempotency.DeclinedException;
import dev.idempotency.Guarantee.Level;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.engine.RowStore.Commit;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Effect and record in one transaction of the store. */
final class SameTransactionTest {
    private static final Order ORDER = new Order("o-1", 100);
    private static final IdempotencyKey KEY = new IdempotencyKey("book", "o-1");

    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final RowStore store = new RowStore(clock);
    final Events events = new Events();
    private final AtomicInteger calls = new AtomicInteger();
    private final List<Idempotency> instances = new ArrayList<>();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final Operation.TransactionalCall<Order, Receipt, RowStore.Transaction> working =
            (order, attempt, transaction) -> {
                String row = "row-" + calls.incrementAndGet();
                transaction.add(row);
                return new Receipt(row, order.amount());
            };

    @AfterEach
    void close() {
        callers.shutdownNow();
        instances.forEach(Idempotency::close);
    }

    /** A "process" whose clock moves by hand. */
    private Operation.Builder<Order, Receipt> book() {
        var instance = Idempotency.builder(store)
                .listener(events)
                .nanoTime(clock::nanoTime)
                .build();
        instances.add(instance);
        return instance.operation("book", Order.class, Receipt.class).key(Order::id);
    }

    private Operation<Order, Receipt> booking() {
        return book().callingInTransactionOf(store, working);
    }

    /** Writes its row, and then fails, as often as it is told to. */
    private Operation.TransactionalCall<Order, Receipt, RowStore.Transaction> failing(Throwable failure, int times) {
        return (order, attempt, transaction) -> {
            Receipt receipt = working.call(order, attempt, transaction);
            if (calls.get() <= times) {
                throw Unruly.<RuntimeException>sneaky(failure);
            }
            return receipt;
        };
    }

    private static Retry twice() {
        return Retry.of(
                "twice",
                RetryConfig.custom()
                        .maxAttempts(2)
                        .waitDuration(Duration.ofMillis(1))
                        .build());
    }

    private IdempotencyRecord record() {
        var record = store.record(KEY);
        if (record == null) {
            throw new AssertionError("no record");
        }
        return record;
    }

    private static NotExecutedException notExecuted(Operation<Order, Receipt> operation) {
        return Failures.notExecuted(() -> operation.execute(ORDER));
    }

    // ---- what is promised

    @Test
    void explain_callInTransaction_isLevelA() {
        assertThat(booking().explain().level()).isEqualTo(Level.A);
        assertThat(booking().explain().conditions()).anyMatch(condition -> condition.startsWith("P13"));
    }

    @Test
    void execute_twice_writesOneRowAndReplays() {
        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-1", 100));
        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-1", 100));

        assertThat(store.rows()).containsExactly("row-1");
        assertThat(events.types()).containsExactly(Type.RESERVED, Type.CALLING, Type.COMPLETED, Type.REPLAYED);
    }

    @Test
    void executeAsync_runsInATransactionToo() throws Throwable {
        assertThat(Eventually.get(booking().executeAsync(ORDER))).isEqualTo(new Receipt("row-1", 100));

        assertThat(store.rows()).containsExactly("row-1");
    }

    @Test
    void builder_withARecovery_isRefused() {
        var builder = book().recovery(Recovery.hold());

        assertThatThrownBy(() -> builder.callingInTransactionOf(store, working))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'book' has a recovery")
                .hasMessageContaining("leave recovery(..) out");
    }

    @Test
    void builder_withAnotherStore_isRefused() {
        var other = new RowStore(clock);

        assertThatThrownBy(() -> book().callingInTransactionOf(other, working))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("store is not the one");
    }

    // ---- the call fails

    @Test
    void call_thatThrows_isRolledBackAndFreesTheKey() {
        var cause = new IOException("no such account");
        var operation = book().callingInTransactionOf(store, failing(cause, 1));

        assertThat(notExecuted(operation)).hasCause(cause);
        assertThat(store.rows()).isEmpty();
        assertThat(record().state()).isEqualTo(State.OPEN);

        assertThat(operation.execute(ORDER)).isEqualTo(new Receipt("row-2", 100));
        assertThat(store.rows()).containsExactly("row-2");
    }

    @Test
    void call_thatOverflowsTheStack_isRolledBackAndFreesTheKey() {
        var operation = book().callingInTransactionOf(
                        store, (order, attempt, transaction) -> new Receipt("never", Unruly.overflow(0)));

        assertThat(notExecuted(operation)).hasCauseInstanceOf(StackOverflowError.class);
        assertThat(record().state()).isEqualTo(State.OPEN);
    }

    @Test
    void call_thatDeclines_isRolledBackAndTheDeclineIsReplayed() {
        var operation = book().callingInTransactionOf(store, failing(new DeclinedException("no funds"), 5));

        assertThat(Failures.declined(() -> operation.execute(ORDER)).reason()).isEqualTo("no funds");
        assertThat(Failures.declined(() -> operation.execute(ORDER)).reason()).isEqualTo("no funds");

        assertThat(calls).hasValue(1);
        assertThat(store.rows()).isEmpty();
        assertThat(record().state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void call_thatThrowsOnceAndIsRetried_staysUnderItsReservation() {
        var operation = book().retry(twice()).callingInTransactionOf(store, failing(new IOException("deadlock"), 1));

        assertThat(operation.execute(ORDER)).isEqualTo(new Receipt("row-2", 100));

        assertThat(store.rows()).containsExactly("row-2");
        assertThat(events.types())
                .containsExactly(Type.RESERVED, Type.CALLING, Type.RETRIED, Type.CALLING, Type.COMPLETED);
        assertThat(record().attempt()).isEqualTo(1);
    }

    @Test
    void result_thatCannotBeEncoded_isRolledBack() {
        var codec = new Codec<Receipt>() {
            @Override
            public String id() {
                return "broken";
            }

            @Override
            public byte[] encode(Receipt result) throws IOException {
                throw new IOException("cannot encode");
            }

            @Override
            public Receipt decode(byte[] bytes) {
                return new Receipt(new String(bytes, StandardCharsets.UTF_8), 0);
            }
        };
        var operation = book().codec(codec).callingInTransactionOf(store, working);

        assertThat(notExecuted(operation)).hasRootCauseMessage("cannot encode");
        assertThat(store.rows()).isEmpty();
    }

    // ---- the store fails

    @Test
    void replacement_thatFails_isRolledBackWhateverItSays() {
        store.refuseReplacement();

        assertThat(notExecuted(booking())).hasCauseInstanceOf(StoreException.class);
        assertThat(store.rows()).isEmpty();
        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-2", 100));
    }

    @Test
    void commit_refused_freesTheKey() {
        store.trouble(Commit.REFUSED);

        assertThat(notExecuted(booking())).hasCauseInstanceOf(StoreException.class);
        assertThat(record().state()).isEqualTo(State.OPEN);
        assertThat(store.rows()).isEmpty();
    }

    @Test
    void commit_refusedAndRetried_goesOnUnderANewLease() {
        store.trouble(Commit.REFUSED);
        var operation = book().retry(twice()).callingInTransactionOf(store, working);

        assertThat(operation.execute(ORDER)).isEqualTo(new Receipt("row-2", 100));

        assertThat(store.rows()).containsExactly("row-2");
        assertThat(events.types())
                .containsExactly(Type.RESERVED, Type.CALLING, Type.RETRIED, Type.RENEWED, Type.CALLING, Type.COMPLETED);
        assertThat(record().attempt()).isEqualTo(1);
    }

    @Test
    void commit_withLostReply_isFoundInTheRecord() {
        store.trouble(Commit.REPLY_LOST);

        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-1", 100));

        assertThat(store.rows()).containsExactly("row-1");
        assertThat(calls).hasValue(1);
    }

    @Test
    void commit_lost_isExecutedAgainAtOnce() {
        store.trouble(Commit.LOST);

        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-2", 100));

        assertThat(store.rows()).containsExactly("row-2");
        assertThat(events.types())
                .containsExactly(
                        Type.RESERVED, Type.CALLING, Type.IN_DOUBT, Type.REEXECUTED, Type.CALLING, Type.COMPLETED);
        assertThat(record().attempt()).isEqualTo(2);
    }

    @Test
    void commit_thatFailsInAnUnknownWay_isTakenForUnknown() {
        store.trouble(Commit.BROKEN);

        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-2", 100));
        assertThat(store.rows()).containsExactly("row-2");
    }

    @Test
    void commit_lostAgainAndAgain_isInDoubtAndTheNextRunResolvesIt() {
        store.trouble(Commit.LOST, Commit.LOST);

        var failure = Failures.inDoubt(() -> booking().execute(ORDER));
        assertThat(failure).hasCauseInstanceOf(StoreException.class);
        assertThat(store.rows()).isEmpty();

        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-3", 100));
        assertThat(store.rows()).containsExactly("row-3");
    }

    @Test
    void attempt_laterThanTheFirst_frees() {
        store.trouble(Commit.LOST);
        var operation = book().callingInTransactionOf(store, (order, attempt, transaction) -> {
            if (attempt.number() == 2) {
                throw new IOException("no such account");
            }
            return working.call(order, attempt, transaction);
        });

        assertThat(notExecuted(operation)).hasRootCauseMessage("no such account");
        assertThat(record().state()).isEqualTo(State.OPEN);
        assertThat(store.rows()).isEmpty();
    }

    @Test
    void transaction_onAnotherDatabase_isRolledBackAndSaysSo() {
        store.blind();

        assertThat(notExecuted(booking()).getCause()).hasMessageContaining("does not see the record");
        assertThat(store.rows()).isEmpty();
        assertThat(record().state()).isEqualTo(State.OPEN);
    }

    // ---- a pause, and a takeover

    @Test
    void attempt_pausedPastItsLease_isTakenOverAndRolledBack() throws Throwable {
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var slow = book().callingInTransactionOf(store, (order, attempt, transaction) -> {
            Receipt receipt = working.call(order, attempt, transaction);
            begun.countDown();
            Eventually.opens(goOn);
            return receipt;
        });
        Future<Receipt> paused = callers.submit(() -> slow.execute(ORDER));
        Eventually.opens(begun);

        clock.advance(Duration.ofSeconds(30));
        assertThat(booking().execute(ORDER)).isEqualTo(new Receipt("row-2", 100));
        goOn.countDown();

        assertThat(Eventually.get(paused)).isEqualTo(new Receipt("row-2", 100));
        assertThat(store.rows()).containsExactly("row-2");
        assertThat(events.types())
                .contains(Type.TAKEN_OVER, Type.SUPERSEDED)
                .noneMatch(Type::isAlarm)
                .doesNotContain(Type.LAPSED, Type.IN_DOUBT);
        assertThat(record().evidence()).hasSize(1);
    }

    @Test
    void attempt_pausedPastItsLeaseThatThenDeclines_changesNothingAndRaisesNoAlarm() throws Throwable {
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var slow = book().callingInTransactionOf(store, (order, attempt, transaction) -> {
            begun.countDown();
            Eventually.opens(goOn);
            throw new DeclinedException("no funds");
        });
        Future<Receipt> paused = callers.submit(() -> slow.execute(ORDER));
        Eventually.opens(begun);

        clock.advance(Duration.ofSeconds(30));
        booking().execute(ORDER);
        goOn.countDown();

        assertThat(Eventually.get(paused)).isEqualTo(new Receipt("row-1", 100));
        assertThat(events.types()).noneMatch(Type::isAlarm);
        assertThat(record().evidence()).hasSize(1);
    }

    // ---- an operation that has changed

    @Test
    void operation_thatNowCallsOutside_doesNotTakeOver() {
        store.trouble(Commit.LOST, Commit.LOST);
        Failures.inDoubt(() -> booking().execute(ORDER));
        var outside = book().calling((order, attempt) -> new Receipt("call-" + calls.incrementAndGet(), 1));

        assertThat(Failures.inDoubt(() -> outside.execute(ORDER))).hasMessageContaining("the operation has changed");
        assertThat(calls).hasValue(2);
    }

    @Test
    void operation_thatCalledOutsideBefore_isNotCalledAgain() {
        var outside = book().calling((order, attempt) -> {
            throw new IOException("reset");
        });
        Failures.inDoubt(() -> outside.execute(ORDER));

        assertThat(Failures.inDoubt(() -> booking().execute(ORDER))).hasMessageContaining("the operation has changed");
        assertThat(store.rows()).isEmpty();
    }

    @Test
    void operation_thatCalledOutsideBeforeAndLapsed_isNotTakenOver() {
        var outside = book().calling((order, attempt) -> {
            throw new OutOfMemoryError();
        });
        Failures.inDoubt(() -> outside.execute(ORDER));
        clock.advance(Duration.ofSeconds(60));

        Failures.inDoubt(() -> booking().execute(ORDER));
        assertThat(store.rows()).isEmpty();
        assertThat(events.types()).doesNotContain(Type.TAKEN_OVER);
    }

    // ---- joined transactions

    @Test
    void execute_joined_sharesNoAnswer() throws Throwable {
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var operation = book().callingInTransactionOf(store, (order, attempt, transaction) -> {
            begun.countDown();
            Eventually.opens(goOn);
            return working.call(order, attempt, transaction);
        });
        store.join(true);
        Future<Receipt> first = callers.submit(() -> operation.execute(ORDER));
        Eventually.opens(begun);

        Future<Receipt> second = callers.submit(() -> operation.execute(ORDER));
        events.await(Type.WAITING);
        goOn.countDown();

        assertThat(Eventually.get(first)).isEqualTo(Eventually.get(second));
        assertThat(events.types()).contains(Type.REPLAYED);
        assertThat(events.all()).noneMatch(event -> event.detail().equals("in this process"));
    }

    @Test
    void executeAsync_joined_isRefused() {
        var operation = booking();
        store.join(true);

        assertThatThrownBy(() -> operation.executeAsync(ORDER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("belongs to this thread");
        assertThat(store.record(KEY)).isNull();
    }
}

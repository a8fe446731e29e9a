package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** Keys that begin with their day. */
final class PartitionsTest {
    private static final LocalDate DAY = LocalDate.of(2026, 11, 22);

    private final JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(Database.pool())
            .schema(Database.schema())
            .partitionedByDay(key -> LocalDate.parse(key.value().substring(0, 10)))
            .createSchema()
            .build();

    private static IdempotencyKey key(LocalDate day, int number) {
        return new IdempotencyKey("charge", day + "-" + number);
    }

    @Test
    void key_whoseDayHasNoPartition_isRefusedAndNothingIsWritten() {
        assertThatThrownBy(() -> store.reserve(Writes.reservation(key(DAY, 1))))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isFalse())
                .hasMessageContaining("no partition for the key's day");
    }

    @Test
    void createPartitions_again_leavesThemAlone() {
        store.createPartitions(DAY, DAY.plusDays(2));
        store.reserve(Writes.reservation(key(DAY, 1)));

        store.createPartitions(DAY, DAY.plusDays(5));

        assertThat(store.find(key(DAY, 1)).record()).isNotNull();
        assertThat(store.reserve(Writes.reservation(key(DAY.plusDays(5), 1))).applied())
                .isTrue();
    }

    @Test
    void dropPartition_withAnUnresolvedRecord_isNotDone() {
        store.createPartitions(DAY, DAY);
        store.reserve(Writes.reservation(key(DAY, 1), Duration.ofMillis(1)));
        Database.elapse(Duration.ofMillis(2));

        assertThat(store.dropPartition(DAY)).isFalse();
        assertThat(store.find(key(DAY, 1)).record().state()).isEqualTo(State.IN_FLIGHT);
    }

    @Test
    void dropPartition_withAResultThatIsKept_isNotDone() {
        store.createPartitions(DAY, DAY);
        var reserved = store.reserve(Writes.reservation(key(DAY, 1))).record();
        store.replace(reserved, Writes.completion(reserved));

        assertThat(store.dropPartition(DAY)).isFalse();
    }

    @Test
    void dropPartition_whenAllMayBeForgotten_removesTheDayAndRefusesItsKeys() {
        store.createPartitions(DAY, DAY.plusDays(1));
        var old = store.reserve(Writes.reservation(key(DAY, 1))).record();
        store.replace(old, Writes.completion(old, Duration.ofMillis(1), Duration.ZERO));
        store.reserve(Writes.reservation(key(DAY.plusDays(1), 1)));
        Database.elapse(Duration.ofMillis(2));

        assertThat(store.dropPartition(DAY)).isTrue();

        assertThat(store.find(key(DAY, 1)).record()).isNull();
        assertThat(store.find(key(DAY.plusDays(1), 1)).record()).isNotNull();
        assertThat(store.dropPartition(DAY)).as("again").isTrue();
        assertThatThrownBy(() -> store.reserve(Writes.reservation(key(DAY, 1)))).isInstanceOf(StoreException.class);
    }

    @Test
    void dayOfAKey_thatIsNull_isRefused() {
        var dayless = JdbcIdempotencyStore.builder(Database.pool())
                .schema(Database.schema())
                .partitionedByDay(key -> null)
                .createSchema()
                .build();

        assertThatThrownBy(() -> dayless.reserve(Writes.reservation(key(DAY, 1))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("must have a day for each key");
    }

    @Test
    void createPartitions_onATableWithoutThem_saysWhatToDo() {
        assertThatThrownBy(() -> Database.store().createPartitions(DAY, DAY))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("partitionedByDay");
    }

    /** What a key becomes that is too long to be kept as it is. */
    @Test
    void key_whoseDayCannotBeTold_failsAtOnceAndSaysThatNothingWasSent() {
        store.createPartitions(DAY, DAY);
        var digested = new IdempotencyKey("charge", "sha256:" + "ab".repeat(32));

        for (ThrowingCallable step : List.<ThrowingCallable>of(
                () -> store.find(digested),
                () -> store.reserve(Writes.reservation(digested)),
                () -> get(store.findAsync(digested)),
                () -> get(store.reserveAsync(Writes.reservation(digested))))) {
            assertThatThrownBy(step)
                    .isInstanceOfSatisfying(StoreException.class, failure -> {
                        assertThat(failure.mayHaveWritten()).isFalse();
                        assertThat(failure.isRetryable()).isFalse();
                    })
                    .hasMessageContaining(digested.toString());
        }
    }

    private static void get(CompletionStage<?> stage) throws Throwable {
        try {
            stage.toCompletableFuture().get(1, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw e.getCause();
        }
    }

    /** Two nodes drop the same day: the second one has looked before the first one has committed. */
    @Test
    void dropPartition_whileAnotherNodeDropsIt_findsItGone() throws Exception {
        store.createPartitions(DAY, DAY);
        var other = Executors.newSingleThreadExecutor();
        try (Connection connection = Database.pool().getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE " + store.table().quoted() + " IN ACCESS EXCLUSIVE MODE");
            Future<Boolean> dropped = other.submit(() -> {
                while (true) {
                    try {
                        return store.dropPartition(DAY);
                    } catch (StoreException e) {
                        if (!(e.getCause() instanceof SQLException cause) || !"55P03".equals(cause.getSQLState())) {
                            throw e;
                        }
                    }
                }
            });
            awaitWaiter();
            statement.execute("DROP TABLE " + store.table().quoted("idempotency_record_20261122"));
            connection.commit();

            assertThat(dropped.get(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            other.shutdownNow();
        }
    }

    private void awaitWaiter() {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!Jdbi.create(Database.pool())
                .withHandle(handle -> handle.createQuery("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND"
                                + " relation = CAST(? AS regclass))")
                        .bind(0, store.table().quoted())
                        .mapTo(Boolean.class)
                        .one())) {
            assertThat(System.nanoTime()).as("somebody waits").isLessThan(end);
        }
    }
}

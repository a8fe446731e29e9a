package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.time.LocalDate;
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
}

package dev.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.idempotency.store.IdempotencyRecord.Times;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a store must end up with: {@link Write#at}. */
final class WriteTest {
    private static final Instant NOW = Instant.parse("2026-03-04T05:06:07.000000008Z");
    private static final Instant CREATED = NOW.minusSeconds(400);
    private static final Instant SENT = NOW.minusSeconds(300);
    private static final Instant SINCE = NOW.minusSeconds(200);
    private static final Instant LEASED = NOW.plusSeconds(10);
    private static final Instant EXPIRES = NOW.plusSeconds(1000);
    private static final Instant FORGET = NOW.plusSeconds(2000);
    private static final Times OLD = new Times(CREATED, SENT, SINCE, LEASED, EXPIRES, FORGET);
    private static final Duration HOUR = Duration.ofHours(1);

    private static IdempotencyRecord record(State state) {
        return IdempotencyRecordTest.record().with().state(state).times(OLD).build();
    }

    private static Times written(Write write) {
        IdempotencyRecord record = write.at(NOW);
        assertThat(record.with().times(OLD).build())
                .isEqualTo(write.next().with().times(OLD).build());
        return record.times();
    }

    @Test
    void at_withNothingAsked_keepsAllTimes() {
        assertThat(written(new Write(record(State.IN_FLIGHT), false, false, false, null, null, HOUR)))
                .isEqualTo(OLD);
    }

    @Test
    void at_aNewRecord_setsEveryTimeFromTheStoresClock() {
        var next = record(State.IN_FLIGHT).with().times(Times.UNSET).build();

        assertThat(written(new Write(next, true, true, true, Duration.ofSeconds(30), HOUR, Duration.ofDays(1))))
                .isEqualTo(new Times(
                        NOW,
                        NOW,
                        NOW,
                        NOW.plusSeconds(30),
                        NOW.plus(HOUR),
                        NOW.plus(HOUR).plus(Duration.ofDays(1))));
    }

    @Test
    void at_eachFlag_movesItsTimeAlone() {
        var next = record(State.IN_FLIGHT);

        assertThat(written(new Write(next, true, false, false, null, null, HOUR)))
                .isEqualTo(new Times(NOW, SENT, SINCE, LEASED, EXPIRES, FORGET));
        assertThat(written(new Write(next, false, true, false, null, null, HOUR)))
                .isEqualTo(new Times(CREATED, NOW, SINCE, LEASED, EXPIRES, FORGET));
        assertThat(written(new Write(next, false, false, true, null, null, HOUR)))
                .isEqualTo(new Times(CREATED, SENT, NOW, LEASED, EXPIRES, FORGET));
        assertThat(written(new Write(next, false, false, false, Duration.ofSeconds(30), null, HOUR)))
                .isEqualTo(new Times(CREATED, SENT, SINCE, NOW.plusSeconds(30), EXPIRES, FORGET));
    }

    @ParameterizedTest
    @EnumSource(names = "IN_FLIGHT", mode = EnumSource.Mode.EXCLUDE)
    void at_aStateWithoutALease_clearsIt(State state) {
        assertThat(written(new Write(record(state), false, false, true, null, null, HOUR))
                        .leaseUntil())
                .isNull();
        assertThat(written(new Write(record(state), false, false, true, HOUR, null, HOUR))
                        .leaseUntil())
                .isEqualTo(state == State.IN_DOUBT ? NOW.plus(HOUR) : null);
    }

    @Test
    void at_aShorterRetention_neverShortensWhatWasPromised() {
        var next = record(State.COMPLETED);

        assertThat(written(new Write(next, false, false, true, null, Duration.ofSeconds(999), Duration.ofSeconds(5))))
                .isEqualTo(new Times(CREATED, SENT, NOW, null, EXPIRES, EXPIRES.plusSeconds(5)));
        assertThat(written(new Write(next, false, false, true, null, Duration.ofSeconds(1000), Duration.ZERO)))
                .isEqualTo(new Times(CREATED, SENT, NOW, null, EXPIRES, EXPIRES));
        assertThat(written(new Write(
                        next, false, false, true, null, Duration.ofSeconds(1000).plusNanos(1), Duration.ofSeconds(5))))
                .isEqualTo(new Times(
                        CREATED,
                        SENT,
                        NOW,
                        null,
                        EXPIRES.plusNanos(1),
                        EXPIRES.plusNanos(1).plusSeconds(5)));
    }

    @Test
    void at_aNewRecord_dropsTheRetentionOfTheOldOne() {
        var next = record(State.IN_FLIGHT);

        assertThat(written(new Write(next, true, true, true, HOUR, Duration.ofSeconds(7), Duration.ZERO)))
                .isEqualTo(new Times(NOW, NOW, NOW, NOW.plus(HOUR), NOW.plusSeconds(7), NOW.plusSeconds(7)));
    }

    @Test
    void write_withoutARecordOrTombstone_isRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> new Write(null, false, false, false, null, null, HOUR))
                .withMessage("next");
        assertThatNullPointerException()
                .isThrownBy(() -> new Write(record(State.OPEN), false, false, false, null, null, null))
                .withMessage("tombstone");
    }
}

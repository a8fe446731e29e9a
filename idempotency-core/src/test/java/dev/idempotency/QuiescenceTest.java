package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class QuiescenceTest {
    private static final Duration TRANSIT = Duration.ofMinutes(3);
    private static final Duration LAG = Duration.ofSeconds(7);
    private static final Quiescence QUIESCENCE = Quiescence.of(TRANSIT, LAG);

    @Test
    void of_transitAndLag_isOneSecondLongerThanItsBound() {
        assertThat(QUIESCENCE)
                .isEqualTo(new Quiescence(
                        Duration.ofSeconds(30),
                        TRANSIT,
                        LAG,
                        Duration.ofSeconds(2),
                        Duration.ofMinutes(3).plusSeconds(40)));
        assertThat(QUIESCENCE.bound()).isEqualTo(Duration.ofMinutes(3).plusSeconds(39));
    }

    @Test
    void bound_isTheSumOfItsFourTerms() {
        assertThat(new Quiescence(
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(100),
                                Duration.ofSeconds(1000),
                                Duration.ZERO)
                        .bound())
                .isEqualTo(Duration.ofSeconds(1111));
    }

    @Test
    void withPauseOrClockError_computesThePeriodAnew() {
        assertThat(QUIESCENCE.withPause(Duration.ofMinutes(10)))
                .isEqualTo(new Quiescence(
                        Duration.ofMinutes(10),
                        TRANSIT,
                        LAG,
                        Duration.ofSeconds(2),
                        Duration.ofMinutes(13).plusSeconds(10)));
        assertThat(QUIESCENCE.withClockError(Duration.ofMinutes(10)))
                .isEqualTo(new Quiescence(
                        Duration.ofSeconds(30),
                        TRANSIT,
                        LAG,
                        Duration.ofMinutes(10),
                        Duration.ofMinutes(13).plusSeconds(38)));
    }

    @Test
    void withPeriod_keepsTheRest_howeverShort() {
        assertThat(QUIESCENCE.withPeriod(Duration.ZERO).period()).isZero();
        assertThat(QUIESCENCE.withPeriod(Duration.ZERO).bound()).isEqualTo(QUIESCENCE.bound());
        assertThat(QUIESCENCE.withPeriod(Duration.ofDays(366)).period()).isEqualTo(Duration.ofDays(366));
    }

    @Test
    void nullDurations_areRefusedByName() {
        var zero = Duration.ZERO;
        assertThatNullPointerException()
                .isThrownBy(() -> Quiescence.of(null, LAG))
                .withMessage("transit");
        assertThatNullPointerException()
                .isThrownBy(() -> Quiescence.of(TRANSIT, null))
                .withMessage("lag");
        assertThatNullPointerException()
                .isThrownBy(() -> QUIESCENCE.withPause(null))
                .withMessage("pause");
        assertThatNullPointerException()
                .isThrownBy(() -> QUIESCENCE.withClockError(null))
                .withMessage("clockError");
        assertThatNullPointerException()
                .isThrownBy(() -> QUIESCENCE.withPeriod(null))
                .withMessage("period");
        assertThatNullPointerException()
                .isThrownBy(() -> new Quiescence(null, zero, zero, zero, zero))
                .withMessage("pause");
    }

    @Test
    void negativeAndAbsurdDurations_areRefusedByNameAndValue() {
        var negative = Duration.ofNanos(-1);
        var absurd = Duration.ofDays(366).plusNanos(1);
        refused("transit is -1 ns; it must not be negative", () -> Quiescence.of(negative, LAG));
        refused("lag is -1 ns; it must not be negative", () -> Quiescence.of(TRANSIT, negative));
        refused("pause is -1 ns; it must not be negative", () -> QUIESCENCE.withPause(negative));
        refused("clockError is -1 ns; it must not be negative", () -> QUIESCENCE.withClockError(negative));
        refused("period is -1 ns; it must not be negative", () -> QUIESCENCE.withPeriod(negative));
        refused("transit is 366 d 1 ns; it must be at most 366 d", () -> Quiescence.of(absurd, LAG));
        refused("lag is 366 d 1 ns; it must be at most 366 d", () -> Quiescence.of(TRANSIT, absurd));
        refused("period is 366 d 1 ns; it must be at most 366 d", () -> QUIESCENCE.withPeriod(absurd));
    }

    private static void refused(String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable code) {
        assertThatIllegalArgumentException().isThrownBy(code).withMessage(message);
    }
}

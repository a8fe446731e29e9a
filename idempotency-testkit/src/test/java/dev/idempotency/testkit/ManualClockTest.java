package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class ManualClockTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private final ManualClock clock = new ManualClock(START);

    @Test
    void clock_untouched_standsStill() {
        assertThat(clock.instant()).isEqualTo(START);
        assertThat(clock.nanoTime()).isZero();
    }

    @Test
    void advance_byAStep_movesWallAndMonotonicTime() {
        clock.advance(Duration.ofSeconds(2, 3));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(2).plusNanos(3));
        assertThat(clock.nanoTime()).isEqualTo(2_000_000_003L);
    }

    @Test
    void set_toALaterTime_movesWallAndMonotonicTime() {
        clock.set(START.plusSeconds(5));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(5));
        assertThat(clock.nanoTime()).isEqualTo(5_000_000_000L);
    }

    @Test
    void advanceAndSet_backwards_areRefusedAndChangeNothing() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> clock.advance(Duration.ofNanos(-1)))
                .withMessageContaining("PT-0.000000001S");
        assertThatIllegalArgumentException().isThrownBy(() -> clock.set(START.minusNanos(1)));
        assertThat(clock.instant()).isEqualTo(START);
    }

    @Test
    void turnBack_byAStep_movesWallTimeOnly() {
        clock.advance(Duration.ofSeconds(10));
        clock.turnBack(Duration.ofSeconds(60));

        assertThat(clock.instant()).isEqualTo(START.minusSeconds(50));
        assertThat(clock.nanoTime()).isEqualTo(10_000_000_000L);
        assertThatIllegalArgumentException().isThrownBy(() -> clock.turnBack(Duration.ofNanos(-1)));
    }
}

package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RollingHourTest {
    private static final Duration ALMOST = Duration.ofMinutes(1).minusNanos(1);

    private long nanos = Duration.ofDays(3).toNanos();
    private final RollingHour hour = new RollingHour(() -> nanos);

    private void add(int successes, int failures) {
        for (int i = 0; i < successes + failures; i++) {
            hour.add(i >= successes);
        }
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void ratio_ofNothing_isNotANumber() {
        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(0, 0));
        assertThat(hour.counts().ratio()).isNaN();
    }

    @Test
    void ratio_isOfAllThatWasDelivered() {
        add(95, 5);
        assertThat(hour.counts().ratio()).isEqualTo(0.05);
        pass(Duration.ofMinutes(30));
        add(0, 100);

        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(200, 105));
        assertThat(hour.counts().ratio()).isEqualTo(0.525);
    }

    @Test
    void minute_countsFor59MoreAndNoLonger() {
        add(3, 1);
        pass(Duration.ofMinutes(59));
        pass(ALMOST);
        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(4, 1));

        pass(Duration.ofNanos(1));
        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(0, 0));
    }

    @Test
    void minute_thatTakesThePlaceOfAnother_beginsWithZero() {
        add(0, 7);
        pass(Duration.ofHours(1));
        add(2, 0);

        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(2, 0));
    }

    @Test
    void clock_thatBeginsBelowZero_countsAll() {
        nanos = -Duration.ofMinutes(30).toNanos();
        add(1, 1);
        pass(Duration.ofMinutes(45));
        add(1, 1);
        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(4, 2));

        pass(Duration.ofMinutes(15));
        assertThat(hour.counts()).isEqualTo(new RollingHour.Counts(2, 1));
    }

    /** Against a list of all that happened. */
    @Test
    void counts_ofAnyHistory_areThoseOfTheList() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        record Once(long minute, boolean failed) {}
        var all = new ArrayDeque<Once>();
        long minute = Duration.ofNanos(nanos).toMinutes();
        for (int i = 0; i < 2_000; i++) {
            if (random.nextInt(4) == 0) {
                int step = random.nextInt(random.nextInt(10) == 0 ? 90 : 4);
                minute += step;
                pass(Duration.ofMinutes(step));
            }
            boolean failed = random.nextBoolean();
            hour.add(failed);
            all.add(new Once(minute, failed));
            long oldest = minute - 59;
            all.removeIf(once -> once.minute < oldest);
            assertThat(hour.counts())
                    .as("seed %s, step %s", seed, i)
                    .isEqualTo(new RollingHour.Counts(
                            all.size(), all.stream().filter(Once::failed).count()));
        }
    }
}

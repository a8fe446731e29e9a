package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Durations in messages. */
final class DurationsTest {
    @ParameterizedTest
    @CsvSource({
        "PT0S, 0 s",
        "PT0.001S, 1 ms",
        "PT10S, 10 s",
        "PT1.5S, 1 s 500 ms",
        "PT3M39S, 3 min 39 s",
        "PT1H30M, 1 h 30 min",
        "PT24H, 24 h",
        "PT25H, 25 h",
        "PT48H, 2 d",
        "PT168H, 7 d",
        "PT169H, 7 d 1 h",
        "PT8784H0.000000001S, 366 d 1 ns",
        "PT-1M, -1 min"
    })
    void text_isWhatPeopleWrite(Duration duration, String text) {
        assertThat(Durations.text(duration)).isEqualTo(text);
    }
}

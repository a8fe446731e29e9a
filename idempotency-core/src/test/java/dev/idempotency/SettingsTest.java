package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class SettingsTest {
    private static final Duration LEAST = Duration.ofSeconds(2);
    private static final Duration MOST = Duration.ofSeconds(5);

    @Test
    void between_itsLimits_isTaken() {
        assertThat(Settings.between("it", LEAST, LEAST, MOST)).isEqualTo(LEAST);
        assertThat(Settings.between("it", MOST, LEAST, MOST)).isEqualTo(MOST);
    }

    @Test
    void between_beyondItsLimits_isRefused() {
        refused(
                "it is 1 s 999 ms 999999 ns; it must be at least 2 s",
                () -> Settings.between("it", LEAST.minusNanos(1), LEAST, MOST));
        refused("it is 5 s 1 ns; it must be at most 5 s", () -> Settings.between("it", MOST.plusNanos(1), LEAST, MOST));
        assertThatNullPointerException()
                .isThrownBy(() -> Settings.between("it", null, LEAST, MOST))
                .withMessage("it");
    }

    @Test
    void atLeastZero_uptoAYear_isTaken() {
        assertThat(Settings.atLeastZero("it", Duration.ZERO)).isZero();
        assertThat(Settings.atLeastZero("it", Duration.ofDays(366))).isEqualTo(Duration.ofDays(366));
        refused("it is -1 ns; it must not be negative", () -> Settings.atLeastZero("it", Duration.ofNanos(-1)));
        refused(
                "it is 366 d 1 ns; it must be at most 366 d",
                () -> Settings.atLeastZero("it", Duration.ofDays(366).plusNanos(1)));
    }

    @Test
    void text_thatIsFine_isTaken() {
        assertThat(Settings.text("it", "a", 1)).isEqualTo("a");
        assertThat(Settings.text("it", "\uD83D\uDE00\uD83D\uDE00", 4)).hasSize(4);
        assertThat(Settings.text("it", "a\uD83D\uDE00b", 9)).hasSize(4);
    }

    @Test
    void text_thatIsNot_isRefusedWithThePlace() {
        refused("it is blank; it must name something", () -> Settings.text("it", "\u2003", 9));
        refused("it has 3 characters; at most 2 are allowed", () -> Settings.text("it", "abc", 2));
        refused(
                "it has a control character or a lone surrogate at position 0",
                () -> Settings.text("it", "\u001Fa", 9));
        refused(
                "it has a control character or a lone surrogate at position 1",
                () -> Settings.text("it", "a\u007F", 9));
        refused(
                "it has a control character or a lone surrogate at position 2",
                () -> Settings.text("it", "\uD83D\uDE00\uDE00", 9));
        refused(
                "it has a control character or a lone surrogate at position 1",
                () -> Settings.text("it", "a\uD83D", 9));
        refused(
                "it has a control character or a lone surrogate at position 3",
                () -> Settings.text("it", "\uD83D\uDE00a\n", 9));
    }

    private static void refused(String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable code) {
        assertThatIllegalArgumentException().isThrownBy(code).withMessage(message);
    }
}

package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.ProviderProfile.KeyFormat.Alphabet;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProviderProfileTest {
    private static final KeyFormat UUID = KeyFormat.uuid();
    private static final Duration DAY = Duration.ofDays(1);

    private static ProviderProfile bank() {
        return ProviderProfile.of("Bank", "its contract", UUID, DAY);
    }

    // ---- windows

    @Test
    void of_aWindow_leavesRoomForAPauseTransitAndClockJumps() {
        assertThat(bank().pause()).isEqualTo(Duration.ofMinutes(1));
        assertThat(bank().transit()).isEqualTo(Duration.ofMinutes(5));
        assertThat(bank().clockError()).isEqualTo(Duration.ofSeconds(2));
        assertThat(bank().resendWithin())
                .isEqualTo(Duration.ofHours(24).minusMinutes(6).minusSeconds(2));
    }

    @Test
    void resendWithin_ofAWindowThatIsTooShort_isNotPositive() {
        assertThat(bank().withWindow(Duration.ofSeconds(362)).resendWithin()).isZero();
        assertThat(bank().withWindow(Duration.ofSeconds(360)).resendWithin()).isEqualTo(Duration.ofSeconds(-2));
    }

    @Test
    void resendWithin_ofAWindowThatNeverEnds_neverEnds() {
        assertThat(bank().withWindow(ProviderProfile.ENDLESS).resendWithin()).isEqualTo(ProviderProfile.ENDLESS);
        assertThat(bank().withWindow(ProviderProfile.ENDLESS.minusNanos(1)).resendWithin())
                .isEqualTo(ProviderProfile.ENDLESS.minusNanos(1).minusSeconds(362));
    }

    @Test
    void withoutAWindow_nothingCanBeSentAgain_untilOneIsGiven() {
        var profile = ProviderProfile.withoutWindow("Bank", "its contract", UUID);

        assertThat(profile.window()).isNull();
        assertThat(profile.resendWithin()).isNull();
        assertThat(profile.withWindow(DAY)).isEqualTo(bank());
    }

    @Test
    void withBounds_keepsTheRest() {
        var profile = bank().withBounds(Duration.ofSeconds(1), Duration.ZERO);

        assertThat(profile)
                .isEqualTo(new ProviderProfile(
                        "Bank",
                        "its contract",
                        UUID,
                        DAY,
                        Duration.ofSeconds(1),
                        Duration.ZERO,
                        Duration.ofSeconds(2)));
        assertThat(profile.resendWithin()).isEqualTo(DAY.minusSeconds(3));
    }

    @Test
    void withClockError_ofAClockThatMayJumpBack_sendsAgainForSoMuchLess() {
        var profile = bank().withBounds(Duration.ZERO, Duration.ZERO).withClockError(Duration.ofMinutes(10));

        assertThat(profile.clockError()).isEqualTo(Duration.ofMinutes(10));
        assertThat(profile.resendWithin()).isEqualTo(DAY.minusMinutes(10));
        assertThat(profile.withWindow(DAY).withBounds(Duration.ZERO, Duration.ZERO))
                .isEqualTo(profile);
    }

    // ---- bad values

    @Test
    void profile_nullArguments_areRefusedByName() {
        refusedNull("name", () -> ProviderProfile.of(null, "s", UUID, DAY));
        refusedNull("source", () -> ProviderProfile.of("n", null, UUID, DAY));
        refusedNull("keyFormat", () -> ProviderProfile.of("n", "s", null, DAY));
        refusedNull("window", () -> ProviderProfile.of("n", "s", UUID, null));
        refusedNull("window", () -> bank().withWindow(null));
        refusedNull("pause", () -> bank().withBounds(null, DAY));
        refusedNull("transit", () -> bank().withBounds(DAY, null));
        refusedNull("clockError", () -> bank().withClockError(null));
        refusedNull("name", () -> ProviderProfile.withoutWindow(null, "s", UUID));
        refusedNull("source", () -> ProviderProfile.withoutWindow("n", null, UUID));
        refusedNull("keyFormat", () -> ProviderProfile.withoutWindow("n", "s", null));
    }

    private static void refusedNull(String name, org.assertj.core.api.ThrowableAssert.ThrowingCallable code) {
        assertThatNullPointerException().isThrownBy(code).withMessage(name);
    }

    private static void refused(String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable code) {
        assertThatIllegalArgumentException().isThrownBy(code).withMessage(message);
    }

    @Test
    void profile_badArguments_areRefusedWithWhatWouldBeRight() {
        refused("name is blank; it must name something", () -> ProviderProfile.of(" ", "s", UUID, DAY));
        refused(
                "name has 201 characters; at most 200 are allowed",
                () -> ProviderProfile.of("n".repeat(201), "s", UUID, DAY));
        refused(
                "source has 501 characters; at most 500 are allowed",
                () -> ProviderProfile.of("n", "s".repeat(501), UUID, DAY));
        refused(
                "window is 999 ms 999999 ns; it must be at least 1 s",
                () -> bank().withWindow(Duration.ofSeconds(1).minusNanos(1)));
        refused("window is 0 s; it must be at least 1 s", () -> bank().withWindow(Duration.ZERO));
        refused("window is -24 h; it must be at least 1 s", () -> bank().withWindow(DAY.negated()));
        refused(
                "window is 36525 d 1 ns; it must be at most 36525 d",
                () -> bank().withWindow(ProviderProfile.ENDLESS.plusNanos(1)));
        refused("pause is -1 s; it must not be negative", () -> bank().withBounds(Duration.ofSeconds(-1), DAY));
        refused("transit is -1 s; it must not be negative", () -> bank().withBounds(DAY, Duration.ofSeconds(-1)));
        refused("clockError is -1 s; it must not be negative", () -> bank().withClockError(Duration.ofSeconds(-1)));
        refused("pause is 367 d; it must be at most 366 d", () -> bank().withBounds(Duration.ofDays(367), DAY));
        refused("transit is 367 d; it must be at most 366 d", () -> bank().withBounds(DAY, Duration.ofDays(367)));
        assertThat(bank().withWindow(Duration.ofSeconds(1)).window()).isEqualTo(Duration.ofSeconds(1));
    }

    // ---- key formats

    @Test
    void keyFormat_ofEachAlphabet() {
        assertThat(KeyFormat.uuid()).isEqualTo(new KeyFormat(Alphabet.UUID, 36, ""));
        assertThat(KeyFormat.hex(40)).isEqualTo(new KeyFormat(Alphabet.HEX, 40, ""));
        assertThat(KeyFormat.base32(30)).isEqualTo(new KeyFormat(Alphabet.BASE32, 30, ""));
        assertThat(KeyFormat.hex(40).withPrefix("a")).isEqualTo(new KeyFormat(Alphabet.HEX, 40, "a"));
    }

    @ParameterizedTest
    @CsvSource({
        "UUID, 36, 36",
        "HEX, 32, 64",
        "BASE32, 26, 52",
    })
    void keyFormat_length_isBounded(Alphabet alphabet, int least, int most) {
        assertThat(new KeyFormat(alphabet, least, "").length()).isEqualTo(least);
        assertThat(new KeyFormat(alphabet, most, "").length()).isEqualTo(most);
        for (int length : new int[] {least - 1, most + 1, 0, -1, Integer.MAX_VALUE}) {
            refused(
                    "length is " + length + "; " + alphabet + " keys have " + least + " to " + most
                            + " characters, so that two writes never share one",
                    () -> new KeyFormat(alphabet, length, ""));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "a b", "ä", "a:b", "a/b", "a\n", "12345678901234567890123456789012345678901"})
    void keyFormat_prefixThatAHeaderMayNotTake_isRefused(String prefix) {
        refused(
                "prefix must have at most 40 letters, digits, hyphens and underscores",
                () -> KeyFormat.uuid().withPrefix(prefix));
    }

    @Test
    void keyFormat_nullArguments_areRefusedByName() {
        refusedNull("alphabet", () -> new KeyFormat(null, 36, ""));
        refusedNull("prefix", () -> KeyFormat.uuid().withPrefix(null));
        assertThat(KeyFormat.uuid().withPrefix("aZ09_-".repeat(6)).prefix()).hasSize(36);
    }
}

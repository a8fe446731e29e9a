package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.slack.Delivered.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlackSignatureTest {
    /** The example of docs.slack.dev/authentication/verifying-requests-from-slack. */
    private static final String SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

    private static final long THEN = 1_531_420_618;
    private static final byte[] BODY = ascii(String.join(
            "&",
            "token=xyzz0WbapA4vBCDEFasx0q6G",
            "team_id=T1DC2JH3J",
            "team_domain=testteamnow",
            "channel_id=G8PSS9T3V",
            "channel_name=foobar",
            "user_id=U2CERLKJA",
            "user_name=roadrunner",
            "command=%2Fwebhook-collect",
            "text=",
            "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN",
            "trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"));
    private static final String SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    private final SlackSignature signature = new SlackSignature(List.of(SECRET));

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private Verdict fault(String signed) {
        return signature.fault(Long.toString(THEN), signed, BODY, THEN);
    }

    @Test
    void signature_ofSlacksOwnExample_isGood() {
        assertThat(fault(SIGNATURE)).isNull();
    }

    @Test
    void signature_ofAnyOtherByte_isForged() {
        for (int i = 0; i < BODY.length; i++) {
            byte[] other = BODY.clone();
            other[i] ^= 1;
            assertThat(signature.fault(Long.toString(THEN), SIGNATURE, other, THEN))
                    .as("byte " + i)
                    .isEqualTo(Verdict.FORGED);
        }
        assertThat(signature.fault(Long.toString(THEN + 1), SIGNATURE, BODY, THEN))
                .isEqualTo(Verdict.FORGED);
    }

    /** A body is signed as it is, not as what some charset makes of it. */
    @Test
    void signature_isOverRawBytes() {
        byte[] notUtf8 = {(byte) 0xff, (byte) 0xfe, 0, (byte) 0x80};
        byte[] replaced = new String(notUtf8, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);

        String signed = Requests.sign(SECRET, THEN, notUtf8);

        assertThat(signature.fault(Long.toString(THEN), signed, notUtf8, THEN)).isNull();
        assertThat(signature.fault(Long.toString(THEN), signed, replaced, THEN)).isEqualTo(Verdict.FORGED);
    }

    @ParameterizedTest
    @CsvSource({"0,", "300,", "-300,", "301, EXPIRED", "-301, EXPIRED", "86400, EXPIRED", "-86400, EXPIRED"})
    void timestamp_tooFarInEitherDirection_isExpired(long skew, Verdict verdict) {
        assertThat(signature.fault(Long.toString(THEN), SIGNATURE, BODY, THEN + skew))
                .isEqualTo(verdict);
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                " ",
                "now",
                "-1531420618",
                "+1531420618",
                "1531420618.0",
                "0x5b479d0a",
                "9999999999999999",
                "\u0661"
            })
    void timestamp_thatIsNone_isUnsigned(String timestamp) {
        assertThat(signature.fault(timestamp, SIGNATURE, BODY, THEN)).isEqualTo(Verdict.UNSIGNED);
    }

    @Test
    void timestamp_farthestThatCanBeWritten_isExpired() {
        assertThat(signature.fault("999999999999999", SIGNATURE, BODY, THEN)).isEqualTo(Verdict.EXPIRED);
        assertThat(signature.fault("0", SIGNATURE, BODY, THEN)).isEqualTo(Verdict.EXPIRED);
    }

    @Test
    void signature_thatIsMissing_isUnsigned() {
        assertThat(signature.fault(Long.toString(THEN), null, BODY, THEN)).isEqualTo(Verdict.UNSIGNED);
    }

    @Test
    void signature_withAnotherPrefixOrForm_isForged() {
        String digits = SIGNATURE.substring(3);
        for (String other : List.of(
                "",
                "v0=",
                digits,
                "V0=" + digits,
                "v1=" + digits,
                "v0:" + digits,
                " " + SIGNATURE,
                SIGNATURE + " ",
                SIGNATURE + "0",
                "v0=" + digits.substring(1),
                "v0=" + "g".repeat(64),
                "v0=" + "0".repeat(64),
                SIGNATURE + "," + SIGNATURE,
                "v0=" + "\u0661".repeat(64))) {
            assertThat(fault(other)).as(other).isEqualTo(Verdict.FORGED);
        }
    }

    @Test
    void secrets_whileOneReplacesTheOther_areBothGood() {
        var rotating = new SlackSignature(List.of("new secret", SECRET, "a third"));

        for (String secret : List.of("new secret", SECRET, "a third")) {
            assertThat(rotating.fault(Long.toString(THEN), Requests.sign(secret, THEN, BODY), BODY, THEN))
                    .isNull();
        }
        assertThat(rotating.fault(Long.toString(THEN), Requests.sign("a fourth", THEN, BODY), BODY, THEN))
                .isEqualTo(Verdict.FORGED);
        assertThat(new SlackSignature(List.of("new secret")).fault(Long.toString(THEN), SIGNATURE, BODY, THEN))
                .isEqualTo(Verdict.FORGED);
    }

    @Test
    void secrets_noneOrBlank_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new SlackSignature(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> new SlackSignature(List.of(SECRET, " ")));
    }
}

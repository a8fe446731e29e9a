package dev.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AttemptTokenTest {
    @Test
    void random_isOf128BitsAndNeverTheSame() {
        var tokens = new HashSet<AttemptToken>();
        var or = new byte[32];
        for (int i = 0; i < 10_000; i++) {
            var token = AttemptToken.random();
            assertThat(token.value()).matches("[0-9a-f]{32}");
            tokens.add(token);
            for (int digit = 0; digit < 32; digit++) {
                or[digit] |= (byte) Character.digit(token.value().charAt(digit), 16);
            }
        }
        assertThat(tokens).hasSize(10_000);
        assertThat(or).as("every bit is drawn").containsOnly(15);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0000000000000000000000000000000",
                "000000000000000000000000000000000",
                "0000000000000000000000000000000A",
                "0000000000000000000000000000000g",
                "0000000000000000000000000000000/",
                "0000000000000000000000000000000:",
                "0000000000000000000000000000000`",
                "0000000000000000000000000000000 ",
                "٠0000000000000000000000000000000",
                "6a0f2b1c-0000-4000-8000-00000000",
            })
    void value_thatIsNoToken_isRefused(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AttemptToken(value))
                .withMessage("value must be 32 lower-case hexadecimal digits");
    }

    @Test
    void value_ofEveryDigit_isTaken() {
        assertThat(new AttemptToken("0123456789abcdef0123456789abcdef").value()).hasSize(32);
        assertThatNullPointerException()
                .isThrownBy(() -> new AttemptToken(null))
                .withMessage("value");
    }
}

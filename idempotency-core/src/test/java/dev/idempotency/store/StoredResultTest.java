package dev.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.idempotency.store.StoredResult.Kind;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class StoredResultTest {
    private static final byte[] BYTES = {0, 1, -1, 127, -128};

    @Test
    void bytes_areCopiedInAndOut() {
        byte[] mine = BYTES.clone();
        var result = new StoredResult(Kind.RESULT, "json", mine);
        mine[0] = 9;
        result.bytes()[1] = 9;

        assertThat(result.bytes()).isEqualTo(BYTES);
        assertThat(result.size()).isEqualTo(5);
        assertThat(result.kind()).isEqualTo(Kind.RESULT);
        assertThat(result.codec()).isEqualTo("json");
    }

    @Test
    void equality_isByKindCodecAndBytes() {
        var result = new StoredResult(Kind.RESULT, "json", BYTES);

        assertThat(result)
                .isEqualTo(new StoredResult(Kind.RESULT, "json", BYTES.clone()))
                .hasSameHashCodeAs(new StoredResult(Kind.RESULT, "json", BYTES.clone()))
                .isNotEqualTo(new StoredResult(Kind.DECLINED, "json", BYTES))
                .isNotEqualTo(new StoredResult(Kind.RESULT, "text", BYTES))
                .isNotEqualTo(new StoredResult(Kind.RESULT, "json", new byte[] {0, 1, -1, 127}))
                .isNotEqualTo(new StoredResult(Kind.RESULT, "json", new byte[0]))
                .isNotEqualTo("json")
                .isNotEqualTo(null);
        assertThat(result.hashCode()).isNotEqualTo(new StoredResult(Kind.RESULT, "json", new byte[1]).hashCode());
    }

    @Test
    void empty_isAResultToo() {
        assertThat(new StoredResult(Kind.DECLINED, "text", new byte[0]).size()).isZero();
    }

    @Test
    void toString_neverHasTheContent() {
        var secret = "secret-4711".getBytes(StandardCharsets.UTF_8);

        assertThat(new StoredResult(Kind.DECLINED, "text", secret))
                .hasToString("StoredResult[DECLINED, text, 11 bytes]");
    }

    @Test
    void nullArguments_areRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> new StoredResult(null, "json", BYTES))
                .withMessage("kind");
        assertThatNullPointerException()
                .isThrownBy(() -> new StoredResult(Kind.RESULT, null, BYTES))
                .withMessage("codec");
        assertThatNullPointerException()
                .isThrownBy(() -> new StoredResult(Kind.RESULT, "json", null))
                .withMessage("bytes");
    }
}

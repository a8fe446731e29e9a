package dev.idempotency.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Codec;
import java.util.Arrays;
import javax.crypto.spec.SecretKeySpec;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

final class EncryptedCodecProperties {
    private static final Codec<byte[]> BYTES = new Codec<>() {
        @Override
        public String id() {
            return "bytes";
        }

        @Override
        public byte[] encode(byte[] value) {
            return value;
        }

        @Override
        public byte[] decode(byte[] bytes) {
            return bytes;
        }
    };

    private static EncryptedCodec<byte[]> codec(byte[] key) {
        return EncryptedCodec.around(BYTES)
                .encryptWith("key", new SecretKeySpec(key, "AES"))
                .build();
    }

    @Property(tries = 300)
    void decode_ofEncode_isTheValue(@ForAll @Size(32) byte[] key, @ForAll @Size(max = 300) byte[] value)
            throws Exception {
        byte[] encrypted = codec(key).encode(value);

        assertThat(codec(key).decode(encrypted)).isEqualTo(value);
        assertThat(encrypted).hasSize(2 + 3 + 12 + value.length + 16);
    }

    @Property(tries = 300)
    void decode_oneByteChanged_isRefused(
            @ForAll @Size(max = 300) byte[] value, @ForAll @IntRange(max = 1000) int place, @ForAll byte change)
            throws Exception {
        Assume.that(change != 0);
        var codec = codec(new byte[32]);
        byte[] encrypted = codec.encode(value);
        encrypted[place % encrypted.length] ^= change;

        assertThatThrownBy(() -> codec.decode(encrypted)).isInstanceOf(EncryptedCodec.EncryptionException.class);
    }

    @Property(tries = 300)
    void decode_ofAnything_isRefused(@ForAll @Size(max = 200) byte[] anything) {
        assertThatThrownBy(() -> codec(new byte[32]).decode(anything))
                .isInstanceOf(EncryptedCodec.EncryptionException.class);
        byte[] likely = anything.clone();
        if (likely.length > 5) {
            System.arraycopy(new byte[] {1, 3, 'k', 'e', 'y'}, 0, likely, 0, 5);
        }
        assertThatThrownBy(() -> codec(new byte[32]).decode(likely))
                .isInstanceOf(EncryptedCodec.EncryptionException.class);
        assertThat(codec(new byte[32]).isSame(likely, Arrays.copyOf(likely, likely.length + 1)))
                .isFalse();
    }
}

package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.ProviderProfile.KeyFormat.Alphabet;
import java.util.HashSet;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class NativeKeysTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("charge", "order-1");

    /** Computed by another program. A new release must send the same keys, or the provider would not recognise a re-send. */
    static Stream<Arguments> frozen() {
        var tenant = new IdempotencyKey("charge/acme", "Größe-7");
        return Stream.of(
                Arguments.of(KEY, 1, 1, KeyFormat.uuid(), "2dd14e9f-eaf4-8870-a4ea-98b8f2d98b32"),
                Arguments.of(KEY, 2, 1, KeyFormat.uuid(), "f879ded7-be5c-89a5-947c-6a959d47b0d7"),
                Arguments.of(KEY, 1, 2, KeyFormat.uuid(), "45665caa-ffac-8efe-bb3a-79f1f75f5e05"),
                Arguments.of(tenant, 3, 12, KeyFormat.uuid(), "3ad0b4a8-e352-8f2a-8c88-504e5d03013d"),
                Arguments.of(
                        KEY,
                        1,
                        1,
                        KeyFormat.hex(64),
                        "2dd14e9feaf45870a4ea98b8f2d98b32c40d822be1ea861b04d775b86f3af896"),
                Arguments.of(KEY, 1, 1, KeyFormat.hex(32), "2dd14e9feaf45870a4ea98b8f2d98b32"),
                Arguments.of(KEY, 1, 1, KeyFormat.base32(52), "FXIU5H7K6RMHBJHKTC4PFWMLGLCA3ARL4HVIMGYE2523Q3Z27CLA"),
                Arguments.of(KEY, 1, 1, KeyFormat.base32(26), "FXIU5H7K6RMHBJHKTC4PFWMLGL"),
                Arguments.of(
                        tenant,
                        3,
                        12,
                        KeyFormat.base32(52).withPrefix("pay_"),
                        "pay_HLILJKHDKKXSUTEIKBHF2AYBHVDTUSD2VJ3Q42HM44MQWRACGSUA"));
    }

    @ParameterizedTest
    @MethodSource("frozen")
    void nativeKey_isFrozen(IdempotencyKey key, int generation, int firstAttempt, KeyFormat format, String expected) {
        assertThat(NativeKeys.derive(key, generation, firstAttempt, format)).isEqualTo(expected);
    }

    static Stream<Arguments> formats() {
        return Stream.of(
                        IntStream.of(36).mapToObj(length -> new KeyFormat(Alphabet.UUID, length, "")),
                        IntStream.rangeClosed(32, 64).mapToObj(KeyFormat::hex),
                        IntStream.rangeClosed(26, 52).mapToObj(KeyFormat::base32))
                .flatMap(formats -> formats)
                .flatMap(format ->
                        Stream.of("", "p", "pre-fix_9").map(prefix -> Arguments.of(format.withPrefix(prefix), prefix)));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void nativeKey_hasItsFormat(KeyFormat format, String prefix) {
        String nativeKey = NativeKeys.derive(KEY, 1, 1, format);
        String alphabet = switch (format.alphabet()) {
            case UUID -> "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
            case HEX -> "[0-9a-f]+";
            case BASE32 -> "[A-Z2-7]+";
        };

        assertThat(nativeKey).startsWith(prefix).hasSize(prefix.length() + format.length());
        assertThat(nativeKey.substring(prefix.length())).matches(alphabet);
    }

    @Test
    void uuid_isOfVersion8AndTheStandardVariant() {
        for (int i = 0; i < 1000; i++) {
            var uuid = UUID.fromString(
                    NativeKeys.derive(new IdempotencyKey("charge", "order-" + i), 1, 1, KeyFormat.uuid()));
            assertThat(uuid.version()).isEqualTo(8);
            assertThat(uuid.variant()).isEqualTo(2);
        }
    }

    @Test
    void nativeKey_ofTheSameWrite_isTheSame() {
        assertThat(NativeKeys.derive(KEY, 1, 1, KeyFormat.uuid()))
                .isEqualTo(NativeKeys.derive(new IdempotencyKey("charge", "order-1"), 1, 1, KeyFormat.uuid()));
    }

    @Test
    void nativeKey_changesWithEachOfItsParts() {
        var seen = new HashSet<String>();
        int count = 0;
        for (String scope : new String[] {"a", "a/b", "a1", "1"}) {
            for (String value : new String[] {"b", "1b", "11", "1", "b1"}) {
                for (int generation : new int[] {1, 2, 11, 12, 21}) {
                    for (int attempt : new int[] {1, 2, 11, 12, 21}) {
                        seen.add(NativeKeys.derive(
                                new IdempotencyKey(scope, value), generation, attempt, KeyFormat.hex(32)));
                        count++;
                    }
                }
            }
        }
        assertThat(seen).hasSize(count);
    }
}

package dev.idempotency;

import dev.idempotency.ProviderProfile.KeyFormat;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.UUID;

/** H(scope, key, generation), in the provider's format. */
final class NativeKeys {
    private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private NativeKeys() {}

    /**
     * Derives the native key.
     *
     * @param firstAttempt the first attempt that uses this native key: 1, or a later one after a seal has burnt the one
     *     before
     */
    static String derive(IdempotencyKey key, int generation, int firstAttempt, KeyFormat format) {
        byte[] digest = Digests.sha256(Digests.frame(
                "native-key",
                key.scope(),
                key.value(),
                Integer.toString(generation),
                firstAttempt == 1 ? "" : Integer.toString(firstAttempt)));
        return format.prefix()
                + switch (format.alphabet()) {
                    case UUID -> uuid(digest);
                    case HEX -> HexFormat.of().formatHex(digest).substring(0, format.length());
                    case BASE32 -> base32(digest).substring(0, format.length());
                };
    }

    /** RFC 9562 section 5.8: version 8, the custom one, for names hashed with something else than SHA-1. */
    private static String uuid(byte[] digest) {
        var bytes = ByteBuffer.wrap(digest);
        long high = (bytes.getLong() & 0xFFFF_FFFF_FFFF_0FFFL) | 0x8000L;
        long low = (bytes.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }

    private static String base32(byte[] digest) {
        var text = new StringBuilder();
        int buffer = 0;
        int bits = 0;
        for (byte b : digest) {
            buffer = (buffer << 8) | (b & 0xFF);
            bits += 8;
            while (bits >= 5) {
                text.append(BASE32.charAt((buffer >> (bits - 5)) & 31));
                bits -= 5;
            }
        }
        return text.append(BASE32.charAt((buffer << (5 - bits)) & 31)).toString();
    }
}

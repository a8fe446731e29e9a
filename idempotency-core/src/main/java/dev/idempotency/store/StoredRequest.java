package dev.idempotency.store;

import java.util.Arrays;
import java.util.Objects;

/**
 * A request that is kept while its key is unresolved, as bytes that the store does not look into. Immutable; two are equal
 * when codec and bytes are.
 *
 * @since 0.1.0
 */
public final class StoredRequest {
    private final String codec;
    private final byte[] bytes;

    /**
     * Wraps an encoded request.
     *
     * @param codec the id of the codec that wrote the bytes and can read them
     * @param bytes the encoded request; copied
     * @throws NullPointerException if an argument is null
     */
    public StoredRequest(String codec, byte[] bytes) {
        this.codec = Objects.requireNonNull(codec, "codec");
        this.bytes = Objects.requireNonNull(bytes, "bytes").clone();
    }

    /**
     * Which codec wrote the bytes.
     *
     * @return the codec's id
     */
    public String codec() {
        return codec;
    }

    /**
     * The encoded request.
     *
     * @return a copy of the bytes
     */
    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StoredRequest that && codec.equals(that.codec) && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return 31 * codec.hashCode() + Arrays.hashCode(bytes);
    }

    /** Names codec and size; never the content. */
    @Override
    public String toString() {
        return "StoredRequest[" + codec + ", " + bytes.length + " bytes]";
    }
}

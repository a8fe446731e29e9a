package dev.idempotency.store;

import java.util.Arrays;
import java.util.Objects;

/**
 * A recorded outcome, as bytes that the store does not look into. Immutable; two are equal when kind, codec and bytes
 * are.
 *
 * @since 0.1.0
 */
public final class StoredResult {
    /** What the bytes are. */
    public enum Kind {
        /** The encoded result of the call. */
        RESULT,
        /** The reason of a definite decline. */
        DECLINED
    }

    private final Kind kind;
    private final String codec;
    private final byte[] bytes;

    /**
     * Wraps an encoded outcome.
     *
     * @param kind what the bytes are
     * @param codec the id of the codec that wrote the bytes and can read them
     * @param bytes the encoded outcome; copied
     * @throws NullPointerException if an argument is null
     */
    public StoredResult(Kind kind, String codec, byte[] bytes) {
        this.kind = Objects.requireNonNull(kind, "kind");
        this.codec = Objects.requireNonNull(codec, "codec");
        this.bytes = Objects.requireNonNull(bytes, "bytes").clone();
    }

    /**
     * What the bytes are.
     *
     * @return the kind of outcome
     */
    public Kind kind() {
        return kind;
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
     * The encoded outcome.
     *
     * @return a copy of the bytes
     */
    public byte[] bytes() {
        return bytes.clone();
    }

    /**
     * How many bytes the encoded outcome has.
     *
     * @return the length in bytes
     */
    public int size() {
        return bytes.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StoredResult that
                && kind == that.kind
                && codec.equals(that.codec)
                && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return 31 * Objects.hash(kind, codec) + Arrays.hashCode(bytes);
    }

    /** Names kind, codec and size; never the content. */
    @Override
    public String toString() {
        return "StoredResult[" + kind + ", " + codec + ", " + bytes.length + " bytes]";
    }
}

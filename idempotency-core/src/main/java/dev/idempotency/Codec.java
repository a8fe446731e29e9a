package dev.idempotency;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Turns a result, or a request that is kept for recovery, into bytes and back. Thread-safe. What it encodes today it must
 * decode as long as records are kept.
 *
 * @param <T> the operation's result or request
 * @since 0.1.0
 */
public interface Codec<T extends @Nullable Object> {
    /**
     * Names the codec and its format; stored beside the bytes.
     *
     * @return 1 to 64 characters; another name means another format
     */
    String id();

    /**
     * Encodes a value.
     *
     * @param value a request, or what the call returned; null if it did
     * @return the bytes to store
     * @throws Exception if it cannot: for a request, before anything is written; for a result, the write has happened by
     *     then, so the key is in doubt
     */
    byte[] encode(T value) throws Exception;

    /**
     * Decodes what {@link #encode} made. Called for every caller who gets the result, the first one too, and for a request
     * before it is kept.
     *
     * @param bytes what was stored
     * @return a value equal to the one encoded, and shared with nobody: its caller may change it
     * @throws Exception if it cannot: for a result, every caller gets a {@link ResultUnavailableException} and no further call
     *     is made; for a request, nothing is written when it is to be kept, and a key in doubt whose request can no longer be
     *     decoded waits for its next caller
     */
    T decode(byte[] bytes) throws Exception;

    /**
     * Tells whether two encodings are of equal values, so that a second answer that says the same is not taken for a
     * contradiction. By default, whether the bytes are equal; a codec that may encode one value in several ways, as one that
     * encrypts does, must say more. Never throws.
     *
     * @param one what {@link #encode} made, here or in another process
     * @param other the same
     * @return true only if both are certainly of equal values
     */
    default boolean isSame(byte[] one, byte[] other) {
        return Arrays.equals(one, other);
    }

    /**
     * Checks, before any call is made, that values of the declared type can be encoded and decoded at all.
     *
     * @throws IllegalArgumentException if they cannot; the message says why
     */
    default void check() {}
}

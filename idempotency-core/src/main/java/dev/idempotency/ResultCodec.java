package dev.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * Turns a result into bytes and back. Thread-safe. What it encodes today it must decode as long as results are kept.
 *
 * @param <O> the operation's result
 */
public interface ResultCodec<O extends @Nullable Object> {
    /**
     * Names the codec and its format; stored beside every result.
     *
     * @return 1 to 64 characters; another name means another format
     */
    String id();

    /**
     * Encodes a result.
     *
     * @param result what the call returned; null if it did
     * @return the bytes to store
     * @throws Exception if it cannot; the write has happened by then, so the key is in doubt
     */
    byte[] encode(O result) throws Exception;

    /**
     * Decodes what {@link #encode} made.
     *
     * @param bytes what was stored
     * @return a result equal to the one encoded
     * @throws Exception if it cannot; callers get a {@link ResultUnavailableException}, and nothing is called
     */
    O decode(byte[] bytes) throws Exception;

    /**
     * Checks, before any call is made, that results of the declared type can be encoded and decoded at all.
     *
     * @throws IllegalArgumentException if they cannot; the message says why
     */
    default void check() {}
}

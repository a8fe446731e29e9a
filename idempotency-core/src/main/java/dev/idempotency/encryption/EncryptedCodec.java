package dev.idempotency.encryption;

import dev.idempotency.Codec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts what another codec encodes, with AES-256 in Galois/Counter Mode, so that a store holds no readable results.
 * Immutable and thread-safe.
 *
 * <p>One key encrypts; any number decrypt, by the key id that stands before the ciphertext. What was encrypted stays
 * readable as long as its key is given: a key may be left out once nothing that it encrypted is kept.
 *
 * <pre>{@code
 * version 1 (1 byte) | length of key id (1) | key id | nonce (12) | ciphertext | tag (16)
 * }</pre>
 *
 * The additional data are everything before the nonce, followed by the inner codec's id. The operation's key is not among
 * them: a ciphertext that somebody copies from one record to another of the same operation is decrypted there.
 *
 * @param <T> what is encoded
 * @since 0.1.0
 */
public final class EncryptedCodec<T extends @Nullable Object> implements Codec<T> {
    private static final String NAME = "a256gcm-1+";
    private static final byte VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final int KEY_BYTES = 32;
    private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    /** Something cannot be encrypted or decrypted. Messages have no plaintext and nothing of a key but its id. */
    public static final class EncryptionException extends GeneralSecurityException {
        private static final long serialVersionUID = 1L;

        /** What kept it. */
        public enum Reason {
            /** The bytes are not of this format, or of a later version of it. */
            FORMAT,
            /** The bytes end too early. */
            TRUNCATED,
            /** No key of that id was given. */
            UNKNOWN_KEY,
            /** The bytes were changed, or the key of that id is another one. */
            NOT_AUTHENTIC,
            /** The inner codec cannot encode the value, or cannot decode the plaintext. */
            INNER_CODEC,
            /** The cipher cannot be had, or does not take the key. */
            CIPHER
        }

        private final Reason reason;

        EncryptionException(Reason reason, String message) {
            super(message);
            this.reason = reason;
        }

        /**
         * What kept it.
         *
         * @return the reason
         */
        public Reason reason() {
            return reason;
        }
    }

    private final Codec<T> inner;
    private final String keyId;
    private final Map<String, SecretKey> keys;
    private final Supplier<byte[]> nonces;

    EncryptedCodec(Codec<T> inner, String keyId, Map<String, SecretKey> keys, Supplier<byte[]> nonces) {
        this.inner = inner;
        this.keyId = keyId;
        this.keys = Map.copyOf(keys);
        this.nonces = nonces;
    }

    /**
     * Encrypts what a codec encodes.
     *
     * @param inner encodes; {@link dev.idempotency.Idempotency#codec} for JSON
     * @param <T> what is encoded
     * @return a builder that still needs a key to encrypt with
     * @throws IllegalArgumentException if the inner codec's id has more than 54 characters
     */
    public static <T extends @Nullable Object> Builder<T> around(Codec<T> inner) {
        if (inner.id().length() > 64 - NAME.length()) {
            throw new IllegalArgumentException("the id of the inner codec has "
                    + inner.id().length() + " characters; at most " + (64 - NAME.length()) + " leave room for '" + NAME
                    + "'");
        }
        return new Builder<>(inner);
    }

    /**
     * Names the format, and not the key: results of an old key replay under a new one.
     *
     * @return {@code a256gcm-1+} and the inner codec's id
     */
    @Override
    public String id() {
        return NAME + inner.id();
    }

    @Override
    public void check() {
        inner.check();
    }

    /**
     * Encodes and encrypts.
     *
     * @param value what to encode
     * @return the key id, the nonce and the ciphertext
     * @throws EncryptionException if the inner codec or the cipher fails
     */
    @Override
    public byte[] encode(T value) throws EncryptionException {
        byte[] plaintext;
        try {
            plaintext = inner.encode(value);
        } catch (Exception e) {
            throw innerFailure("encode the value", e);
        }
        byte[] header = header(keyId);
        byte[] nonce = nonces.get();
        byte[] ciphertext = crypt(Cipher.ENCRYPT_MODE, keyId, header, nonce, plaintext);
        return ByteBuffer.allocate(header.length + nonce.length + ciphertext.length)
                .put(header)
                .put(nonce)
                .put(ciphertext)
                .array();
    }

    /**
     * Decrypts and decodes.
     *
     * @param bytes what {@link #encode} made, under any key that was given
     * @return the value
     * @throws EncryptionException if they cannot be read; says why
     */
    @Override
    public T decode(byte[] bytes) throws EncryptionException {
        byte[] plaintext = decrypt(bytes);
        try {
            return inner.decode(plaintext);
        } catch (Exception e) {
            throw innerFailure("decode what was decrypted", e);
        }
    }

    /** An inner codec's message, or that of a cause, may repeat what it was reading. */
    private EncryptionException innerFailure(String what, Exception failure) {
        return new EncryptionException(
                EncryptionException.Reason.INNER_CODEC,
                "The codec '" + inner.id() + "' could not " + what + ": "
                        + failure.getClass().getName());
    }

    /**
     * Tells whether two ciphertexts hold equal values, under whichever keys. What cannot be decrypted is equal to nothing
     * but itself.
     *
     * @param one what {@link #encode} made
     * @param other the same
     * @return whether the inner codec says so of both plaintexts
     */
    @Override
    public boolean isSame(byte[] one, byte[] other) {
        try {
            return Arrays.equals(one, other) || inner.isSame(decrypt(one), decrypt(other));
        } catch (EncryptionException e) {
            return false;
        }
    }

    private byte[] decrypt(byte[] bytes) throws EncryptionException {
        if (bytes.length < 2) {
            throw truncated();
        }
        int idLength = bytes[1];
        if (bytes[0] != VERSION || idLength < 1) {
            throw notThisFormat();
        }
        int headerLength = 2 + idLength;
        if (bytes.length < headerLength + NONCE_BYTES + TAG_BYTES) {
            throw truncated();
        }
        String id = new String(bytes, 2, idLength, StandardCharsets.ISO_8859_1);
        if (!KEY_ID.matcher(id).matches()) {
            throw notThisFormat();
        }
        byte[] nonce = Arrays.copyOfRange(bytes, headerLength, headerLength + NONCE_BYTES);
        byte[] ciphertext = Arrays.copyOfRange(bytes, headerLength + NONCE_BYTES, bytes.length);
        return crypt(Cipher.DECRYPT_MODE, id, header(id), nonce, ciphertext);
    }

    private static EncryptionException truncated() {
        return new EncryptionException(EncryptionException.Reason.TRUNCATED, "The encrypted bytes end too early");
    }

    private static EncryptionException notThisFormat() {
        return new EncryptionException(
                EncryptionException.Reason.FORMAT, "The bytes are not of the format that this codec encrypts in");
    }

    private static byte[] header(String id) {
        byte[] text = id.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(2 + text.length)
                .put(VERSION)
                .put((byte) text.length)
                .put(text)
                .array();
    }

    private byte[] crypt(int mode, String id, byte[] header, byte[] nonce, byte[] bytes) throws EncryptionException {
        SecretKey key = keys.get(id);
        if (key == null) {
            throw new EncryptionException(
                    EncryptionException.Reason.UNKNOWN_KEY,
                    "It was encrypted with the key '" + id + "', which was not given; given are "
                            + new TreeSet<>(keys.keySet()));
        }
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * 8, nonce));
            cipher.updateAAD(header);
            cipher.updateAAD(inner.id().getBytes(StandardCharsets.UTF_8));
            return cipher.doFinal(bytes);
        } catch (AEADBadTagException e) {
            throw new EncryptionException(
                    EncryptionException.Reason.NOT_AUTHENTIC,
                    "The encrypted bytes were changed, or the key '" + id + "' is not the one that they were encrypted"
                            + " with");
        } catch (GeneralSecurityException e) {
            throw new EncryptionException(
                    EncryptionException.Reason.CIPHER,
                    "AES in GCM failed with the key '" + id + "': "
                            + e.getClass().getName());
        }
    }

    /** Names the format and the ids of the keys. */
    @Override
    public String toString() {
        return "EncryptedCodec[" + id() + ", encrypts with " + keyId + ", decrypts " + new TreeSet<>(keys.keySet())
                + "]";
    }

    /**
     * Takes the keys. Not thread-safe.
     *
     * @param <T> what is encoded
     */
    public static final class Builder<T extends @Nullable Object> {
        private static final SecureRandom RANDOM = new SecureRandom();

        private final Codec<T> inner;
        private final Map<String, SecretKey> keys = new LinkedHashMap<>();
        private @Nullable String keyId;

        private Builder(Codec<T> inner) {
            this.inner = inner;
        }

        /**
         * Gives the key to encrypt with, and to decrypt what it encrypted.
         *
         * @param id names the key; 1 to 64 letters, digits, dots, hyphens and underscores. Stored readably with each result,
         *     so never a secret, and never given to another key
         * @param key an AES key of 256 bits
         * @return this
         * @throws IllegalArgumentException if {@code id} is not one, or {@code key} is of another kind
         * @throws IllegalStateException if there is a key to encrypt with already, or one of this id
         */
        public Builder<T> encryptWith(String id, SecretKey key) {
            if (keyId != null) {
                throw new IllegalStateException("'" + keyId + "' encrypts already; one key encrypts, others decrypt");
            }
            add(id, key);
            keyId = id;
            return this;
        }

        /**
         * Gives another key to decrypt with: one that was used before, or one that other processes may begin to use.
         *
         * @param id names the key, as in {@link #encryptWith}
         * @param key an AES key of 256 bits
         * @return this
         * @throws IllegalArgumentException if {@code id} is not one, or {@code key} is of another kind
         * @throws IllegalStateException if there is a key of this id already
         */
        public Builder<T> decryptWith(String id, SecretKey key) {
            add(id, key);
            return this;
        }

        private void add(String id, SecretKey key) {
            if (!KEY_ID.matcher(id).matches()) {
                throw new IllegalArgumentException(
                        "the id of a key must be 1 to 64 letters, digits, dots, hyphens and underscores");
            }
            Objects.requireNonNull(key, "key");
            byte[] material = key.getEncoded();
            // A key inside a device does not show its material.
            if (!key.getAlgorithm().equals("AES") || (material != null && material.length != KEY_BYTES)) {
                throw new IllegalArgumentException("the key '" + id + "' is not an AES key of 256 bits");
            }
            if (keys.putIfAbsent(id, key) != null) {
                throw new IllegalStateException("there is a key '" + id + "' already");
            }
        }

        /**
         * Makes the codec.
         *
         * @return a new codec
         * @throws IllegalStateException if there is no key to encrypt with
         */
        public EncryptedCodec<T> build() {
            if (keyId == null) {
                throw new IllegalStateException("there is no key to encrypt with; give one with encryptWith(..)");
            }
            return new EncryptedCodec<>(inner, keyId, keys, Builder::nonce);
        }

        private static byte[] nonce() {
            var nonce = new byte[NONCE_BYTES];
            RANDOM.nextBytes(nonce);
            return nonce;
        }
    }
}

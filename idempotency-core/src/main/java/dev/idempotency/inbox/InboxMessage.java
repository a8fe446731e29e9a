package dev.idempotency.inbox;

import dev.idempotency.IdempotencyKey;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

/**
 * What arrived, as bytes that no store looks into. Immutable; two are equal when key, payload and attributes are.
 *
 * @since 0.1.0
 */
public final class InboxMessage {
    /** How many attributes a message may have. */
    public static final int MAX_ATTRIBUTES = 64;

    /** The longest name or value of an attribute, in characters. */
    public static final int MAX_ATTRIBUTE = 1000;

    private final IdempotencyKey key;
    private final byte[] payload;
    private final Map<String, String> attributes;

    /**
     * Makes a message.
     *
     * @param key the queue, as scope, and by what the message is known again, as value
     * @param payload what arrived; copied
     * @param attributes a few words about it, such as its type; copied
     * @throws NullPointerException if an argument, a name or a value is null
     * @throws IllegalArgumentException if there are more than {@value #MAX_ATTRIBUTES} attributes, or one is longer than
     *     {@value #MAX_ATTRIBUTE} characters, or has the character 0 or half a surrogate pair, which not every store can keep
     */
    public InboxMessage(IdempotencyKey key, byte[] payload, Map<String, String> attributes) {
        this.key = Objects.requireNonNull(key, "key");
        this.payload = Objects.requireNonNull(payload, "payload").clone();
        this.attributes = Map.copyOf(attributes);
        if (this.attributes.size() > MAX_ATTRIBUTES) {
            throw new IllegalArgumentException(
                    "attributes are " + this.attributes.size() + "; there may be " + MAX_ATTRIBUTES);
        }
        this.attributes.forEach((name, value) -> {
            requireStorable(name);
            requireStorable(value);
        });
    }

    private static void requireStorable(String text) {
        if (text.length() > MAX_ATTRIBUTE
                || text.codePoints().anyMatch(c -> c == 0 || Character.getType(c) == Character.SURROGATE)) {
            throw new IllegalArgumentException("an attribute is longer than " + MAX_ATTRIBUTE
                    + " characters, or has a character 0 or half a surrogate pair");
        }
    }

    /**
     * Queue and identity.
     *
     * @return the key; its scope is the queue
     */
    public IdempotencyKey key() {
        return key;
    }

    /**
     * The queue that this message is in.
     *
     * @return the scope of the key
     */
    public String queue() {
        return key.scope();
    }

    /**
     * What arrived.
     *
     * @return a copy of the bytes
     */
    public byte[] payload() {
        return payload.clone();
    }

    /**
     * A few words about it.
     *
     * @return the attributes by name; not modifiable
     */
    public Map<String, String> attributes() {
        return attributes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof InboxMessage that
                && key.equals(that.key)
                && attributes.equals(that.attributes)
                && Arrays.equals(payload, that.payload);
    }

    @Override
    public int hashCode() {
        return 31 * Objects.hash(key, attributes) + Arrays.hashCode(payload);
    }

    /** Names key and size; never the content. */
    @Override
    public String toString() {
        return "InboxMessage[" + key + ", " + payload.length + " bytes]";
    }
}

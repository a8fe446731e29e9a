package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.StoreException;
import io.lettuce.core.cluster.SlotHash;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32;

/**
 * Which Redis keys there are. A record and the two indexes that it stands in are in one shard, which is one hash tag, so
 * that one script can write all of them, in a Cluster too.
 *
 * <p>A record's name is the length of its scope, the scope and the value: two keys have one name only if they are the same.
 */
final class Layout {
    /** As many as make an index small and the parts of a Cluster equal, and as few as a list can ask. Never changes. */
    static final int SHARDS = 64;

    private final String prefix;
    private final String[] tags = new String[SHARDS];
    private final byte[][] unresolved = new byte[SHARDS][];
    private final byte[][] due = new byte[SHARDS][];
    private final byte[][] trail = new byte[SHARDS][];

    Layout(String prefix) {
        Objects.requireNonNull(prefix, "prefix");
        if (!prefix.matches("[A-Za-z0-9._:/-]{1,100}")) {
            throw new IllegalArgumentException("prefix is '" + prefix
                    + "'; it must be 1 to 100 letters, digits, dots, colons, slashes, hyphens or underscores");
        }
        this.prefix = prefix;
        for (int shard = 0; shard < SHARDS; shard++) {
            tags[shard] = tag(shard);
            unresolved[shard] = bytes("{" + tags[shard] + "}:unresolved");
            due[shard] = bytes("{" + tags[shard] + "}:due");
            trail[shard] = bytes("{" + tags[shard] + "}:trail");
        }
    }

    /** The nth shard is in the nth equal part of the slots, so that masters with equal parts have equal shares. */
    private String tag(int shard) {
        for (int i = 0; ; i++) {
            String tag = prefix + ":" + shard + "." + i;
            if (SlotHash.getSlot(tag) / (SlotHash.SLOT_COUNT / SHARDS) == shard) {
                return tag;
            }
        }
    }

    int shardOf(IdempotencyKey key) {
        var crc = new CRC32();
        crc.update(bytes(name(key)));
        return (int) (crc.getValue() % SHARDS);
    }

    byte[] record(IdempotencyKey key) {
        return bytes("{" + tags[shardOf(key)] + "}:" + name(key));
    }

    byte[] unresolved(int shard) {
        return unresolved[shard];
    }

    byte[] due(int shard) {
        return due[shard];
    }

    /** Index of what people have decided about the keys of a shard. */
    byte[] trail(int shard) {
        return trail[shard];
    }

    /** Index of what people have decided about one key. */
    byte[] trail(IdempotencyKey key) {
        return bytes("{" + tags[shardOf(key)] + "}:trail:" + name(key));
    }

    /** What people have decided about one key. */
    byte[] acts(IdempotencyKey key) {
        return bytes("{" + tags[shardOf(key)] + "}:act:" + name(key));
    }

    /** The latest version of a thing. */
    byte[] version(IdempotencyKey entity) {
        return bytes("{" + tags[shardOf(entity)] + "}:version:" + name(entity));
    }

    String tagOf(int shard) {
        return tags[shard];
    }

    static String name(IdempotencyKey key) {
        return key.scope().length() + ":" + key.scope() + key.value();
    }

    /** Where a record stands in the index of unresolved ones: as the script writes it. */
    static byte[] entry(IdempotencyRecord record) {
        byte[] name = bytes(name(record.key()));
        return ByteBuffer.allocate(Long.BYTES + name.length)
                .putLong(RecordFormat.micros(record.times().stateSince()))
                .put(name)
                .array();
    }

    /** The key of the record that an entry of an index is about. */
    static IdempotencyKey keyOf(byte[] entry) {
        return keyOf(entry, Long.BYTES);
    }

    /** The key whose name an entry has at its end. */
    static IdempotencyKey keyOf(byte[] entry, int from) {
        String name = new String(Arrays.copyOfRange(entry, from, entry.length), StandardCharsets.UTF_8);
        try {
            int colon = name.indexOf(':');
            int end = colon + 1 + Integer.parseInt(name.substring(0, colon));
            return new IdempotencyKey(name.substring(colon + 1, end), name.substring(end));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new StoreException("An index has an entry that is not one of this library", false, e);
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

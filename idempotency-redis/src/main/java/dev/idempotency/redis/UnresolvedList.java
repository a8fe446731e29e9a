package dev.idempotency.redis;

import dev.idempotency.store.IdempotencyRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One page of unresolved records out of all shards: their indexes are read a few entries at a time, all shards at once, and
 * merged in the order of their entries. Large records are read one by one, when it is their turn. Not thread-safe.
 */
final class UnresolvedList {
    private static final Logger LOG = LoggerFactory.getLogger(UnresolvedList.class);

    /** Bounds how long one step keeps the server from others. */
    private static final int LARGEST_CHUNK = 256;

    /** What one shard sends at once of records, in bytes: so little that all shards together answer in time. */
    private static final byte[] BYTES_AT_ONCE = Layout.bytes("65536");

    private static final byte[] ALL_BYTES = Layout.bytes("1e15");
    private static final byte[] ONE = Layout.bytes("1");

    /** The index has it, and nothing else. */
    private static final Object MISSING = new Object();

    private static final byte[] FROM_THE_START = Layout.bytes("-");

    private final Steps steps;
    private final Script script;
    private final Layout layout;
    private final int limit;
    private final int chunk;

    UnresolvedList(Steps steps, Script script, Layout layout, int limit) {
        this.steps = steps;
        this.script = script;
        this.layout = layout;
        this.limit = limit;
        this.chunk = Math.min(LARGEST_CHUNK, 2 * limit / Layout.SHARDS + 2);
    }

    List<IdempotencyRecord> after(@Nullable IdempotencyRecord cursor) {
        byte[] from = cursor == null ? FROM_THE_START : after(Layout.entry(cursor));
        List<Steps.Running> running = new ArrayList<>();
        for (int shard = 0; shard < Layout.SHARDS; shard++) {
            running.add(ask(shard, from));
        }
        var shards = new PriorityQueue<Shard>();
        for (int shard = 0; shard < Layout.SHARDS; shard++) {
            offer(shards, new Shard(shard, running.get(shard).reply()));
        }
        List<IdempotencyRecord> page = new ArrayList<>();
        while (page.size() < limit && !shards.isEmpty()) {
            Shard first = shards.remove();
            IdempotencyRecord record = first.take();
            if (record != null) {
                page.add(record);
            }
            offer(shards, first);
        }
        return page;
    }

    private static void offer(PriorityQueue<Shard> shards, Shard shard) {
        if (shard.hasMore()) {
            shards.add(shard);
        }
    }

    private Steps.Running ask(int shard, byte[] from) {
        return steps.start(
                script, List.of(layout.unresolved(shard)), from, Layout.bytes(Integer.toString(chunk)), BYTES_AT_ONCE);
    }

    private static byte[] after(byte[] entry) {
        return bound('(', entry);
    }

    private static byte[] bound(char kind, byte[] entry) {
        var bound = new byte[entry.length + 1];
        bound[0] = (byte) kind;
        System.arraycopy(entry, 0, bound, 1, entry.length);
        return bound;
    }

    /** What was read of one shard's index and is not on the page yet. */
    private final class Shard implements Comparable<Shard> {
        private final int number;
        private final Queue<byte[]> entries = new ArrayDeque<>();
        private final Queue<Object> values = new ArrayDeque<>();
        private boolean mayHaveMore;
        private byte[] last = {};

        Shard(int number, List<Object> reply) {
            this.number = number;
            add(reply);
        }

        private void add(List<Object> reply) {
            for (int i = 0; i < reply.size(); i += 2) {
                last = (byte[]) reply.get(i);
                entries.add(last);
                values.add(Objects.requireNonNullElse(reply.get(i + 1), MISSING));
            }
            mayHaveMore = reply.size() == 2 * chunk;
        }

        boolean hasMore() {
            if (entries.isEmpty() && mayHaveMore) {
                add(ask(number, after(last)).reply());
            }
            return !entries.isEmpty();
        }

        /** The first record; null when there is only the entry. */
        @Nullable
        IdempotencyRecord take() {
            byte[] entry = entries.remove();
            Object value = values.remove();
            if (value instanceof Long) {
                List<Object> reply = steps.start(
                                script, List.of(layout.unresolved(number)), bound('[', entry), ONE, ALL_BYTES)
                        .reply();
                if (reply.isEmpty() || !Arrays.equals(entry, (byte[]) reply.get(0))) {
                    return null;
                }
                value = Objects.requireNonNullElse(reply.get(1), MISSING);
            }
            if (value == MISSING) {
                LOG.error(
                        "An index has {} as unresolved, and no such record is there: evicted, lost, or never written",
                        Layout.keyOf(entry));
                return null;
            }
            return RecordFormat.decode(Layout.keyOf(entry), (byte[]) value);
        }

        @Override
        public int compareTo(Shard other) {
            return Arrays.compareUnsigned(entries.element(), other.entries.element());
        }
    }
}

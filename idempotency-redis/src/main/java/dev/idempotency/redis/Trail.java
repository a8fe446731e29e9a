package dev.idempotency.redis;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The audit trail: for each key a hash with the entries of its acts, an index of them, and for each shard an index of all. An
 * index sorts by time, act and phase. Nothing of it has a time to live, and no script removes any of it. Thread-safe.
 *
 * <p>An entry is 1 byte format, then what this class writes. A constant is stored by its place in a list of this class: add to
 * the end of a list, change no place.
 */
final class Trail {
    /** Bounds how long one step keeps the server from others. */
    private static final int LARGEST_PAGE = 256;

    private static final byte FORMAT = 1;
    private static final int ID = 16;
    private static final int INDEXED = Long.BYTES + ID + 1;
    private static final byte[] NEWEST = Layout.bytes("+");
    private static final byte[] OF_ALL_KEYS = {};

    private static final List<Act> ACTS =
            List.of(Act.EXECUTED, Act.NOT_EXECUTED, Act.REEXECUTE, Act.REOPEN, Act.OVERRIDE, Act.WITHDRAW);
    /** In this order they follow each other. */
    private static final List<Phase> PHASES = List.of(Phase.REQUESTED, Phase.INTENDED, Phase.APPLIED, Phase.REFUSED);

    /** Some entries, newest first, and whether there are no older ones. */
    private record Part(List<AuditEntry> entries, boolean isLast) {}

    private final Steps steps;
    private final Script.All scripts;
    private final Layout layout;

    Trail(Steps steps, Script.All scripts, Layout layout) {
        this.steps = steps;
        this.scripts = scripts;
        this.layout = layout;
    }

    AuditEntry append(AuditEntry entry) {
        IdempotencyKey key = entry.key();
        List<byte[]> keys = List.of(layout.acts(key), layout.trail(key), layout.trail(layout.shardOf(key)));
        byte[] standing = (byte[])
                steps.write(scripts.append(), keys, field(entry), encode(entry), Layout.bytes(Layout.name(key)))
                        .get(0);
        return decode(key, field(entry), standing);
    }

    List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        List<AuditEntry> page = new ArrayList<>();
        byte[] from = before == null ? NEWEST : before(before);
        while (true) {
            int wanted = Math.min(limit - page.size(), LARGEST_PAGE);
            Part part = key == null ? readAll(from, wanted) : read(key, from, wanted);
            page.addAll(part.entries());
            if (part.isLast() || page.size() == limit) {
                return page;
            }
            from = before(page.get(page.size() - 1));
        }
    }

    private Part read(IdempotencyKey key, byte[] from, int wanted) {
        List<AuditEntry> entries = indexed(ask(layout.trail(key), from, wanted, Layout.bytes(Layout.name(key))), key);
        return new Part(entries, entries.size() < wanted);
    }

    /** A few entries of each shard, all shards at once, as far down as no shard has more in between. */
    private Part readAll(byte[] from, int wanted) {
        int few = Math.min(wanted, 2 * wanted / Layout.SHARDS + 2);
        List<Steps.Running> asked = new ArrayList<>();
        for (int shard = 0; shard < Layout.SHARDS; shard++) {
            asked.add(ask(layout.trail(shard), from, few, OF_ALL_KEYS));
        }
        List<AuditEntry> all = new ArrayList<>();
        byte[] known = {};
        for (Steps.Running running : asked) {
            List<AuditEntry> read = indexed(running, null);
            all.addAll(read);
            byte[] last = read.size() < few ? known : place(read.get(few - 1));
            known = Arrays.compareUnsigned(last, known) > 0 ? last : known;
        }
        byte[] floor = known;
        Comparator<AuditEntry> byPlace = (one, other) -> Arrays.compareUnsigned(place(one), place(other));
        List<AuditEntry> entries = all.stream()
                .filter(entry -> Arrays.compareUnsigned(place(entry), floor) >= 0)
                .sorted(byPlace.reversed())
                .limit(wanted)
                .toList();
        return new Part(entries, entries.size() == all.size() && floor.length == 0);
    }

    private Steps.Running ask(byte[] index, byte[] from, int wanted, byte[] name) {
        return steps.start(scripts.audit(), List.of(index), from, Layout.bytes(Integer.toString(wanted)), name);
    }

    /** The key is null where each entry of the index ends with its name. */
    private static List<AuditEntry> indexed(Steps.Running running, @Nullable IdempotencyKey key) {
        List<Object> reply = running.reply();
        List<AuditEntry> entries = new ArrayList<>();
        for (int i = 0; i < reply.size(); i += 2) {
            byte[] place = (byte[]) reply.get(i);
            if (!(reply.get(i + 1) instanceof byte[] value)) {
                throw new StoreException("The audit trail has lost an entry that its index has", false, null);
            }
            byte[] field = Arrays.copyOfRange(place, Long.BYTES, INDEXED);
            entries.add(decode(key == null ? Layout.keyOf(place, INDEXED) : key, field, value));
        }
        return entries;
    }

    /** All that is older. Every entry of an index begins with 25 bytes that no other begins with. */
    private static byte[] before(AuditEntry entry) {
        return ByteBuffer.allocate(1 + INDEXED)
                .put((byte) '(')
                .put(place(entry))
                .array();
    }

    private static byte[] place(AuditEntry entry) {
        Instant at = entry.at();
        if (at == null) {
            throw new IllegalArgumentException("before has no time; it must be an entry of the trail");
        }
        return ByteBuffer.allocate(INDEXED)
                .putLong(RecordFormat.micros(at))
                .put(field(entry))
                .array();
    }

    private static byte[] field(AuditEntry entry) {
        return ByteBuffer.allocate(ID + 1)
                .put(HexFormat.of().parseHex(entry.id()))
                .put((byte) PHASES.indexOf(entry.phase()))
                .array();
    }

    private static byte[] encode(AuditEntry entry) {
        Fingerprint fingerprint = entry.fingerprint();
        var out = new Bytes();
        out.raw(new byte[] {FORMAT});
        out.number(entry.version());
        out.raw(HexFormat.of().parseHex(entry.token().value()));
        out.number(entry.generation());
        out.number(ACTS.indexOf(entry.act()));
        out.text(entry.who());
        out.text(entry.why());
        out.text(entry.evidence());
        out.text(entry.detail());
        out.flag(fingerprint != null);
        if (fingerprint != null) {
            out.text(fingerprint.algorithm());
            out.text(fingerprint.digest());
        }
        return out.toByteArray();
    }

    private static AuditEntry decode(IdempotencyKey key, byte[] field, byte[] standing) {
        try {
            var buffer = ByteBuffer.wrap(standing);
            Instant at = RecordFormat.instant(buffer.getLong());
            if (buffer.get() != FORMAT) {
                throw new UnknownFormatException("An entry of the audit trail of " + key, false, null);
            }
            var in = new Bytes.Reader(buffer);
            long version = in.number();
            var token = new byte[16];
            buffer.get(token);
            int generation = in.int32();
            Act act = ACTS.get(in.int32());
            String who = in.text();
            String why = in.text();
            String evidence = in.text();
            String detail = in.text();
            return new AuditEntry(
                    HexFormat.of().formatHex(field, 0, ID),
                    at,
                    key,
                    version,
                    new AttemptToken(HexFormat.of().formatHex(token)),
                    generation,
                    act,
                    PHASES.get(field[ID]),
                    who,
                    why,
                    evidence,
                    in.flag() ? new Fingerprint(in.text(), in.text()) : null,
                    detail);
        } catch (IllegalArgumentException | IndexOutOfBoundsException | BufferUnderflowException e) {
            throw new StoreException(
                    "An entry of the audit trail of " + key + " cannot be read: it is not one of this library",
                    false,
                    e);
        }
    }
}

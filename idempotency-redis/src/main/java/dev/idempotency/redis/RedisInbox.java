package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Messages on Redis: one hash for each, and for each queue in each shard the sorted sets that {@code inbox.lua} describes, all with
 * one hash tag. Only a message that is done has a time to live. Thread-safe.
 */
final class RedisInbox implements InboxStore {
    /** Few, because each claim asks all of them; enough for the masters of a Cluster to share the load. Never changes. */
    private static final int SHARDS = 8;

    /** Bounds how long one step keeps the server from others. */
    private static final int LARGEST_PAGE = 256;

    private static final byte FORMAT = 1;
    private static final byte[] NOTHING = {};
    private static final int CLAIM_PARTS = 7;
    private static final int LETTER_PARTS = 5;

    private final Steps steps;
    private final InboxScripts scripts;
    private final Layout layout;

    RedisInbox(Steps steps, InboxScripts scripts, Layout layout) {
        this.steps = steps;
        this.scripts = scripts;
        this.layout = layout;
    }

    // ---- names

    /** What one queue has in one shard. */
    private final class Part {
        private final String queue;
        private final int shard;

        Part(String queue, int number) {
            this.queue = queue;
            this.shard = number * (Layout.SHARDS / SHARDS);
        }

        private byte[] index(String name) {
            return Layout.bytes("{" + layout.tagOf(shard) + "}:inbox-" + name + ":" + queue);
        }

        byte[] live() {
            return index("live");
        }

        byte[] claimed() {
            return index("claimed");
        }

        byte[] received() {
            return index("received");
        }

        byte[] dead() {
            return index("dead");
        }

        String messages() {
            return "{" + layout.tagOf(shard) + "}:inbox:" + queue.length() + ":" + queue;
        }

        byte[] message(IdempotencyKey key) {
            return Layout.bytes(messages() + key.value());
        }
    }

    private Part partOf(IdempotencyKey key) {
        return new Part(key.scope(), layout.shardOf(key) % SHARDS);
    }

    private List<Part> parts(String queue) {
        return IntStream.range(0, SHARDS)
                .mapToObj(number -> new Part(queue, number))
                .toList();
    }

    // ---- offer and claim

    @Override
    public Offered offer(InboxMessage message, Duration retention) {
        byte[] span = Bounds.positive("retention", retention);
        IdempotencyKey key = message.key();
        Part part = partOf(key);
        List<Object> reply = steps.write(
                scripts.offer(),
                List.of(part.message(key), part.live(), part.received()),
                Layout.bytes(key.value()),
                encode(message),
                span);
        return reply.get(0).equals(1L) ? Offered.ACCEPTED : Offered.DUPLICATE;
    }

    /** Asks all shards at once what is due, and then claims in those that have what is due longest. */
    @Override
    public List<InboxClaim> claim(String queue, int limit, Duration lease) {
        Bounds.requireLimit(limit);
        byte[] span = Bounds.positive("lease", lease);
        List<InboxClaim> claims = new ArrayList<>();
        Map<InboxClaim, Double> order = new HashMap<>();
        for (Map.Entry<Part, List<Double>> share : shares(queue, limit).entrySet()) {
            List<InboxClaim> some = claim(share.getKey(), share.getValue().size(), span);
            for (int i = 0; i < some.size(); i++) {
                order.put(some.get(i), share.getValue().get(i));
            }
            claims.addAll(some);
        }
        claims.sort(Comparator.comparing(claim -> order.getOrDefault(claim, 0.0)));
        return List.copyOf(claims);
    }

    private record Due(Part part, double since) {}

    /** Since when what is to be claimed is due, by part of the queue. */
    private Map<Part, List<Double>> shares(String queue, int limit) {
        int few = Math.min(limit, LARGEST_PAGE);
        Map<Part, Steps.Running> asked = new TreeMap<>(Comparator.comparing((Part part) -> part.shard));
        parts(queue).forEach(part -> asked.put(part, steps.start(scripts.due(), List.of(part.live()), number(few))));
        List<Due> due = new ArrayList<>();
        asked.forEach((part, running) ->
                running.reply().forEach(since -> due.add(new Due(part, Double.parseDouble(text(since))))));
        due.sort(Comparator.comparing(Due::since));
        Map<Part, List<Double>> shares = new TreeMap<>(Comparator.comparing((Part part) -> part.shard));
        due.stream()
                .limit(limit)
                .forEach(one -> shares.computeIfAbsent(one.part(), part -> new ArrayList<>())
                        .add(one.since()));
        return shares;
    }

    private List<InboxClaim> claim(Part part, int limit, byte[] lease) {
        byte[][] args = new byte[2 + limit][];
        args[0] = Layout.bytes(part.messages());
        args[1] = lease;
        for (int i = 2; i < args.length; i++) {
            args[i] = Layout.bytes(AttemptToken.random().value());
        }
        List<Object> reply = steps.write(scripts.claim(), List.of(part.live(), part.claimed()), args);
        List<InboxClaim> claims = new ArrayList<>();
        for (int i = 0; i < reply.size(); i += CLAIM_PARTS) {
            var key = new IdempotencyKey(part.queue, text(reply.get(i)));
            claims.add(new InboxClaim(
                    decode(key, (byte[]) reply.get(i + 1)),
                    new AttemptToken(text(reply.get(i + 2))),
                    ((Long) reply.get(i + 3)).intValue(),
                    instant(reply.get(i + 4)),
                    RecordFormat.instant((Long) reply.get(i + 6)),
                    reply.get(i + 5) instanceof byte[] reason ? text(reason) : null));
        }
        return claims;
    }

    // ---- what the owner of a claim does

    @Override
    public boolean renew(InboxClaim claim, Duration lease) {
        return end("R", claim, Bounds.positive("lease", lease), "");
    }

    @Override
    public boolean done(InboxClaim claim) {
        return end("X", claim, NOTHING, "");
    }

    @Override
    public boolean retry(InboxClaim claim, Duration delay, String reason) {
        return end("W", claim, Bounds.notNegative("delay", delay), reason);
    }

    @Override
    public boolean bury(InboxClaim claim, String reason) {
        return end("D", claim, NOTHING, reason);
    }

    private boolean end(String act, InboxClaim claim, byte[] span, String reason) {
        IdempotencyKey key = claim.message().key();
        Part part = partOf(key);
        return steps.write(
                        scripts.end(),
                        List.of(part.message(key), part.live(), part.claimed(), part.received(), part.dead()),
                        Layout.bytes(act),
                        Layout.bytes(claim.token().value()),
                        span,
                        Layout.bytes(reason),
                        Layout.bytes(key.value()))
                .get(0)
                .equals(1L);
    }

    // ---- dead letters

    private static final Comparator<DeadLetter> LONGEST_DEAD = Comparator.comparing(DeadLetter::buriedAt)
            .thenComparing(letter -> Layout.bytes(letter.message().key().value()), Arrays::compareUnsigned);

    @Override
    public List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
        Bounds.requireLimit(limit);
        List<DeadLetter> page = new ArrayList<>();
        DeadLetter last = after;
        while (page.size() < limit) {
            int wanted = Math.min(limit - page.size(), LARGEST_PAGE);
            List<DeadLetter> some = someDeadLetters(queue, last, wanted);
            page.addAll(some);
            if (some.size() < wanted) {
                break;
            }
            last = some.get(some.size() - 1);
        }
        return page;
    }

    private List<DeadLetter> someDeadLetters(String queue, @Nullable DeadLetter after, int wanted) {
        byte[] from = after == null ? Layout.bytes("-") : behind(after);
        Map<Part, Steps.Running> asked = new TreeMap<>(Comparator.comparing((Part part) -> part.shard));
        for (Part part : parts(queue)) {
            asked.put(
                    part,
                    steps.start(
                            scripts.dead(), List.of(part.dead()), Layout.bytes(part.messages()), from, number(wanted)));
        }
        List<DeadLetter> letters = new ArrayList<>();
        asked.forEach((part, running) -> letters.addAll(letters(queue, running.reply())));
        return letters.stream().sorted(LONGEST_DEAD).limit(wanted).toList();
    }

    private static byte[] behind(DeadLetter letter) {
        byte[] value = Layout.bytes(letter.message().key().value());
        return ByteBuffer.allocate(1 + Long.BYTES + value.length)
                .put((byte) '(')
                .putLong(RecordFormat.micros(letter.buriedAt()))
                .put(value)
                .array();
    }

    private static List<DeadLetter> letters(String queue, List<Object> reply) {
        List<DeadLetter> letters = new ArrayList<>();
        for (int i = 0; i < reply.size(); i += LETTER_PARTS) {
            byte[] entry = (byte[]) reply.get(i);
            var value = new String(entry, Long.BYTES, entry.length - Long.BYTES, StandardCharsets.UTF_8);
            letters.add(new DeadLetter(
                    decode(new IdempotencyKey(queue, value), (byte[]) reply.get(i + 1)),
                    Integer.parseInt(text(reply.get(i + 2))),
                    instant(reply.get(i + 3)),
                    RecordFormat.instant(ByteBuffer.wrap(entry).getLong()),
                    text(reply.get(i + 4))));
        }
        return letters;
    }

    @Override
    public boolean replay(IdempotencyKey key) {
        return exhume("W", key);
    }

    @Override
    public boolean discard(IdempotencyKey key) {
        return exhume("X", key);
    }

    private boolean exhume(String stage, IdempotencyKey key) {
        Part part = partOf(key);
        return steps.write(
                        scripts.exhume(),
                        List.of(part.message(key), part.live(), part.received(), part.dead()),
                        Layout.bytes(stage),
                        Layout.bytes(key.value()))
                .get(0)
                .equals(1L);
    }

    // ---- the rest

    @Override
    public InboxDepth depth(String queue) {
        List<Steps.Running> asked = parts(queue).stream()
                .map(part -> steps.start(
                        scripts.depth(), List.of(part.live(), part.claimed(), part.received(), part.dead())))
                .toList();
        long ready = 0;
        long live = 0;
        long claimed = 0;
        long dead = 0;
        Duration lag = Duration.ZERO;
        for (Steps.Running running : asked) {
            List<Object> reply = running.reply();
            ready += (Long) reply.get(0);
            live += (Long) reply.get(1);
            claimed += (Long) reply.get(2);
            dead += (Long) reply.get(3);
            long age = (Long) reply.get(4) - (long) Double.parseDouble(text(reply.get(5)));
            lag = age > lag.toNanos() / 1_000 ? Duration.of(age, ChronoUnit.MICROS) : lag;
        }
        return new InboxDepth(ready, live - ready - claimed, claimed, dead, lag);
    }

    /** Redis forgets by itself. */
    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        return 0;
    }

    // ---- bytes

    private static byte[] number(int number) {
        return Layout.bytes(Integer.toString(number));
    }

    private static String text(Object bytes) {
        return new String((byte[]) bytes, StandardCharsets.UTF_8);
    }

    private static Instant instant(Object micros) {
        return RecordFormat.instant(Long.parseLong(text(micros)));
    }

    private static byte[] encode(InboxMessage message) {
        var out = new Bytes();
        out.raw(new byte[] {FORMAT});
        out.number(message.attributes().size());
        message.attributes().forEach((name, value) -> {
            out.text(name);
            out.text(value);
        });
        out.bytes(message.payload());
        return out.toByteArray();
    }

    private static InboxMessage decode(IdempotencyKey key, byte[] stored) {
        try {
            var buffer = ByteBuffer.wrap(stored);
            if (buffer.get() != FORMAT) {
                throw new UnknownFormatException("The message " + key, false, null);
            }
            var in = new Bytes.Reader(buffer);
            int many = in.int32();
            var attributes = new HashMap<String, String>();
            for (int i = 0; i < many; i++) {
                attributes.put(in.text(), in.text());
            }
            return new InboxMessage(key, in.bytes(), attributes);
        } catch (IllegalArgumentException | BufferUnderflowException e) {
            throw new StoreException("The message " + key + " cannot be read: it is not one of this library", false, e);
        }
    }
}

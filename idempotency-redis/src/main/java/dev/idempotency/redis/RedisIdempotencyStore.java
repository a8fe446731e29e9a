package dev.idempotency.redis;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.redis.Steps.Patience;
import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.WakingStore;
import dev.idempotency.store.Write;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records on Redis 7.0 and later or Valkey: one server, one that Sentinels watch, or a Cluster. {@link StoreClass#LOSSY},
 * whatever its settings are: Redis may lose writes that it has acknowledged, and {@code docs/redis.md} says when. Thread-safe.
 *
 * <p>Each step is one script, which a replica refuses and which writes nothing when it is run again. The time is that of the
 * server which has the key. An unresolved record has no time to live; any other has one, at which Redis removes it.
 *
 * <p>It has connections of its own, as the client makes them; closing the store closes them, and not the client. How the
 * client reconnects, and whether it then sends commands once more, changes nothing but how long a failure takes. What waits
 * for a reply must not be called in a thread of Lettuce; the asynchronous steps may.
 *
 * @since 0.1.0
 */
public final class RedisIdempotencyStore implements AsyncStore, WakingStore, AuditedStore, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisIdempotencyStore.class);

    /** Bounds how long one step of a purge keeps the server from others. */
    private static final int LARGEST_PURGE = 200;

    private static final byte[] NOTHING = {};

    private final Link link;
    private final Layout layout;
    private final Script.All scripts;
    private final Steps steps;
    private final Trail trail;
    private final InboxStore inbox;
    private final VersionGuard versionGuard;
    private final List<RedisProbe> probes;
    private final @Nullable WakeUps wakeUps;

    private RedisIdempotencyStore(Builder builder) {
        this.layout = builder.layout;
        this.scripts = builder.scripts;
        try {
            this.link = builder.connect.apply(builder.timeout);
        } catch (RedisException e) {
            throw new StoreException("Redis cannot be reached", false, e);
        }
        this.steps = new Steps(link, builder.timeout, builder.replicas, builder.replicasTimeout);
        this.trail = new Trail(steps, scripts, layout);
        InboxScripts inboxScripts = InboxScripts.load();
        this.inbox = new RedisInbox(steps, inboxScripts, layout);
        this.versionGuard = new RedisVersionGuard(steps, inboxScripts.advance(), layout);
        try {
            this.probes = probe(builder);
            this.wakeUps = builder.withWakeUps ? new WakeUps(link.pubSub()) : null;
        } catch (RedisException e) {
            link.close();
            throw new StoreException("Redis cannot be asked about itself", false, e);
        } catch (IllegalStateException e) {
            link.close();
            throw e;
        }
    }

    private List<RedisProbe> probe(Builder builder) {
        List<RedisProbe> all = new ArrayList<>();
        for (var master : link.masters()) {
            RedisProbe probe = RedisProbe.of(master);
            List<String> refusals = probe.refusals(builder.throughCluster, builder.mayEvict, builder.mayBeUnknown);
            if (!refusals.isEmpty()) {
                throw new IllegalStateException(
                        "Records must not stand on this server: " + String.join("; ", refusals) + ". " + probe);
            }
            LOG.info("Records stand on {}; what it may lose is written in docs/redis.md", probe);
            if (!probe.appendOnly().equals("always")) {
                LOG.warn(
                        "The append-only file is not synced with every write ({}): a server that stops forgets writes"
                                + " that it has acknowledged",
                        probe.appendOnly());
            }
            warnOfReplicas(builder, probe, RedisProbe.setting(master.sync(), "min-replicas-to-write"));
            String bulk = RedisProbe.setting(master.sync(), "proto-max-bulk-len");
            if (bulk.matches("[1-9]\\d{0,17}")) {
                steps.sendNothingLargerThan(Long.parseLong(bulk));
            }
            all.add(probe);
        }
        return List.copyOf(all);
    }

    private static void warnOfReplicas(Builder builder, RedisProbe probe, String demanded) {
        if (probe.replicas().matches("[1-9]\\d*") && demanded.equals("0")) {
            LOG.warn(
                    "Redis has replicas ({}), and min-replicas-to-write is 0: a master that is cut off from them goes on taking"
                            + " writes, all of which a failover forgets. Set it to 1 or more",
                    probe.replicas());
        }
        if (probe.replicas().equals("0") && builder.replicas > 0) {
            LOG.warn(
                    "Redis has no replica, and waitForReplicas waits for {}: no write is acknowledged",
                    builder.replicas);
        }
    }

    /**
     * A store on one server. Where Sentinels say which server that is, use {@link #builder(RedisClient, RedisURI)}.
     *
     * @param client a client with a default URI; used and not closed
     * @return a connected store with the default settings
     * @throws IllegalStateException if the server must not have records, as {@link RedisProbe} found
     * @throws StoreException if the server cannot be reached
     */
    public static RedisIdempotencyStore create(RedisClient client) {
        return builder(client).build();
    }

    /**
     * A store on a Cluster.
     *
     * @param client a client; used and not closed
     * @return a connected store with the default settings
     * @throws IllegalStateException if one of the masters must not have records, as {@link RedisProbe} found
     * @throws StoreException if the Cluster cannot be reached
     */
    public static RedisIdempotencyStore create(RedisClusterClient client) {
        return builder(client).build();
    }

    /**
     * Describes a store on one server. Where Sentinels say which server that is, use {@link #builder(RedisClient, RedisURI)}:
     * a client asks the Sentinels of its default URI only when it connects, which in a planned failover is too late.
     *
     * @param client a client with a default URI; used and not closed
     * @return a builder with the default settings
     */
    public static Builder builder(RedisClient client) {
        Objects.requireNonNull(client, "client");
        return new Builder(timeout -> new MasterLink(client, null, timeout), false);
    }

    /**
     * Describes a store on the server that a URI names, or on the master that its Sentinels name. It listens to all Sentinels
     * of the URI: from when one of them begins a failover until the new master is there, the store sends no writes, and so
     * loses none to a master that is about to be demoted. Name all Sentinels.
     *
     * @param client a client; used and not closed. Its default URI is not used
     * @param uri where the server or the Sentinels are, and how to sign in there
     * @return a builder with the default settings
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(RedisClient client, RedisURI uri) {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(uri, "uri");
        return new Builder(timeout -> new MasterLink(client, uri, timeout), false);
    }

    /**
     * Describes a store on a Cluster.
     *
     * @param client a client; used and not closed. Let it refresh its topology, or it does not find a new master
     * @return a builder with the default settings
     */
    public static Builder builder(RedisClusterClient client) {
        Objects.requireNonNull(client, "client");
        return new Builder(timeout -> Link.to(client, timeout), true);
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.LOSSY;
    }

    /**
     * What the servers said of themselves when this store was built.
     *
     * @return one report for each server, or for each master of a Cluster
     */
    public List<RedisProbe> probes() {
        return probes;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Where Redis refuses it, whatever stands is read all the same: an outcome that was recorded can be answered while no
     * writes are taken.
     */
    @Override
    public Snapshot reserve(Write write) {
        try {
            return written(write, reserving(Patience.NONE, write).reply());
        } catch (StoreException refused) {
            if (!Steps.isRefusal(refused)) {
                throw refused;
            }
            Snapshot standing = standing(write.next().key());
            if (standing != null) {
                return standing;
            }
            if (!Steps.isPassing(refused)) {
                throw refused;
            }
        }
        return written(write, reserving(Patience.WAITS, write).reply());
    }

    private @Nullable Snapshot standing(IdempotencyKey key) {
        try {
            Snapshot standing = find(key);
            return standing.record() == null ? null : standing;
        } catch (StoreException e) {
            LOG.debug("What was refused cannot be read either", e);
            return null;
        }
    }

    @Override
    public CompletionStage<Snapshot> reserveAsync(Write write) {
        CompletionStage<Snapshot> first =
                eventually(() -> reserving(Patience.NONE, write), reply -> written(write, reply));
        return first.exceptionallyCompose(failure -> {
            StoreException refused = Steps.known(failure);
            if (!Steps.isRefusal(refused)) {
                return CompletableFuture.failedStage(refused);
            }
            return findAsync(write.next().key())
                    .handle((snapshot, ignored) -> snapshot)
                    .thenCompose(standing -> {
                        if (standing != null && standing.record() != null) {
                            return CompletableFuture.completedStage(standing);
                        }
                        return Steps.isPassing(refused)
                                ? eventually(() -> reserving(Patience.WAITS, write), reply -> written(write, reply))
                                : CompletableFuture.failedStage(refused);
                    });
        });
    }

    private Steps.Running reserving(Patience patience, Write write) {
        return write(patience, scripts.reserve(), NOTHING, write, write.tombstone());
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return written(write, replacing(expected, write).reply());
    }

    @Override
    public CompletionStage<Snapshot> replaceAsync(IdempotencyRecord expected, Write write) {
        return eventually(() -> replacing(expected, write), reply -> written(write, reply));
    }

    private Steps.Running replacing(IdempotencyRecord expected, Write write) {
        Duration tombstone = write.tombstone();
        Duration before =
                Duration.between(expected.times().expiresAt(), expected.times().forgetAt());
        return write(
                Patience.WAITS,
                scripts.replace(),
                RecordFormat.mark(expected),
                write,
                tombstone == null || tombstone.isZero() ? before : tombstone);
    }

    /** What cannot be sent fails as what was sent does. */
    private static CompletionStage<Snapshot> eventually(
            Supplier<Steps.Running> send, Function<List<Object>, Snapshot> read) {
        try {
            return send.get().eventualReply().thenApply(read);
        } catch (StoreException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private Steps.Running write(
            Patience patience, Script script, byte[] expected, Write write, @Nullable Duration tombstone) {
        IdempotencyRecord next = write.next();
        return steps.startWriting(
                patience,
                script,
                keys(next.key(), tombstone != null && !tombstone.isZero()),
                expected,
                RecordFormat.head(next),
                flags(write),
                span(write.lease()),
                span(write.retention()),
                span(write.tombstone()),
                RecordFormat.body(next),
                new byte[] {flag(wakeUps != null)});
    }

    private static Snapshot written(Write write, List<Object> reply) {
        IdempotencyRecord next = write.next();
        if (!reply.get(0).equals(1L)) {
            return standing(next.key(), reply);
        }
        var times = RecordFormat.times((byte[]) reply.get(1));
        return new Snapshot(true, next.with().times(times).build(), RecordFormat.instant((Long) reply.get(2)));
    }

    /** A key that does not exist keeps a Cluster from running the script while the slot moves: none that is not needed. */
    private List<byte[]> keys(IdempotencyKey key, boolean isDueSomeday) {
        int shard = layout.shardOf(key);
        return isDueSomeday
                ? List.of(layout.record(key), layout.unresolved(shard), layout.due(shard))
                : List.of(layout.record(key), layout.unresolved(shard));
    }

    private static byte[] flags(Write write) {
        return new byte[] {flag(write.created()), flag(write.firstSent()), flag(write.newState())};
    }

    private static byte flag(boolean flag) {
        return (byte) (flag ? '1' : '0');
    }

    private static byte[] span(@Nullable Duration duration) {
        return duration == null ? NOTHING : Layout.bytes(Long.toString(RecordFormat.micros(duration)));
    }

    private static Snapshot standing(IdempotencyKey key, List<Object> reply) {
        IdempotencyRecord record = reply.get(1) instanceof byte[] value ? RecordFormat.decode(key, value) : null;
        return new Snapshot(false, record, RecordFormat.instant((Long) reply.get(2)));
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        try {
            return standing(key, look(scripts.find(), key).reply());
        } catch (StoreException refused) {
            if (!takesNoWrites(refused)) {
                throw refused;
            }
            return standing(key, look(scripts.peek(), key).reply());
        }
    }

    @Override
    public CompletionStage<Snapshot> findAsync(IdempotencyKey key) {
        return eventually(() -> look(scripts.find(), key), reply -> standing(key, reply))
                .exceptionallyCompose(failure -> takesNoWrites(Steps.known(failure))
                        ? eventually(() -> look(scripts.peek(), key), reply -> standing(key, reply))
                        : CompletableFuture.failedStage(Steps.known(failure)));
    }

    /** Whether the server is a master that takes no writes at present: too few replicas follow it, or its disk is full. */
    private static boolean takesNoWrites(StoreException refused) {
        return Steps.isRefusal(refused, "NOREPLICAS") || Steps.isRefusal(refused, "MISCONF");
    }

    private Steps.Running look(Script script, IdempotencyKey key) {
        return steps.start(script, List.of(layout.record(key)));
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        Bounds.requireLimit(limit);
        return new UnresolvedList(steps, scripts.list(), layout, limit).after(after);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Only drops the results of records with a tombstone: whatever may be forgotten Redis removes by itself.
     */
    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        List<Steps.Running> asked = new ArrayList<>();
        for (int shard = 0; shard < Layout.SHARDS; shard++) {
            asked.add(purge(shard, 0));
        }
        int done = 0;
        for (int shard = 0; shard < Layout.SHARDS; shard++) {
            long due = (Long) asked.get(shard).reply().get(1);
            while (due > 0 && done < limit) {
                List<Object> reply =
                        purge(shard, Math.min(LARGEST_PURGE, limit - done)).reply();
                done += ((Long) reply.get(0)).intValue();
                due = (Long) reply.get(1);
            }
        }
        return done;
    }

    private Steps.Running purge(int shard, int atMost) {
        return steps.start(scripts.purge(), List.of(layout.due(shard)), Layout.bytes(Integer.toString(atMost)));
    }

    /**
     * {@inheritDoc}
     *
     * <p>The trail has no time to live. As everything on Redis, its latest entries may be lost with a server.
     */
    @Override
    public AuditEntry append(AuditEntry entry) {
        return trail.append(entry);
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        Bounds.requireLimit(limit);
        return trail.page(key, before, limit);
    }

    @Override
    public Watch watch(IdempotencyKey key, Runnable wake) {
        return wakeUps == null ? () -> {} : wakeUps.watch(layout.record(key), wake);
    }

    /**
     * The inbox of this store, with its connections and its prefix.
     *
     * @return the same inbox each time; closed with the store
     */
    public InboxStore inbox() {
        return inbox;
    }

    /**
     * The version guard of this store, with its connections and its prefix.
     *
     * @return the same guard each time; closed with the store
     */
    public VersionGuard versionGuard() {
        return versionGuard;
    }

    /** Closes this store's connections, and not the client that made them. */
    @Override
    public void close() {
        if (wakeUps != null) {
            wakeUps.close();
        }
        link.close();
    }

    /** Describes a store, setting by setting. Not thread-safe. */
    public static final class Builder {
        private final Function<Duration, Link> connect;
        private final boolean throughCluster;
        private Layout layout = new Layout("idempotency");
        private Script.All scripts = Script.All.load();
        private Duration timeout = Duration.ofSeconds(3);
        private int replicas;
        private Duration replicasTimeout = Duration.ofSeconds(1);
        private boolean withWakeUps = true;
        private boolean mayEvict;
        private boolean mayBeUnknown;

        private Builder(Function<Duration, Link> connect, boolean throughCluster) {
            this.connect = connect;
            this.throughCluster = throughCluster;
        }

        /**
         * Sets what all keys of this store begin with, inside their hash tag. By default {@code idempotency}. Never change it
         * while results are kept: records under another prefix are not found.
         *
         * @param prefix 1 to 100 letters, digits, dots, colons, slashes, hyphens or underscores
         * @return this
         * @throws IllegalArgumentException if {@code prefix} is not one
         */
        public Builder prefix(String prefix) {
            this.layout = new Layout(prefix);
            return this;
        }

        /**
         * Sets how long one step waits for its reply. By default 3 seconds. A step that gets none in time may have been
         * written, and is repeated with the same attempt token.
         *
         * @param timeout more than zero, and much less than the shortest lease
         * @return this
         * @throws IllegalArgumentException if {@code timeout} is not more than zero
         */
        public Builder timeout(Duration timeout) {
            this.timeout = positive("timeout", timeout);
            return this;
        }

        /**
         * Acknowledges a write only after that many replicas have it, by {@code WAIT}. By default none are waited for. Makes
         * it rarer that a failover loses a write, and does not make it impossible: the store stays {@link StoreClass#LOSSY}.
         * Costs one more command for each write.
         *
         * @param replicas how many replicas, from 1
         * @param atMost how long they are waited for; a write that they do not have by then counts as perhaps written
         * @return this
         * @throws IllegalArgumentException if {@code replicas} is below 1 or {@code atMost} is not more than zero
         */
        public Builder waitForReplicas(int replicas, Duration atMost) {
            if (replicas < 1) {
                throw new IllegalArgumentException("replicas is " + replicas + "; it must be at least 1");
            }
            this.replicas = replicas;
            this.replicasTimeout = positive("atMost", atMost);
            return this;
        }

        /**
         * Publishes no ends of attempts, and listens to none: runs that wait for another process look from time to time, at
         * most a second apart. Saves a connection, and in a Cluster a message to every node for each attempt.
         *
         * @return this
         */
        public Builder withoutWakeUps() {
            this.withWakeUps = false;
            return this;
        }

        private static Duration positive(String name, Duration duration) {
            if (duration.isNegative() || duration.toMillis() < 1) {
                throw new IllegalArgumentException(name + " is " + duration + "; it must be at least a millisecond");
            }
            return duration;
        }

        /**
         * Lets records stand on a server that drops some of them when its memory is full. A record that is dropped is
         * forgotten: a write in flight or in doubt runs again, and so does one that was completed.
         *
         * @param reason why that is right here; logged
         * @return this
         */
        public Builder acceptEvictedRecords(String reason) {
            accept("evicted records", reason);
            this.mayEvict = true;
            return this;
        }

        /**
         * Lets records stand on a server that does not let this user ask for its eviction policy.
         *
         * @param reason how else that was made sure; logged
         * @return this
         */
        public Builder acceptUncheckedServer(String reason) {
            accept("a server that cannot be checked", reason);
            this.mayBeUnknown = true;
            return this;
        }

        private static void accept(String what, String reason) {
            if (reason.isBlank()) {
                throw new IllegalArgumentException("reason is blank; say why");
            }
            LOG.warn("Accepted: {}, because {}", what, reason);
        }

        Builder scripts(Script.All scripts) {
            this.scripts = scripts;
            return this;
        }

        /**
         * Connects, asks each server about itself, and makes the store.
         *
         * @return a connected store
         * @throws IllegalStateException if a server must not have records, as {@link RedisProbe} found
         * @throws StoreException if Redis cannot be reached
         */
        public RedisIdempotencyStore build() {
            return new RedisIdempotencyStore(this);
        }
    }
}

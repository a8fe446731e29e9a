package dev.idempotency.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.event.connection.ConnectEvent;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;

/**
 * The way to one server, or to the master that Sentinels name. Thread-safe.
 *
 * <p>In a planned failover the master that is to be demoted stays connected, and takes writes for many seconds that are then
 * lost. So this link listens to the Sentinels: it holds writes back from when one of them chooses the replica, and moves to
 * that replica as soon as it is promoted. A server that refuses writes because it is a replica now is left, too.
 */
final class MasterLink implements Link {
    private static final Logger LOG = LoggerFactory.getLogger(MasterLink.class);
    private static final Duration PAUSE = Duration.ofMillis(50);

    /** Sentinels give up a failover that takes much longer, and do not always say so. */
    private static final Duration HELD_AT_MOST = Duration.ofSeconds(10);

    private static final Duration BETWEEN_DEPARTURES = Duration.ofSeconds(1);
    private static final int TRIES = 200;

    private static final String CHOOSES = "+failover-state-select-slave";
    private static final String SENDS = "+failover-state-send-slaveof-noone";
    private static final String ABORTS = "-failover-abort";
    private static final String PROMOTED = "+promoted-slave";
    private static final String SWITCHED = "+switch-master";

    private final RedisClient client;
    private final @Nullable RedisURI uri;
    private final Duration timeout;
    private final Queue<StatefulRedisPubSubConnection<String, String>> sentinels = new ConcurrentLinkedQueue<>();
    /** How many moves are under way or wait for their turn. */
    private final AtomicInteger moves = new AtomicInteger();

    private final AtomicInteger mostRecent = new AtomicInteger();
    private final ThreadPoolExecutor mover;
    private final @Nullable Disposable warning;

    private volatile StatefulRedisConnection<byte[], byte[]> connection;
    private volatile String server = "";
    private volatile String promoted = "";
    private volatile long heldUntil = System.nanoTime();
    private volatile long departed = System.nanoTime() - BETWEEN_DEPARTURES.toNanos();
    private volatile boolean closed;

    MasterLink(RedisClient client, @Nullable RedisURI uri, Duration timeout) {
        this.client = client;
        this.uri = uri;
        this.timeout = timeout;
        this.mover = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            var thread = new Thread(task, "idempotency-redis-master");
            thread.setDaemon(true);
            return thread;
        });
        mover.allowCoreThreadTimeOut(true);
        this.warning = uri == null ? warnOfSentinels(client) : null;
        try {
            this.connection = connect();
        } catch (RedisException e) {
            dispose(warning);
            throw e;
        }
        if (uri != null && !uri.getSentinels().isEmpty()) {
            server = runId(connection);
            uri.getSentinels().forEach(this::listen);
        }
    }

    /** The client does not tell its default URI; only its events do, after a while. */
    private static Disposable warnOfSentinels(RedisClient client) {
        return client.getResources()
                .eventBus()
                .get()
                .filter(event -> event instanceof ConnectEvent connected
                        && String.valueOf(connected.getRedisUri()).contains("-sentinel://"))
                .take(1)
                .subscribe(event ->
                        LOG.warn("The Sentinels of the client's default URI are asked only when it connects: in a"
                                + " planned failover, writes to the demoted master are lost for many seconds. Build the store with"
                                + " builder(client, uri): then it follows the Sentinels"));
    }

    private static void dispose(@Nullable Disposable subscription) {
        if (subscription != null) {
            subscription.dispose();
        }
    }

    private StatefulRedisConnection<byte[], byte[]> connect() {
        StatefulRedisConnection<byte[], byte[]> fresh =
                uri == null ? client.connect(ByteArrayCodec.INSTANCE) : client.connect(ByteArrayCodec.INSTANCE, uri);
        fresh.setTimeout(timeout);
        return fresh;
    }

    // ---- what Sentinels say

    private void listen(RedisURI sentinel) {
        var unused = client.connectPubSubAsync(StringCodec.UTF8, sentinel).whenComplete((subscriber, failure) -> {
            if (failure != null) {
                retryToListen(sentinel, failure);
                return;
            }
            subscribe(subscriber);
        });
    }

    private void subscribe(StatefulRedisPubSubConnection<String, String> subscriber) {
        sentinels.add(subscriber);
        subscriber.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String pattern, String channel, String message) {
                heard(channel, message);
            }
        });
        CompletionStage<?> unused = closed
                ? subscriber.closeAsync()
                : subscriber.async().psubscribe(CHOOSES, SENDS, ABORTS + "*", PROMOTED, SWITCHED);
    }

    private void retryToListen(RedisURI sentinel, Throwable failure) {
        LOG.warn("A Sentinel cannot be listened to yet: {}", String.valueOf(failure.getMessage()));
        try {
            var unused = client.getResources()
                    .eventExecutorGroup()
                    .schedule(
                            () -> {
                                if (!closed) {
                                    listen(sentinel);
                                }
                            },
                            5,
                            TimeUnit.SECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("The client is shut down", e);
        }
    }

    private void heard(String channel, String message) {
        String[] words = message.split(" ");
        String master = master(channel, words);
        if (uri == null || !master.equals(uri.getSentinelMasterId())) {
            return;
        }
        if (channel.startsWith(ABORTS)) {
            heldUntil = System.nanoTime();
        } else if (channel.equals(PROMOTED) || channel.equals(SWITCHED)) {
            follow(channel.equals(PROMOTED) ? words[2] + " " + words[3] : words[3] + " " + words[4]);
        } else {
            heldUntil = System.nanoTime() + HELD_AT_MOST.toNanos();
        }
    }

    /** Which master an event is about: its name comes first, after its kind, or behind the replica's. Empty if it is none of ours. */
    private static String master(String channel, String[] words) {
        if (channel.equals(SWITCHED)) {
            return words.length == 5 ? words[0] : "";
        }
        if (words.length >= 6 && words[4].equals("@")) {
            return words[5];
        }
        return words.length >= 2 && words[0].equals("master") ? words[1] : "";
    }

    /** Each Sentinel tells of the same promotion; the first that does counts. */
    private synchronized void follow(String address) {
        if (address.equals(promoted)) {
            return;
        }
        promoted = address;
        heldUntil = System.nanoTime() + HELD_AT_MOST.toNanos();
        LOG.warn("Redis has another master, {}: the store goes there", address);
        move(server);
    }

    // ---- moving

    /** What the Sentinel that is asked next says may be older than what another has said: only another server will do. */
    private void move(String left) {
        int number = mostRecent.incrementAndGet();
        submit(() -> {
            for (int tries = 0; tries < TRIES && !closed && number == mostRecent.get(); tries++) {
                if (moved(left)) {
                    return;
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
            if (!closed && number == mostRecent.get()) {
                LOG.error("The new master cannot be reached: the store stays with the old one");
            }
        });
    }

    private interface Task {
        void run() throws InterruptedException;
    }

    private void submit(Task task) {
        moves.incrementAndGet();
        try {
            mover.execute(() -> {
                try {
                    task.run();
                } catch (InterruptedException e) {
                    LOG.debug("Closed while it was moving", e);
                } finally {
                    moveEnded();
                }
            });
        } catch (RejectedExecutionException e) {
            moveEnded();
        }
    }

    private void moveEnded() {
        if (moves.decrementAndGet() == 0) {
            heldUntil = System.nanoTime();
        }
    }

    private boolean moved(String left) {
        StatefulRedisConnection<byte[], byte[]> fresh;
        try {
            fresh = connect();
        } catch (RedisException e) {
            LOG.debug("The new master cannot be reached yet", e);
            return false;
        }
        String there = "";
        boolean taken = false;
        try {
            there = runId(fresh);
            taken = (there.isEmpty() || !there.equals(left)) && isMaster(fresh);
        } catch (RedisException e) {
            LOG.debug("The new master cannot be asked yet", e);
        } finally {
            if (!taken) {
                fresh.close();
            }
        }
        if (!taken) {
            return false;
        }
        StatefulRedisConnection<byte[], byte[]> old = connection;
        connection = fresh;
        server = there;
        // What the old master has not answered yet counts as perhaps written, and is repeated with the same token.
        var unused = old.closeAsync();
        if (closed) {
            fresh.close();
        }
        return true;
    }

    /** Empty where the user must not ask. */
    private static String runId(StatefulRedisConnection<byte[], byte[]> connection) {
        try {
            return RedisProbe.parse(connection.sync().info("server")).getOrDefault("run_id", "");
        } catch (RedisCommandExecutionException e) {
            return "";
        }
    }

    private static boolean isMaster(StatefulRedisConnection<byte[], byte[]> connection) {
        try {
            return !RedisProbe.parse(connection.sync().info("replication"))
                    .getOrDefault("role", "master")
                    .equals("slave");
        } catch (RedisCommandExecutionException e) {
            return true;
        }
    }

    @Override
    public boolean isHeld() {
        return heldUntil - System.nanoTime() > 0;
    }

    @Override
    public synchronized boolean leave(StatefulConnection<byte[], byte[]> replica) {
        if (replica != connection || moves.get() > 0) {
            return true;
        }
        if (closed || System.nanoTime() - departed < BETWEEN_DEPARTURES.toNanos()) {
            return false;
        }
        departed = System.nanoTime();
        submit(() -> moved(""));
        return true;
    }

    // ---- the way

    @Override
    public StatefulConnection<byte[], byte[]> to(byte[] key) {
        return connection;
    }

    @Override
    public StatefulConnection<byte[], byte[]> directlyTo(byte[] key) {
        return connection;
    }

    @Override
    public StatefulRedisPubSubConnection<byte[], byte[]> pubSub() {
        return uri == null
                ? client.connectPubSub(ByteArrayCodec.INSTANCE)
                : client.connectPubSub(ByteArrayCodec.INSTANCE, uri);
    }

    @Override
    public List<StatefulRedisConnection<byte[], byte[]>> masters() {
        return List.of(connection);
    }

    @Override
    public void close() {
        closed = true;
        dispose(warning);
        mover.shutdownNow();
        for (StatefulRedisPubSubConnection<String, String> sentinel : sentinels) {
            var unused = sentinel.closeAsync();
        }
        connection.close();
    }
}

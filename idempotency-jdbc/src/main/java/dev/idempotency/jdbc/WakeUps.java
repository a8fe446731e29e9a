package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.WakingStore;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the runs that wait in other processes that an attempt has ended, by LISTEN and NOTIFY. Thread-safe.
 *
 * <p>Who waits for a record says so on the table's channel, and says it again from time to time. Who ends an attempt that
 * somebody waits for says that, after the commit: an execution that nobody waits for notifies nobody, and no statement of a
 * step notifies. Anything of it may be lost, late or repeated.
 *
 * <p>One thread listens, on a connection of its own, while something was waited for or reserved lately; another one notifies,
 * on a connection of the store's, and is there while it has something to say.
 */
final class WakeUps {
    private static final Logger LOG = LoggerFactory.getLogger(WakeUps.class);

    /** How often a wish is repeated, and the connection is tried. */
    private static final Duration TICK = Duration.ofSeconds(10);

    private static final Duration WISH_IS_KEPT = TICK.multipliedBy(3);
    private static final Duration LISTENS_ON = Duration.ofMinutes(1);
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(100);

    /** Others' wishes that are remembered, and notices that may wait to be sent. What is beyond is lost. */
    private static final int MOST = 10_000;

    /** A payload must stay below 8000 bytes. */
    private static final int DIGESTS_PER_NOTICE = 200;

    private enum Kind {
        /** Whoever waits, say so: somebody has begun to listen. */
        WHO,
        END,
        WAIT
    }

    private record Notice(Kind kind, String digest) {}

    private final Connections listening;
    private final Connections notifying;
    private final String channel;

    /** Who waits here, by the record's digest. */
    private final ConcurrentMap<String, Set<Runnable>> waiting = new ConcurrentHashMap<>();

    /** What is waited for anywhere, here included, and until when that is believed. */
    private final Map<String, Long> wishes = new ConcurrentHashMap<>();

    private final Set<Notice> outgoing = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean isSending = new AtomicBoolean();
    private final ExecutorService sender = new ThreadPoolExecutor(
            0, 1, TICK.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), WakeUps::daemon);
    private final AtomicBoolean isListening = new AtomicBoolean();
    private volatile long neededAt = System.nanoTime();

    /**
     * @param listening gives the one connection on which notices come in
     * @param notifying gives connections for single statements
     */
    WakeUps(Connections listening, Connections notifying, Table table) {
        this.listening = listening;
        this.notifying = notifying;
        this.channel = "idempotency_" + digest(table.schema(), table.name());
    }

    private static Thread daemon(Runnable work) {
        var thread = new Thread(work, "idempotency-wake-ups");
        thread.setDaemon(true);
        return thread;
    }

    private static String digest(String first, String second) {
        try {
            byte[] both = (first + '\0' + second).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(both), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- what the store says

    WakingStore.Watch watch(IdempotencyKey key, Runnable wake) {
        var own = new Runnable() {
            @Override
            public void run() {
                wake.run();
            }
        };
        String digest = digest(key.scope(), key.value());
        waiting.compute(digest, (record, others) -> {
            Set<Runnable> all = others == null ? ConcurrentHashMap.newKeySet() : others;
            all.add(own);
            return all;
        });
        needed();
        tell(Kind.WAIT, digest);
        return () -> waiting.computeIfPresent(digest, (record, all) -> {
            all.remove(own);
            return all.isEmpty() ? null : all;
        });
    }

    /** Somebody may come to wait for what is reserved here: others' wishes must be heard from now on. */
    void needed() {
        neededAt = System.nanoTime();
        if (!isListening.get() && isListening.compareAndSet(false, true)) {
            try {
                daemon(this::listen).start();
            } catch (Throwable e) {
                isListening.set(false);
                LOG.debug("No thread can be had to listen on; whoever waits looks by himself", e);
            }
        }
    }

    /** An attempt has ended, and that is committed. */
    void ended(IdempotencyKey key) {
        if (!wishes.isEmpty()) {
            String digest = digest(key.scope(), key.value());
            if (wishes.containsKey(digest)) {
                tell(Kind.END, digest);
            }
        }
    }

    String channel() {
        return channel;
    }

    /** How many records are known to be waited for, here or elsewhere. */
    int wishes() {
        return wishes.size();
    }

    // ---- out

    private void tell(Kind kind, String digest) {
        if (outgoing.size() < MOST) {
            outgoing.add(new Notice(kind, digest));
        }
        if (isSending.compareAndSet(false, true)) {
            try {
                sender.execute(this::send);
            } catch (Throwable e) {
                isSending.set(false);
                LOG.debug("No thread can be had to notify on; whoever waits looks by himself", e);
            }
        }
    }

    /** All that has gathered meanwhile, in one statement. */
    private void send() {
        isSending.set(false);
        Map<Kind, List<String>> digests = new EnumMap<>(Kind.class);
        outgoing.removeIf(notice -> digests.computeIfAbsent(notice.kind(), kind -> new ArrayList<>())
                .add(notice.digest()));
        List<String> payloads = new ArrayList<>();
        digests.forEach((kind, all) -> {
            for (int i = 0; i < all.size(); i += DIGESTS_PER_NOTICE) {
                payloads.add(kind.name().toLowerCase(Locale.ROOT) + " "
                        + String.join(" ", all.subList(i, Math.min(i + DIGESTS_PER_NOTICE, all.size()))));
            }
        });
        try {
            if (!payloads.isEmpty()) {
                notifying.plain("notify", connection -> notify(connection, payloads));
            }
        } catch (RuntimeException e) {
            LOG.debug("Waiting runs were not told", e);
        }
    }

    private boolean notify(Connection connection, List<String> payloads) throws SQLException {
        Array all = connection.createArrayOf("text", payloads.toArray());
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT pg_catalog.pg_notify(?, payload) FROM pg_catalog.unnest(?) payload")) {
            statement.setString(1, channel);
            statement.setArray(2, all);
            return statement.execute();
        } finally {
            all.free();
        }
    }

    // ---- in

    /** Whoever fails to be woken keeps nobody else from it. */
    private static void run(Runnable wake) {
        try {
            wake.run();
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            LOG.warn("A run that waits could not be woken; it looks by itself", e);
        }
    }

    private void listen() {
        try {
            listenWhileNeeded();
        } finally {
            isListening.set(false);
        }
        if (isNeeded()) {
            needed();
        }
    }

    private void listenWhileNeeded() {
        Duration pause = SHORTEST_PAUSE;
        while (isNeeded()) {
            try {
                Connection connection = listening.acquire("listen");
                pause = SHORTEST_PAUSE;
                listen(connection);
            } catch (RuntimeException | SQLException e) {
                LOG.debug("The connection that listens is lost; the next one in {}", pause, e);
                LockSupport.parkNanos(pause.toNanos());
                pause = pause.compareTo(TICK) < 0 ? pause.multipliedBy(2) : TICK;
            }
        }
    }

    private boolean isNeeded() {
        return !waiting.isEmpty() || System.nanoTime() - neededAt < LISTENS_ON.toNanos();
    }

    private void listen(Connection connection) throws SQLException {
        boolean isClean = false;
        try {
            execute(connection, "LISTEN " + channel);
            tell(Kind.WHO, "");
            hear(connection, connection.unwrap(PGConnection.class));
            execute(connection, "UNLISTEN " + channel);
            isClean = true;
        } finally {
            if (!isClean) {
                // Nobody else of a pool must get a connection that gathers notices.
                Connections.breakOff(connection, new SQLException("the listening has ended"));
            }
            listening.release(connection);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void hear(Connection connection, PGConnection notices) throws SQLException {
        long tickAt = System.nanoTime();
        while (isNeeded()) {
            for (PGNotification notice : notices.getNotifications(Math.toIntExact(TICK.toMillis()))) {
                heard(notice.getParameter().split(" "));
            }
            if (System.nanoTime() - tickAt >= TICK.toNanos()) {
                tickAt = System.nanoTime();
                wishes.values().removeIf(until -> System.nanoTime() - until > 0);
                waiting.keySet().forEach(digest -> tell(Kind.WAIT, digest));
                if (!connection.isValid(Math.toIntExact(TICK.toSeconds()))) {
                    throw new SQLException("no answer");
                }
            }
        }
    }

    /** What this version does not know, a newer one says. */
    private void heard(String[] words) {
        List<String> digests = List.of(words).subList(1, words.length);
        switch (words[0]) {
            case "who" -> waiting.keySet().forEach(digest -> tell(Kind.WAIT, digest));
            case "wait" -> {
                long until = System.nanoTime() + WISH_IS_KEPT.toNanos();
                digests.stream()
                        .filter(digest -> wishes.size() < MOST || wishes.containsKey(digest))
                        .forEach(digest -> wishes.put(digest, until));
            }
            case "end" ->
                digests.forEach(digest -> waiting.getOrDefault(digest, Set.of()).forEach(WakeUps::run));
            default -> LOG.debug("Not understood: {}", words[0]);
        }
    }
}

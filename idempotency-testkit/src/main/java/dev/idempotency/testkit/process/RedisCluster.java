package dev.idempotency.testkit.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * A real Redis Cluster of three masters without replicas, each a {@link RedisServer} with a third of the slots. Not
 * thread-safe.
 *
 * @since 0.1.0
 */
public final class RedisCluster implements AutoCloseable {
    private static final int MASTERS = 3;
    private static final int SLOTS = 16_384;
    private static final Duration STARTUP = Duration.ofMinutes(1);

    private final List<RedisServer> masters = new ArrayList<>();

    private RedisCluster(Map<String, String> settings) {
        var busPorts = new ArrayList<Integer>();
        for (var i = 0; i < MASTERS; i++) {
            var busPort = RedisServer.freePort();
            var all = new LinkedHashMap<String, String>();
            all.put("cluster-enabled", "yes");
            all.put("cluster-node-timeout", "2000");
            all.put("cluster-port", Integer.toString(busPort));
            all.putAll(settings);
            busPorts.add(busPort);
            masters.add(RedisServer.start(all));
        }
        for (var i = 0; i < MASTERS; i++) {
            var first = i * SLOTS / MASTERS;
            var last = (i + 1) * SLOTS / MASTERS - 1;
            demand(masters.get(i), "CLUSTER", "ADDSLOTSRANGE", Integer.toString(first), Integer.toString(last));
            demand(masters.get(i), "CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
        }
        for (var i = 1; i < MASTERS; i++) {
            demand(
                    masters.get(0),
                    "CLUSTER",
                    "MEET",
                    "127.0.0.1",
                    Integer.toString(masters.get(i).port()),
                    Integer.toString(busPorts.get(i)));
        }
        var until = System.nanoTime() + STARTUP.toNanos();
        while (!masters.stream().allMatch(RedisCluster::knowsAll)) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException(
                        "the Cluster does not come together: " + masters.get(0).ask("CLUSTER", "INFO"));
            }
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }

    /**
     * Starts an empty Cluster.
     *
     * @return a Cluster of which each node knows all others
     * @throws java.io.UncheckedIOException if it cannot be started
     */
    public static RedisCluster start() {
        return start(Map.of());
    }

    /**
     * Starts an empty Cluster with settings of its own.
     *
     * @param settings lines of each node's configuration file, by name; win over the defaults
     * @return a Cluster of which each node knows all others
     * @throws java.io.UncheckedIOException if it cannot be started
     */
    public static RedisCluster start(Map<String, String> settings) {
        return new RedisCluster(settings);
    }

    private static boolean knowsAll(RedisServer server) {
        var info = server.ask("CLUSTER", "INFO");
        return info.contains("cluster_state:ok") && info.contains("cluster_size:" + MASTERS);
    }

    private static void demand(RedisServer server, String... command) {
        var reply = server.ask(command);
        if (!reply.equals("OK")) {
            throw new IllegalStateException(String.join(" ", command) + ": " + reply);
        }
    }

    /**
     * The nodes.
     *
     * @return three masters, by the slots they have
     */
    public List<RedisServer> masters() {
        return List.copyOf(masters);
    }

    /** Stops all nodes and removes their data. */
    @Override
    public void close() {
        masters.forEach(RedisServer::close);
    }
}

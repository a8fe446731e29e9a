package dev.idempotency.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What one server said of itself when the store was built: whether it may drop records while it runs, and what it forgets
 * when it stops. What a server does not tell is {@value #UNKNOWN}.
 *
 * @param product {@code redis} or {@code valkey}
 * @param version the product's own version
 * @param mode {@code standalone} or {@code cluster}
 * @param role {@code master}, or {@code slave} on a replica
 * @param eviction the {@code maxmemory-policy}
 * @param appendOnly {@code no}, or how often the append-only file is synced: {@code always}, {@code everysec} or
 *     {@code no-fsync}
 * @param replicas how many replicas are connected, as text
 * @since 0.1.0
 */
public record RedisProbe(
        String product, String version, String mode, String role, String eviction, String appendOnly, String replicas) {
    /** What stands for everything that a server does not tell. */
    public static final String UNKNOWN = "unknown";

    private static final int OLDEST_REDIS = 7;

    /**
     * Checks the report.
     *
     * @param product as described above
     * @param version as described above
     * @param mode as described above
     * @param role as described above
     * @param eviction as described above
     * @param appendOnly as described above
     * @param replicas as described above
     * @throws NullPointerException if an argument is null
     */
    public RedisProbe {
        Objects.requireNonNull(product, "product");
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(eviction, "eviction");
        Objects.requireNonNull(appendOnly, "appendOnly");
        Objects.requireNonNull(replicas, "replicas");
    }

    static RedisProbe of(StatefulRedisConnection<byte[], byte[]> connection) {
        RedisCommands<byte[], byte[]> server = connection.sync();
        Map<String, String> info;
        try {
            info = parse(server.info());
        } catch (RedisCommandExecutionException e) {
            info = Map.of();
        }
        boolean valkey = info.containsKey("valkey_version");
        return new RedisProbe(
                info.isEmpty() ? UNKNOWN : valkey ? "valkey" : "redis",
                info.getOrDefault(valkey ? "valkey_version" : "redis_version", UNKNOWN),
                info.getOrDefault("redis_mode", UNKNOWN),
                info.getOrDefault("role", UNKNOWN),
                info.getOrDefault("maxmemory_policy", UNKNOWN),
                switch (info.getOrDefault("aof_enabled", UNKNOWN)) {
                    case "0" -> "no";
                    case "1" -> fsync(server);
                    default -> UNKNOWN;
                },
                info.getOrDefault("connected_slaves", UNKNOWN));
    }

    private static String fsync(RedisCommands<byte[], byte[]> server) {
        String policy = setting(server, "appendfsync");
        return policy.equals("no") ? "no-fsync" : policy;
    }

    /** One setting of a server's configuration, or {@value #UNKNOWN}. */
    static String setting(RedisCommands<byte[], byte[]> server, String name) {
        try {
            return server.configGet(name).getOrDefault(name, UNKNOWN);
        } catch (RedisCommandExecutionException e) {
            return UNKNOWN;
        }
    }

    static Map<String, String> parse(String info) {
        var fields = new HashMap<String, String>();
        for (String line : info.lines().toList()) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        }
        return fields;
    }

    /** Why no store may stand on this server; empty when one may. */
    List<String> refusals(boolean throughCluster, boolean mayEvict, boolean mayBeUnknown) {
        var reasons = new ArrayList<String>();
        if (product.equals("redis") && major() < OLDEST_REDIS) {
            reasons.add("it is Redis " + version + "; 7.0 or Valkey is needed");
        }
        if (role.equals("slave")) {
            reasons.add("it is a replica, which may be behind");
        }
        if (mode.equals("cluster") && !throughCluster) {
            reasons.add("it is a node of a Cluster; build the store on a RedisClusterClient");
        }
        if (eviction.equals(UNKNOWN)) {
            if (!mayBeUnknown) {
                reasons.add("it does not say whether it evicts; let this user call INFO, or acceptUncheckedServer");
            }
        } else if (!eviction.equals("noeviction") && !mayEvict) {
            reasons.add("its maxmemory-policy is " + eviction
                    + ", which drops records when memory is full; set noeviction, or acceptEvictedRecords");
        }
        return reasons;
    }

    private int major() {
        try {
            return Integer.parseInt(version.split("\\.", 2)[0]);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}

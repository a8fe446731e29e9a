package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.StoreException;
import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.StaticCredentialsProvider;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.RedisClusterClient;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Option;

/** Where the records stand, and how to get there. */
final class StoreOptions {
    /** The driver logs what it cannot read of a URL. Kept here, or its level would be forgotten. */
    private static final Logger DRIVER_LOG = Logger.getLogger("org.postgresql");

    static {
        DRIVER_LOG.setLevel(Level.OFF);
    }

    private static final Duration GOODBYE = Duration.ofSeconds(2);

    /** How long signing in may take, and any single answer: a server may accept a connection and then say nothing. */
    private static final Duration SIGNING_IN = Duration.ofSeconds(10);

    private static final int SCANNED_AT_ONCE = 1_000;

    private static final int MOST_SCANS = 200;

    private static final Duration ANSWERING = Duration.ofSeconds(30);

    /** Not how this driver takes a name and a password: it would take both for a part of the host's name, and print it. */
    private static final Pattern USER_INFO = Pattern.compile("[^?]*@.*", Pattern.DOTALL);

    @Option(
            names = "--jdbc-url",
            paramLabel = "URL",
            description = "PostgreSQL, such as jdbc:postgresql://host/database.")
    private @Nullable String jdbcUrl;

    @Option(
            names = "--schema",
            paramLabel = "NAME",
            description = "Schema of the table. Default: found on the search path.")
    private @Nullable String schema;

    @Option(names = "--table", paramLabel = "NAME", description = "Name of the table. Default: idempotency_record.")
    private @Nullable String table;

    @Option(names = "--redis-url", paramLabel = "URL", description = "Redis, such as rediss://host:6379.")
    private @Nullable String redisUrl;

    @Option(names = "--redis-cluster", description = "The Redis is a Cluster.")
    private boolean cluster;

    @Option(
            names = "--prefix",
            paramLabel = "TEXT",
            description = "What all keys on Redis begin with. Default: idempotency.")
    private @Nullable String prefix;

    @Option(
            names = "--accept-evicted-records",
            paramLabel = "REASON",
            description = "As the program's store accepts it; Redis only.")
    private @Nullable String evicted;

    @Option(
            names = "--accept-unchecked-server",
            paramLabel = "REASON",
            description = "As the program's store accepts it; Redis only.")
    private @Nullable String unchecked;

    @Option(names = "--ask-password", description = "Ask for the password at the terminal.")
    private boolean askPassword;

    @Option(
            names = "--quiescence",
            paramLabel = "SPAN",
            converter = SpanConverter.class,
            description = "How long a key that has agreed on none must be in doubt before \"not executed\" may be"
                    + " decided. Default: 24h.")
    private Duration quiescence = Duration.ofHours(24);

    @Option(
            names = "--retention",
            paramLabel = "SPAN",
            converter = SpanConverter.class,
            description = "How long at least a decision is remembered. Default: 7d.")
    private Duration retention = Duration.ofDays(7);

    /**
     * An open store. Closing it closes the connections.
     *
     * @param admin does what is asked
     * @param where says for people where was looked, and whether anything at all is there: not finding a key at the wrong place
     *     must not look like good news
     * @param end closes it
     */
    record Open(Admin admin, Supplier<String> where, Runnable end) implements AutoCloseable {
        @Override
        public void close() {
            end.run();
        }
    }

    Open open(Environment environment) {
        String jdbc = jdbcUrl == null && redisUrl == null ? environment.variable("IDEMPOTENCY_JDBC_URL") : jdbcUrl;
        String redis = jdbcUrl == null && redisUrl == null ? environment.variable("IDEMPOTENCY_REDIS_URL") : redisUrl;
        if ((jdbc == null) == (redis == null)) {
            throw Failure.usage(
                    jdbc == null
                            ? "Say where the records stand: --jdbc-url or --redis-url, or the variable"
                                    + " IDEMPOTENCY_JDBC_URL or IDEMPOTENCY_REDIS_URL"
                            : "Records stand on PostgreSQL or on Redis: give one URL, not both");
        }
        String user = environment.variable("IDEMPOTENCY_USER");
        String password = password(environment);
        return jdbc == null ? onRedis(requireText(redis), user, password) : onPostgres(jdbc, user, password);
    }

    private static String requireText(@Nullable String text) {
        if (text == null) {
            throw new IllegalStateException("no URL");
        }
        return text;
    }

    private @Nullable String password(Environment environment) {
        if (!askPassword) {
            return environment.variable("IDEMPOTENCY_PASSWORD");
        }
        char[] typed = environment.terminal().askSecret("Password: ");
        if (typed == null) {
            throw Failure.usage("--ask-password needs a terminal; set IDEMPOTENCY_PASSWORD instead");
        }
        return new String(typed);
    }

    private Open onPostgres(String url, @Nullable String user, @Nullable String password) {
        if (prefix != null || cluster || evicted != null || unchecked != null) {
            throw Failure.usage("--prefix, --redis-cluster and --accept-.. are for Redis");
        }
        if (USER_INFO.matcher(url).matches()) {
            throw Failure.usage(
                    "--jdbc-url has an @ before its parameters, and PostgreSQL's driver takes no name and no password"
                            + " there. Set IDEMPOTENCY_USER and IDEMPOTENCY_PASSWORD, or use --ask-password");
        }
        var source = new PGSimpleDataSource();
        try {
            source.setUrl(url);
        } catch (IllegalArgumentException e) {
            throw Failure.usage(
                    "--jdbc-url is no URL of PostgreSQL; it looks like jdbc:postgresql://host:5432/database");
        }
        source.setApplicationName("idempotency");
        if (source.getLoginTimeout() == 0) {
            source.setLoginTimeout((int) SIGNING_IN.toSeconds());
        }
        if (source.getSocketTimeout() == 0) {
            source.setSocketTimeout((int) ANSWERING.toSeconds());
        }
        if (user != null) {
            source.setUser(user);
        }
        if (password != null) {
            source.setPassword(password);
        }
        JdbcIdempotencyStore.Builder builder = JdbcIdempotencyStore.builder(source);
        if (schema != null) {
            checked(() -> builder.schema(requireText(schema)));
        }
        if (table != null) {
            checked(() -> builder.table(requireText(table)));
        }
        JdbcIdempotencyStore store = built(builder::build);
        String where = "Looked in the table " + (table == null ? "idempotency_record" : table)
                + (schema == null ? "" : " of the schema " + schema) + ".";
        return new Open(admin(store), () -> where, () -> {});
    }

    private Open onRedis(String url, @Nullable String user, @Nullable String password) {
        if (schema != null || table != null) {
            throw Failure.usage("--schema and --table are for PostgreSQL");
        }
        RedisURI uri;
        try {
            uri = RedisURI.create(url);
        } catch (IllegalArgumentException e) {
            throw Failure.usage(
                    "--redis-url is no URL of Redis; it looks like redis://host:6379 or rediss://host:6379");
        }
        if (password != null) {
            uri.setCredentialsProvider(new StaticCredentialsProvider(user, password.toCharArray()));
        }
        if (uri.getTimeout().equals(RedisURI.DEFAULT_TIMEOUT_DURATION)) {
            uri.setTimeout(SIGNING_IN);
        }
        AbstractRedisClient client = cluster ? RedisClusterClient.create(uri) : RedisClient.create(uri);
        Runnable end = () -> client.shutdown(0, GOODBYE.toMillis(), TimeUnit.MILLISECONDS);
        try {
            RedisIdempotencyStore.Builder builder = client instanceof RedisClusterClient clusterClient
                    ? RedisIdempotencyStore.builder(clusterClient)
                    : RedisIdempotencyStore.builder((RedisClient) client, uri);
            if (prefix != null) {
                checked(() -> builder.prefix(requireText(prefix)));
            }
            if (evicted != null) {
                checked(() -> builder.acceptEvictedRecords(requireText(evicted)));
            }
            if (unchecked != null) {
                checked(() -> builder.acceptUncheckedServer(requireText(unchecked)));
            }
            RedisIdempotencyStore store = built(builder::build);
            return new Open(admin(store), () -> underPrefix(client, uri), () -> {
                store.close();
                end.run();
            });
        } catch (RuntimeException e) {
            end.run();
            throw e;
        }
    }

    private String underPrefix(AbstractRedisClient client, RedisURI uri) {
        String name = prefix == null ? "idempotency" : prefix;
        String looked = "Looked under the prefix " + name + ".";
        if (!(client instanceof RedisClient one)) {
            return looked;
        }
        try (StatefulRedisConnection<String, String> connection = one.connect(uri)) {
            ScanArgs ours = ScanArgs.Builder.matches("{" + name.replaceAll("([*?\\[\\]\\\\])", "\\\\$1") + ":*")
                    .limit(SCANNED_AT_ONCE);
            KeyScanCursor<String> some = connection.sync().scan(ours);
            for (int i = 0; i < MOST_SCANS && some.getKeys().isEmpty() && !some.isFinished(); i++) {
                some = connection.sync().scan(some, ours);
            }
            return some.getKeys().isEmpty() && some.isFinished()
                    ? looked
                            + " Nothing at all is there: is this the prefix, the server and the database that the program uses?"
                    : looked;
        } catch (RedisException e) {
            // The user may not have the right to look.
            return looked;
        }
    }

    private Admin admin(AuditedStore store) {
        Admin.Builder builder = Admin.builder(store);
        checked(() -> builder.quiescence(quiescence));
        checked(() -> builder.retention(retention));
        return builder.build();
    }

    private static void checked(Runnable setting) {
        try {
            setting.run();
        } catch (IllegalArgumentException e) {
            throw Failure.usage(String.valueOf(e.getMessage()));
        }
    }

    /** A server that must not have records, and one that cannot be asked, end alike: nothing was written. */
    private static <S> S built(Supplier<S> build) {
        try {
            return build.get();
        } catch (StoreException e) {
            throw Failure.ofRead(e);
        } catch (IllegalStateException e) {
            throw Failure.unusable(e);
        }
    }
}

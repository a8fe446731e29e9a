package dev.idempotency.examples.payments;

import java.sql.SQLException;
import java.time.Duration;

/** Where records stand. */
enum StoreChoice {
    /** In this process, with which they end: {@link Payments}. */
    CAFFEINE("caffeine", "", "") {
        @Override
        StoreServer embedded() {
            throw new IllegalStateException("there is no server");
        }

        @Override
        StoreServer.Opened open(String url) {
            throw new IllegalStateException("there is no server");
        }

        @Override
        void prepare(String url, boolean isNew) {
            throw new IllegalStateException("there is no server");
        }
    },
    /** On PostgreSQL: {@link Postgres}. */
    POSTGRES("postgres", "--jdbc-url", "jdbc:postgresql:") {
        @Override
        StoreServer embedded() {
            return Postgres.embedded();
        }

        @Override
        StoreServer.Opened open(String url) {
            return Postgres.open(url);
        }

        @Override
        void prepare(String url, boolean isNew) throws SQLException {
            Postgres.createSchema(url);
            if (isNew) {
                Postgres.empty(url);
            }
        }
    },
    /** On Redis: {@link Redis}. */
    REDIS("redis", "--redis-url", "redis") {
        @Override
        StoreServer embedded() {
            return Redis.embedded();
        }

        @Override
        StoreServer.Opened open(String url) {
            return Redis.open(url);
        }

        @Override
        void prepare(String url, boolean isNew) {
            if (isNew) {
                Redis.empty(url);
            }
        }
    };

    /** A lease of a dead process keeps its orders waiting; one that is too short only makes needless doubts. */
    private static final Duration SHORT_LEASE = Duration.ofSeconds(2);

    private static final Duration DEFAULT_LEASE = Duration.ofSeconds(30);

    private static final Duration SERVER_CLOCK_ERROR = Duration.ofSeconds(2);

    private final String option;
    private final String urlOption;
    private final String urlPrefix;

    StoreChoice(String option, String urlOption, String urlPrefix) {
        this.option = option;
        this.urlOption = urlOption;
        this.urlPrefix = urlPrefix;
    }

    String option() {
        return option;
    }

    /** The option that names a server of the user's own; empty if there is none. */
    String urlOption() {
        return urlOption;
    }

    /** How the address of such a server begins. */
    String urlPrefix() {
        return urlPrefix;
    }

    /** Whether a process that is killed can be started again and go on. Only then is one killed. */
    boolean outlivesItsProcess() {
        return this != CAFFEINE;
    }

    Duration lease() {
        return outlivesItsProcess() ? SHORT_LEASE : DEFAULT_LEASE;
    }

    /** How far the clock that records are dated by may jump: a server's can be set, a process's monotonic one cannot. */
    Duration clockError() {
        return outlivesItsProcess() ? SERVER_CLOCK_ERROR : Duration.ZERO;
    }

    /**
     * Starts a server, or takes the user's, and makes it ready. Earlier runs' records are removed, unless the provider of
     * those runs may still be there: the simulator begins each run with an empty ledger.
     */
    StoreServer start(Options options) throws RunFailedException {
        StoreServer server = null;
        try {
            String url = options.storeUrl();
            server = url == null ? embedded() : new StoreServer(url, () -> {});
            prepare(server.url(), options.providerUrl() == null);
            if (options.protection() == Protection.BLIND_TAKEOVER) {
                try (var pool = Postgres.pool(server.url())) {
                    BlindTakeover.prepare(pool);
                }
            }
            return server;
        } catch (SQLException | RuntimeException e) {
            if (server != null) {
                server.close();
            }
            throw RunFailedException.of("The store cannot be used", e);
        }
    }

    /** Starts a server that ends with this process. */
    abstract StoreServer embedded();

    /** Makes a server ready for paying processes. */
    abstract void prepare(String url, boolean isNew) throws SQLException;

    /** Opens a store on such a server. */
    abstract StoreServer.Opened open(String url);
}

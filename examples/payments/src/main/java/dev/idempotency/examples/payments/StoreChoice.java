package dev.idempotency.examples.payments;

import java.time.Duration;

/** Where records stand. */
enum StoreChoice {
    /** In this process, with which they end. */
    CAFFEINE("caffeine", "", "") {
        @Override
        StoreServer start(Options options) {
            throw new IllegalStateException("there is no server");
        }

        @Override
        StoreServer.Opened open(String url) {
            throw new IllegalStateException("there is no server");
        }
    },
    /** On a PostgreSQL server. */
    POSTGRES("postgres", "--jdbc-url", "jdbc:postgresql:") {
        @Override
        StoreServer start(Options options) throws RunFailedException {
            return Postgres.start(options);
        }

        @Override
        StoreServer.Opened open(String url) {
            return Postgres.open(url);
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

    /** Starts a server, or finds the user's, and makes it ready. */
    abstract StoreServer start(Options options) throws RunFailedException;

    /** Opens a store on such a server. */
    abstract StoreServer.Opened open(String url);
}

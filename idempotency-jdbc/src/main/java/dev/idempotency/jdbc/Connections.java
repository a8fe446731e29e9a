package dev.idempotency.jdbc;

import dev.idempotency.store.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections on which each statement is a transaction of its own, whatever pool and caller are used to. They go back as they
 * came. Thread-safe.
 */
final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final int CONFLICTS = 20;

    /** Who has waited this long for a connection has waited in a pool, and would wait there again. */
    private static final Duration WAITED = Duration.ofMillis(200);

    /** What a server says that has not got, or has got already, the prepared statement that it is asked for. */
    private static final Set<String> STATEMENT_OF_ANOTHER_SESSION = Set.of("26000", "42P05");

    private final DataSource dataSource;
    private final int timeoutMillis;

    /** Those that were not as they are used here: a data source may give the caller's own, who goes on with it. */
    private final Map<Connection, Before> changed = Collections.synchronizedMap(new IdentityHashMap<>());

    /** Commits that were cut short at the standby, and how many of them are known to be there by now. */
    private final AtomicLong cutShort = new AtomicLong();

    private final AtomicLong confirmed = new AtomicLong();

    /** Whether statements of one connection here may meet different sessions of the server. */
    private volatile boolean sessionsAreShared;

    private record Before(boolean autoCommit, boolean readOnly, int networkTimeout, int prepareThreshold) {}

    Connections(DataSource dataSource, Duration timeout) {
        this.dataSource = dataSource;
        this.timeoutMillis = Math.toIntExact(timeout.toMillis());
    }

    interface Work<R> {
        R with(Connection connection) throws SQLException;
    }

    interface HandleWork<R> {
        R with(Handle handle);
    }

    /** Runs statements on a plain connection: the hot path, where Jdbi would cost more than the statement. */
    <R> R plain(String step, Work<R> work) {
        for (int tries = 1; ; tries++) {
            Connection connection = acquire(step);
            try {
                return tries == 1 ? work.with(connection) : readCommitted(step, connection, work);
            } catch (SQLException e) {
                if (!Failures.isConflict(e) || tries == CONFLICTS) {
                    throw failed(step, e);
                }
            } finally {
                release(connection);
            }
        }
    }

    /** Runs statements through Jdbi. */
    <R> R jdbi(String step, HandleWork<R> work) {
        return plain(step, connection -> {
            try {
                return work.with(Jdbi.open(connection));
            } catch (JdbiException e) {
                throw sqlException(e);
            }
        });
    }

    /**
     * At the level that every statement here is made for, and where PostgreSQL refuses none of them for what others write
     * at the same time. A pool of serializable connections would else refuse the same statement again and again.
     */
    private <R> R readCommitted(String step, Connection connection, Work<R> work) throws SQLException {
        ServerTransaction transaction = ServerTransaction.begin(connection);
        R result;
        SQLWarning said;
        try {
            result = work.with(connection);
            said = transaction.commit();
        } catch (Throwable e) {
            transaction.rollBack(e);
            throw e;
        }
        requireReplicated(step, said);
        return result;
    }

    private static SQLException sqlException(JdbiException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException found) {
                return found;
            }
        }
        throw failure;
    }

    /** What a failed statement means. */
    StoreException failed(String step, SQLException failure) {
        String state = failure.getSQLState();
        if (state != null && STATEMENT_OF_ANOTHER_SESSION.contains(state)) {
            sessionsAreShared(
                    "a statement that was prepared on a connection was not there when it was used (" + state + ")");
        }
        return Failures.of(step, failure);
    }

    // ---- sessions that are shared

    /** From now on no statement is prepared on one session and run on another. */
    void sessionsAreShared(String why) {
        if (!sessionsAreShared) {
            sessionsAreShared = true;
            LOG.info(
                    "The data source leads through a proxy that may share sessions of the server, such as PgBouncer: {}."
                            + " Statements of this store are not prepared by name from now on",
                    why);
        }
    }

    /** A proxy has session numbers of its own; without one, both sides have the server's. */
    void notice() {
        int[] numbers = plain("probe", connection -> {
            int told = connection.unwrap(PGConnection.class).getBackendPID();
            try (PreparedStatement statement = connection.prepareStatement("SELECT pg_catalog.pg_backend_pid()");
                    ResultSet row = statement.executeQuery()) {
                return new int[] {told, row.next() ? row.getInt(1) : told};
            }
        });
        if (numbers[0] != numbers[1]) {
            sessionsAreShared("the session's number is not the one that the server has for it");
        }
    }

    boolean areSessionsShared() {
        return sessionsAreShared;
    }

    /**
     * What a statement answers first says which statement it is, for a session that is not the one that prepared it may
     * run another one under the same name.
     *
     * @throws StoreException if another statement has answered
     */
    void requireAnswerOf(String statement, @Nullable String said, Connection connection, String step) {
        if (!statement.equals(said)) {
            sessionsAreShared("another statement has answered");
            var failure = new StoreException(
                    step
                            + " was answered by another statement: the connection leads through a proxy that shares sessions"
                            + " and does not keep prepared statements apart. It may have been written; set"
                            + " prepareThreshold=0 in the URL",
                    true,
                    null);
            breakOff(connection, failure);
            throw failure;
        }
    }

    // ---- commits that did not reach the standby

    /**
     * A commit that was cut short while it waited for a synchronous standby succeeds with a warning: the write stands
     * here and may be lost with this server.
     *
     * @throws StoreException if the statement's success came with such a warning
     */
    void requireReplicated(String step, @Nullable SQLWarning first) {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (Failures.isCutShort(warning)) {
                cutShort.incrementAndGet();
                throw new StoreException(step + " is not known to have reached the standby", true, warning);
            }
        }
    }

    boolean isUnreplicated() {
        return confirmed.get() < cutShort.get();
    }

    /**
     * After a commit that was cut short, what stands here is no proof that the standby has it. A later commit is, for it is
     * acknowledged after all that was written before it.
     *
     * @throws StoreException if that commit did not reach the standby either
     */
    void confirm(String step) {
        long known = cutShort.get();
        if (confirmed.get() >= known) {
            return;
        }
        plain(step, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT pg_catalog.pg_logical_emit_message(true, 'idempotency', 'confirm')")) {
                statement.execute();
                requireReplicated(step, statement.getWarnings());
                return true;
            }
        });
        confirmed.accumulateAndGet(known, Math::max);
    }

    // ---- taking and giving back

    /** A connection that commits each statement by itself; {@link #release} gives it back. */
    Connection acquire(String step) {
        Connection connection = open(step);
        if (connection == null) {
            throw StoreException.notRetryable("The data source gave null instead of a connection", null);
        }
        try {
            refuseForeignTransaction(connection);
            prepare(connection);
            return connection;
        } catch (SQLException e) {
            release(connection);
            throw Failures.noConnection(step, e, true);
        } catch (Throwable e) {
            release(connection);
            throw e;
        }
    }

    private @Nullable Connection open(String step) {
        long from = System.nanoTime();
        try {
            return dataSource.getConnection();
        } catch (SQLException e) {
            throw Failures.noConnection(step, e, System.nanoTime() - from < WAITED.toNanos());
        } catch (RuntimeException | OutOfMemoryError e) {
            throw new StoreException(step + " got no connection from the data source, and nothing was sent", false, e);
        }
    }

    private void prepare(Connection connection) throws SQLException {
        PGConnection driver = connection.unwrap(PGConnection.class);
        var before = new Before(
                connection.getAutoCommit(),
                connection.isReadOnly(),
                connection.getNetworkTimeout(),
                driver.getPrepareThreshold());
        boolean prepares = sessionsAreShared && before.prepareThreshold() != 0;
        if (before.autoCommit() && !before.readOnly() && before.networkTimeout() != 0 && !prepares) {
            return;
        }
        changed.put(connection, before);
        if (!before.autoCommit()) {
            connection.setAutoCommit(true);
        }
        if (before.readOnly()) {
            connection.setReadOnly(false);
        }
        // A connection that went silent would hold its caller for ever: the driver's own default is no limit.
        if (before.networkTimeout() == 0) {
            connection.setNetworkTimeout(Runnable::run, timeoutMillis);
        }
        if (prepares) {
            driver.setPrepareThreshold(0);
        }
    }

    /** The statement's outcome is known by now, and stays what it is. */
    void release(Connection connection) {
        Before before = changed.remove(connection);
        try {
            if (before != null && !connection.isClosed()) {
                restore(connection, before);
            }
        } catch (SQLException | RuntimeException e) {
            LOG.debug("A connection could not be given back as it was", e);
        } finally {
            close(connection);
        }
    }

    private static void restore(Connection connection, Before before) throws SQLException {
        PGConnection driver = connection.unwrap(PGConnection.class);
        if (driver.getPrepareThreshold() != before.prepareThreshold()) {
            driver.setPrepareThreshold(before.prepareThreshold());
        }
        if (before.networkTimeout() == 0) {
            connection.setNetworkTimeout(Runnable::run, 0);
        }
        if (before.readOnly()) {
            connection.setReadOnly(true);
        }
        if (!before.autoCommit()) {
            connection.setAutoCommit(false);
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException | RuntimeException e) {
            LOG.debug("A connection could not be given back", e);
        }
    }

    /** Nobody else may get it from the pool. */
    static void breakOff(Connection connection, Throwable why) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            why.addSuppressed(e);
        }
    }

    /** A data source that knows the caller's transaction would make our write part of it, and its rollback would undo it. */
    private static void refuseForeignTransaction(Connection connection) throws SQLException {
        if (!connection.isWrapperFor(BaseConnection.class)) {
            throw StoreException.notRetryable(foreignDriver(connection), null);
        }
        TransactionState state = connection.unwrap(BaseConnection.class).getTransactionState();
        if (state != TransactionState.IDLE) {
            throw StoreException.notRetryable(
                    "The data source gave a connection that is in a transaction already (" + state
                            + "): give the store a data source that is not bound to the caller's transaction",
                    null);
        }
    }

    private static String foreignDriver(Connection connection) throws SQLException {
        Object driver = connection.isWrapperFor(Connection.class) ? connection.unwrap(Connection.class) : connection;
        String name = driver.getClass().getName();
        return "The data source must give connections of the org.postgresql driver; got "
                + (name.startsWith("org.postgresql.")
                        ? name + " of another copy of the driver, which the class loader "
                                + driver.getClass().getClassLoader() + " has loaded; the store's is of "
                                + BaseConnection.class.getClassLoader()
                                + ". Keep the driver in one place that both see"
                        : name);
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.store.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jdbi.v3.core.ConnectionException;
import org.jdbi.v3.core.ConnectionFactory;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connections on which each statement is a transaction of its own, whatever pool and caller are used to. Thread-safe. */
final class Connections implements ConnectionFactory {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final int CONFLICTS = 20;

    private final DataSource dataSource;
    private final int timeoutMillis;
    private final Jdbi jdbi;

    /** Those that did not commit by themselves or only read: a data source may give the caller's own, who goes on with it. */
    private final Map<Connection, Before> changed = Collections.synchronizedMap(new IdentityHashMap<>());

    private record Before(boolean autoCommit, boolean readOnly) {}

    Connections(DataSource dataSource, Duration timeout) {
        this.dataSource = dataSource;
        this.timeoutMillis = Math.toIntExact(timeout.toMillis());
        this.jdbi = Jdbi.create(this);
    }

    interface Work<R> {
        R with(Connection connection) throws SQLException;
    }

    interface HandleWork<R> {
        R with(Handle handle);
    }

    private interface Statement<R> {
        R run() throws SQLException;
    }

    /** Runs statements on a plain connection: the hot path, where Jdbi would cost more than the statement. */
    <R> R plain(String step, Work<R> work) {
        for (int tries = 1; ; tries++) {
            Connection connection = acquire(step);
            try {
                return tries == 1 ? work.with(connection) : readCommitted(connection, () -> work.with(connection));
            } catch (SQLException e) {
                if (!Failures.isConflict(e) || tries == CONFLICTS) {
                    throw Failures.of(step, e);
                }
            } finally {
                closeConnection(connection);
            }
        }
    }

    /** Runs statements through Jdbi. */
    <R> R jdbi(String step, HandleWork<R> work) {
        for (int tries = 1; ; tries++) {
            try (Handle handle = jdbi.open()) {
                return tries == 1 ? work.with(handle) : readCommitted(handle.getConnection(), () -> work.with(handle));
            } catch (SQLException e) {
                throw Failures.noConnection(step, e);
            } catch (JdbiException e) {
                SQLException failure = sqlException(e);
                if (failure == null) {
                    throw e;
                }
                if (e instanceof ConnectionException) {
                    throw Failures.noConnection(step, failure);
                }
                if (!Failures.isConflict(failure) || tries == CONFLICTS) {
                    throw Failures.of(step, failure);
                }
            }
        }
    }

    /**
     * At the level that every statement here is made for, and where PostgreSQL refuses none of them for what others write
     * at the same time. A pool of serializable connections would else refuse the same statement again and again.
     */
    private static <R> R readCommitted(Connection connection, Statement<R> statement) throws SQLException {
        int own = connection.getTransactionIsolation();
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        try {
            return statement.run();
        } finally {
            restore(connection, own);
        }
    }

    private static void restore(Connection connection, int isolation) {
        try {
            connection.setTransactionIsolation(isolation);
        } catch (SQLException e) {
            LOG.debug("A connection could not be given its isolation back", e);
        }
    }

    private static @Nullable SQLException sqlException(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException found) {
                return found;
            }
        }
        return null;
    }

    Connection acquire(String step) {
        try {
            return openConnection();
        } catch (SQLException e) {
            throw Failures.noConnection(step, e);
        }
    }

    @Override
    public Connection openConnection() throws SQLException {
        Connection connection = dataSource.getConnection();
        try {
            refuseForeignTransaction(connection);
            var before = new Before(connection.getAutoCommit(), connection.isReadOnly());
            if (!before.autoCommit() || before.readOnly()) {
                changed.put(connection, before);
                connection.setAutoCommit(true);
                connection.setReadOnly(false);
            }
            // A connection that went silent would hold its caller for ever: the driver's own default is no limit.
            if (connection.getNetworkTimeout() == 0) {
                connection.setNetworkTimeout(Runnable::run, timeoutMillis);
            }
            return connection;
        } catch (SQLException | RuntimeException e) {
            closeConnection(connection);
            throw e;
        }
    }

    /** The statement's outcome is known by now, and stays what it is. */
    @Override
    public void closeConnection(Connection connection) {
        try (connection) {
            Before before = changed.remove(connection);
            if (before != null) {
                connection.setReadOnly(before.readOnly());
                connection.setAutoCommit(before.autoCommit());
            }
        } catch (SQLException e) {
            LOG.debug("A connection could not be given back as it was", e);
        }
    }

    /** A data source that knows the caller's transaction would make our write part of it, and its rollback would undo it. */
    private static void refuseForeignTransaction(Connection connection) throws SQLException {
        if (!connection.isWrapperFor(BaseConnection.class)) {
            throw new StoreException(
                    "The data source must give connections of the org.postgresql driver; got "
                            + connection.getClass().getName(),
                    false,
                    null);
        }
        TransactionState state = connection.unwrap(BaseConnection.class).getTransactionState();
        if (state != TransactionState.IDLE) {
            throw new StoreException(
                    "The data source gave a connection that is in a transaction already (" + state
                            + "): give the store a data source that is not bound to the caller's transaction",
                    false,
                    null);
        }
    }
}

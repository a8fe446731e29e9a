package dev.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * One READ COMMITTED transaction on a connection that commits by itself otherwise, whatever isolation its session has. The
 * session's own stays as it is: behind a proxy that shares connections, what is set for the session is set for others. For one
 * thread.
 */
final class ServerTransaction {
    /** Whoever ends the transaction ends its savepoint with it. */
    private static final String BEGIN = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SAVEPOINT idempotency_call";

    private static final String COMMIT = "RELEASE SAVEPOINT idempotency_call; COMMIT";
    private static final String NO_SAVEPOINT = "3B001";

    private final Connection connection;

    private ServerTransaction(Connection connection) {
        this.connection = connection;
    }

    /** @throws SQLException if it could not be begun; nothing was written, and the connection is of no use any more */
    static ServerTransaction begin(Connection connection) throws SQLException {
        var begun = new ServerTransaction(connection);
        try {
            connection.setAutoCommit(false);
            begun.execute(BEGIN);
            return begun;
        } catch (Throwable e) {
            begun.rollBack(e);
            throw e;
        }
    }

    private @Nullable SQLWarning execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            return statement.getWarnings();
        }
    }

    /**
     * Commits it.
     *
     * @return what the server has to say about the commit
     * @throws SQLException if it said that it has not, or said nothing
     */
    @Nullable
    SQLWarning commit() throws SQLException {
        SQLWarning said = execute(COMMIT);
        connection.setAutoCommit(true);
        return said;
    }

    /**
     * Rolls it back. A connection that does not say that it has done so is broken off: a pool must not commit it.
     *
     * @param why gets what else failed
     * @return false if this was not the transaction any more that was begun: somebody has ended that
     */
    boolean rollBack(Throwable why) {
        boolean isOwn = true;
        try {
            execute("ROLLBACK TO SAVEPOINT idempotency_call");
        } catch (SQLException e) {
            isOwn = !hasNoSavepoint(e);
        }
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException | RuntimeException e) {
            why.addSuppressed(e);
            Connections.breakOff(connection, why);
        }
        return isOwn;
    }

    /** Tells whether a failure says that the transaction is not the one that was begun. */
    static boolean hasNoSavepoint(SQLException failure) {
        return NO_SAVEPOINT.equals(failure.getSQLState());
    }
}

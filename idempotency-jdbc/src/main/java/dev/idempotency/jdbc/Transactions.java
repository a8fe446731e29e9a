package dev.idempotency.jdbc;

import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** Transactions that calls write in: the store's own, or the one that a thread has joined. Thread-safe. */
final class Transactions {
    private final Connections connections;

    @SuppressWarnings("ThreadLocalUsage") // joined is one store at a time, and removed when the joining is over
    private final ThreadLocal<@Nullable Handle> joined = new ThreadLocal<>();

    Transactions(Connections connections) {
        this.connections = connections;
    }

    /** The transaction that this thread has joined, or null. */
    @Nullable
    Connection joined() {
        Handle handle = joined.get();
        return handle == null ? null : handle.getConnection();
    }

    <R extends @Nullable Object> R run(TransactionalStore.Work<? super Handle, R> work) throws Exception {
        Handle handle = joined.get();
        return handle == null ? runAndCommit(work) : runUnderSavepoint(handle, work);
    }

    // ---- a transaction of the store's

    private <R extends @Nullable Object> R runAndCommit(TransactionalStore.Work<? super Handle, R> work)
            throws Exception {
        Connection connection = connections.acquire("begin");
        try {
            ServerTransaction transaction = begin(connection);
            R result;
            try {
                result = work.run(Jdbi.open(OpenTransaction.of(connection)));
            } catch (Throwable t) {
                if (!transaction.rollBack(t)) {
                    throw ended(t);
                }
                throw t;
            }
            commit(transaction);
            return result;
        } finally {
            connections.release(connection);
        }
    }

    private static ServerTransaction begin(Connection connection) {
        try {
            return ServerTransaction.begin(connection);
        } catch (SQLException e) {
            throw new StoreException("The transaction could not begin; nothing was written", false, e);
        }
    }

    private void commit(ServerTransaction transaction) {
        SQLWarning said;
        try {
            said = transaction.commit();
        } catch (SQLException e) {
            boolean unused = transaction.rollBack(e);
            throw ServerTransaction.hasNoSavepoint(e) ? ended(e) : connections.failed("commit", e);
        }
        connections.requireReplicated("commit", said);
    }

    private static StoreException ended(Throwable cause) {
        return new StoreException(
                "The call has ended the transaction that it was given, past the connection that it was given: what it wrote"
                        + " until then may stand, without a record. Leave the end of the transaction to the library",
                true,
                cause);
    }

    // ---- a transaction of the caller's

    <R extends @Nullable Object, X extends Exception> R joining(
            Handle transaction, JdbcIdempotencyStore.Joining<R, X> run) throws X {
        requireJoinable(transaction.getConnection());
        Handle before = joined.get();
        joined.set(transaction);
        try {
            return run.run();
        } finally {
            if (before == null) {
                joined.remove();
            } else {
                joined.set(before);
            }
        }
    }

    private static void requireJoinable(Connection connection) {
        try {
            if (!connection.isWrapperFor(BaseConnection.class)) {
                throw new IllegalStateException("The transaction to be joined is not one of the org.postgresql driver: "
                        + connection.getClass().getName());
            }
            if (connection.getAutoCommit()) {
                throw new IllegalStateException("There is no transaction to be joined: the connection commits each"
                        + " statement by itself. Begin one first");
            }
            if (connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED) {
                throw new IllegalStateException("The transaction to be joined is aborted by an earlier failure, and can"
                        + " only be rolled back; nothing was written");
            }
            if (connection.getTransactionIsolation() != Connection.TRANSACTION_READ_COMMITTED) {
                throw new IllegalStateException(
                        "The transaction to be joined is not READ COMMITTED: it would not see the"
                                + " reservation, which is committed beside it");
            }
        } catch (SQLException e) {
            throw new StoreException("The transaction to be joined cannot be asked; nothing was written", false, e);
        }
    }

    /** The caller may commit even if the call fails: what it wrote is undone. */
    private static <R extends @Nullable Object> R runUnderSavepoint(
            Handle handle, TransactionalStore.Work<? super Handle, R> work) throws Exception {
        Connection connection = handle.getConnection();
        Savepoint savepoint;
        try {
            savepoint = connection.setSavepoint();
        } catch (SQLException e) {
            throw new StoreException("The joined transaction takes no savepoint; nothing was written", false, e);
        }
        R result;
        try {
            result = work.run(handle);
        } catch (Throwable t) {
            undo(connection, savepoint, t);
            throw t;
        }
        try {
            connection.releaseSavepoint(savepoint);
        } catch (SQLException e) {
            throw ended(e, e);
        }
        return result;
    }

    private static void undo(Connection connection, Savepoint savepoint, Throwable why) {
        try {
            connection.rollback(savepoint);
            connection.releaseSavepoint(savepoint);
        } catch (SQLException e) {
            if (ServerTransaction.hasNoSavepoint(e)) {
                throw ended(e, why);
            }
            why.addSuppressed(e);
            if (canBeCommitted(connection)) {
                throw new StoreException(
                        "What the failed call has written could not be undone: roll the joined transaction back",
                        true,
                        why);
            }
        }
    }

    /** For PostgreSQL never after a failed rollback to a savepoint, but whoever stands before it may have refused that. */
    private static boolean canBeCommitted(Connection connection) {
        try {
            return connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.OPEN;
        } catch (SQLException e) {
            return false;
        }
    }

    /** Without the savepoint the transaction is not the one that it was; without a connection it is none at all. */
    private static StoreException ended(SQLException failure, Throwable cause) {
        boolean byTheCall = ServerTransaction.hasNoSavepoint(failure);
        return new StoreException(
                byTheCall
                        ? "The call has ended the transaction that was joined; leave that to the caller"
                        : "The joined transaction has failed, and cannot be committed",
                byTheCall,
                cause);
    }
}

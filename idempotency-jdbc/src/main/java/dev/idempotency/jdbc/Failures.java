package dev.idempotency.jdbc;

import dev.idempotency.store.StoreException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a failure of PostgreSQL means: whether the statement may have been written. */
final class Failures {
    /**
     * Classes of SQLSTATE with which the server says that the statement was rolled back. Everything else (a broken
     * connection, an operator's shutdown, an internal error) leaves it open.
     *
     * @see <a href="https://www.postgresql.org/docs/17/errcodes-appendix.html">PostgreSQL error codes</a>
     */
    private static final Set<String> ROLLED_BACK = Set.of(
            "0A", "21", "22", "23", "25", "26", "28", "34", "3D", "3F", "40", "42", "44", "53", "54", "55", "P0");

    private static final String STATEMENT_COMPLETION_UNKNOWN = "40003";
    private static final String QUERY_CANCELED = "57014";
    private static final String WARNING = "01000";
    private static final String READ_ONLY = "25006";
    private static final String ABORTED = "25P02";
    private static final String UNDEFINED_TABLE = "42P01";
    private static final String NO_PARTITION = "23514";

    private Failures() {}

    /** The statement was sent. */
    static StoreException of(String step, SQLException failure) {
        String state = failure.getSQLState();
        if (isRolledBack(state)) {
            return new StoreException(step + " was refused by PostgreSQL" + advice(state), false, failure);
        }
        return new StoreException(step + " has no answer from PostgreSQL: it may have been written", true, failure);
    }

    /** No connection was there to send anything on. */
    static StoreException noConnection(String step, SQLException failure) {
        return new StoreException(
                step
                        + " got no connection to PostgreSQL, and nothing was sent. If the pool is exhausted: give the store"
                        + " a small pool of its own, so that callers that hold a connection do not wait for themselves",
                false,
                failure);
    }

    /** PostgreSQL was asked, and said that it has rolled the statement back. */
    static boolean isRefusal(StoreException failure) {
        return !failure.mayHaveWritten()
                && failure.getCause() instanceof SQLException cause
                && isRolledBack(cause.getSQLState());
    }

    private static boolean isRolledBack(@Nullable String state) {
        return state != null
                && !state.equals(STATEMENT_COMPLETION_UNKNOWN)
                && (state.equals(QUERY_CANCELED)
                        || (state.length() == 5 && ROLLED_BACK.contains(state.substring(0, 2))));
    }

    private static String advice(@Nullable String state) {
        if (READ_ONLY.equals(state)) {
            return ": the session is read only. Connect to the primary, without default_transaction_read_only";
        }
        if (ABORTED.equals(state)) {
            return ": the transaction is aborted by an earlier failure, and can only be rolled back";
        }
        if (UNDEFINED_TABLE.equals(state)) {
            return ": the table is not there. Create the schema first";
        }
        if (NO_PARTITION.equals(state)) {
            return ": a check failed, or there is no partition for the key's day";
        }
        return "";
    }

    /** Serialization failures and deadlocks: rolled back, and the same statement may simply run again. */
    static boolean isConflict(SQLException failure) {
        String state = failure.getSQLState();
        return "40001".equals(state) || "40P01".equals(state);
    }

    /**
     * A commit that was cut short while it waited for a synchronous standby succeeds with a warning: the write stands
     * here and may be lost with this server.
     *
     * @throws StoreException if the statement's success came with such a warning
     */
    static void refuseUnreplicated(String step, @Nullable SQLWarning first) {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (WARNING.equals(warning.getSQLState())) {
                throw new StoreException(step + " is not known to have reached the standby", true, warning);
            }
        }
    }
}

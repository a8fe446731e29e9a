package dev.idempotency.jdbc;

import dev.idempotency.store.StoreException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

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

    /** Classes of SQLSTATE of a connection that did not come about: no network, no login, too many, starting up. */
    private static final Set<String> NOT_LET_IN = Set.of("08", "28", "3D", "53", "57");

    private static final String STATEMENT_COMPLETION_UNKNOWN = "40003";
    private static final String QUERY_CANCELED = "57014";
    private static final String READ_ONLY = "25006";
    private static final String ABORTED = "25P02";
    private static final String UNDEFINED_TABLE = "42P01";
    private static final String NO_PARTITION = "23514";
    private static final String NO_RIGHT = "42501";
    private static final String NOT_IN_THE_ENCODING = "22P05";

    /** Where the server waits for its standbys. This is not translated, as its messages are. */
    private static final String WAIT_FOR_STANDBY = "SyncRepWaitForLSN";

    private static final String WAIT_CUT_SHORT = "canceling wait for synchronous replication";

    /** Causes may go round in a circle. */
    private static final int DEEPEST = 20;

    private Failures() {}

    /** The statement was sent. */
    static StoreException of(String step, SQLException failure) {
        String state = failure.getSQLState();
        if (NOT_IN_THE_ENCODING.equals(state)) {
            return StoreException.notRetryable(
                    step
                            + " was refused by PostgreSQL: a character of the key or of another text is not in the encoding"
                            + " of the database. Create the database with ENCODING 'UTF8'",
                    failure);
        }
        if (isRolledBack(state)) {
            return new StoreException(step + " was refused by PostgreSQL" + advice(state), false, failure);
        }
        return new StoreException(step + " has no answer from PostgreSQL: it may have been written", true, failure);
    }

    /**
     * No connection was there to send anything on.
     *
     * @param isWorthATry whether asking for one again at once may help
     */
    static StoreException noConnection(String step, SQLException failure, boolean isWorthATry) {
        String message = step + " got no connection to PostgreSQL, and nothing was sent"
                + (isUnreachable(failure)
                        ? ". The server could not be reached, or refused the login: its reason is the cause of this"
                        : ". If the pool is exhausted: give the store a small pool of its own, so that callers that hold a"
                                + " connection do not wait for themselves");
        return isWorthATry
                ? new StoreException(message, false, failure)
                : StoreException.notRetryable(message, failure);
    }

    /** A pool keeps the server's own words as a cause. */
    private static boolean isUnreachable(SQLException failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < DEEPEST; depth++, cause = cause.getCause()) {
            if (cause instanceof PSQLException said && isOf(NOT_LET_IN, said.getSQLState())) {
                return true;
            }
        }
        return false;
    }

    /** A proxy's state may be of any length. */
    private static boolean isOf(Set<String> classes, @Nullable String state) {
        return state != null && state.length() == 5 && classes.contains(state.substring(0, 2));
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
                && (state.equals(QUERY_CANCELED) || isOf(ROLLED_BACK, state));
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
        if (NO_RIGHT.equals(state)) {
            return ": the account lacks a right. GRANT SELECT, INSERT, UPDATE, DELETE on the tables of the store, SELECT,"
                    + " INSERT on the one of the audit trail, and USAGE on their schema";
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
     * A commit that was cut short while it waited for a synchronous standby, which is a success with a warning. Other
     * warnings, such as a trigger's, say nothing about the commit.
     */
    static boolean isCutShort(SQLWarning warning) {
        ServerErrorMessage said = warning instanceof PSQLWarning known ? known.getServerErrorMessage() : null;
        String routine = said == null ? null : said.getRoutine();
        return routine != null
                ? routine.equals(WAIT_FOR_STANDBY)
                : String.valueOf(warning.getMessage()).contains(WAIT_CUT_SHORT);
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.store.StoreClass;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.StatementContext;

/**
 * What the server said of itself when the store was built, and what follows for acknowledged writes. Immutable.
 *
 * @param storeClass {@link StoreClass#DURABLE} when nothing was found that could lose an acknowledged write
 * @param reasons one line for each finding that makes it {@link StoreClass#LOSSY}; empty when durable
 * @param version the server's version, such as {@code 17.2}
 * @since 0.1.0
 */
public record JdbcProbe(StoreClass storeClass, List<String> reasons, String version) {
    /** The oldest server that is supported: 14. */
    static final int OLDEST = 140_000;

    /**
     * Checks the report.
     *
     * @param storeClass as described above
     * @param reasons as described above
     * @param version as described above
     * @throws NullPointerException if an argument is null
     */
    public JdbcProbe {
        Objects.requireNonNull(storeClass, "storeClass");
        reasons = List.copyOf(reasons);
        Objects.requireNonNull(version, "version");
    }

    private record Said(
            int number,
            String version,
            boolean standby,
            boolean readOnly,
            String synchronousCommit,
            boolean fsync,
            boolean fullPageWrites,
            boolean namesStandbys,
            boolean hasStandbys) {

        static Said read(ResultSet row, StatementContext context) throws SQLException {
            return new Said(
                    row.getInt("number"),
                    Objects.requireNonNull(row.getString("version")),
                    row.getBoolean("standby"),
                    row.getBoolean("read_only"),
                    Objects.requireNonNull(row.getString("synchronous_commit")),
                    row.getBoolean("fsync"),
                    row.getBoolean("full_page_writes"),
                    row.getBoolean("names_standbys"),
                    row.getBoolean("has_standbys"));
        }
    }

    /** @throws IllegalStateException if the server cannot hold records at all */
    static JdbcProbe ask(Handle handle, boolean standbysAreNeverPromoted) {
        Said said = handle.createQuery("SELECT pg_catalog.current_setting('server_version_num')::int AS number,"
                        + " pg_catalog.current_setting('server_version') AS version, pg_catalog.pg_is_in_recovery() AS standby,"
                        + " pg_catalog.current_setting('default_transaction_read_only')::boolean AS read_only,"
                        + " pg_catalog.current_setting('synchronous_commit') AS synchronous_commit,"
                        + " pg_catalog.current_setting('fsync')::boolean AS fsync,"
                        + " pg_catalog.current_setting('full_page_writes')::boolean AS full_page_writes,"
                        + " pg_catalog.current_setting('synchronous_standby_names') <> '' AS names_standbys,"
                        + " EXISTS (SELECT FROM pg_catalog.pg_stat_replication) AS has_standbys")
                .map(Said::read)
                .one();
        refuseUnusable(said);
        List<String> reasons = new ArrayList<>();
        if (said.synchronousCommit().equals("off")) {
            reasons.add("synchronous_commit is off: a crash of the server loses what it acknowledged last");
        }
        if (!said.fsync()) {
            reasons.add("fsync is off: a power failure loses anything");
        }
        if (!said.fullPageWrites()) {
            reasons.add("full_page_writes is off: a power failure can damage the table");
        }
        boolean waitsForStandby =
                said.namesStandbys() && !said.synchronousCommit().equals("local");
        if (said.hasStandbys() && !waitsForStandby && !standbysAreNeverPromoted) {
            reasons.add("a standby follows asynchronously: promoting it loses what it had not received");
        }
        return new JdbcProbe(reasons.isEmpty() ? StoreClass.DURABLE : StoreClass.LOSSY, reasons, said.version());
    }

    /** The same with more reasons why an acknowledged write may be lost. */
    JdbcProbe and(List<String> more) {
        if (more.isEmpty()) {
            return this;
        }
        List<String> all = new ArrayList<>(reasons);
        all.addAll(more);
        return new JdbcProbe(StoreClass.LOSSY, all, version);
    }

    private static void refuseUnusable(Said said) {
        if (said.number() < OLDEST) {
            throw new IllegalStateException(
                    "PostgreSQL " + said.version() + " is too old; version 14 or later is needed");
        }
        if (said.standby()) {
            throw new IllegalStateException(
                    "The server is a standby: it cannot reserve, and what it says may be out of date. Connect to the"
                            + " primary (targetServerType=primary in the URL)");
        }
        if (said.readOnly()) {
            throw new IllegalStateException(
                    "default_transaction_read_only is on for this user or database: nothing can be reserved");
        }
    }
}

package dev.idempotency.jdbc;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the server says of the tables of a store: whether they outlive a crash, and what the account may do with them. */
final class TableProbe {
    private static final Logger LOG = LoggerFactory.getLogger(JdbcIdempotencyStore.class);

    private static final List<String> RIGHTS_TO_RESERVE = List.of("SELECT", "INSERT", "UPDATE");
    private static final List<String> ALL_RIGHTS = List.of("SELECT", "INSERT", "UPDATE", "DELETE");

    private TableProbe() {}

    /**
     * Refuses a table that the account cannot keep records in, and warns of what else it lacks.
     *
     * @return one line for each finding that makes acknowledged writes unsafe
     * @throws IllegalStateException if the account lacks a right without which nothing can be reserved
     */
    static List<String> reasons(Handle handle, Table table) {
        requireRights(handle, table);
        warnOfEncoding(handle);
        return handle
                .createQuery("SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
                        + " c.relnamespace LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid WHERE n.nspname = :schema"
                        + " AND c.relpersistence <> 'p' AND (c.relname = ANY (ARRAY[:name, :name || '_audit',"
                        + " :name || '_inbox', :name || '_version']) OR i.inhparent = CAST(:quoted AS regclass))"
                        + " ORDER BY c.relname")
                .bind("schema", table.schema())
                .bind("name", table.name())
                .bind("quoted", table.quoted())
                .mapTo(String.class)
                .list()
                .stream()
                .map(name -> "the table " + name + " is UNLOGGED: a crash of the server empties it")
                .toList();
    }

    private static void requireRights(Handle handle, Table table) {
        boolean mayUse = handle.createQuery("SELECT pg_catalog.has_schema_privilege(:schema, 'USAGE')")
                .bind("schema", table.schema())
                .mapTo(Boolean.class)
                .one();
        if (!mayUse) {
            throw new IllegalStateException("The account may not use the schema of the table " + table.quoted()
                    + ": GRANT USAGE ON SCHEMA \"" + table.schema() + "\" to it");
        }
        String needed = grants(handle, RIGHTS_TO_RESERVE, table.quoted());
        if (!needed.isEmpty()) {
            throw new IllegalStateException(
                    "The account cannot keep records in the table " + table.quoted() + ": " + needed + " to it");
        }
        String missing = Stream.of(
                        grants(handle, List.of("DELETE"), table.quoted()),
                        grants(handle, List.of("SELECT", "INSERT"), table.quoted(table.name() + "_audit")),
                        grants(handle, ALL_RIGHTS, table.quoted(table.name() + "_inbox")),
                        grants(handle, ALL_RIGHTS, table.quoted(table.name() + "_version")))
                .filter(grant -> !grant.isEmpty())
                .collect(Collectors.joining("; "));
        if (!missing.isEmpty()) {
            LOG.info("The account lacks rights that purges, people's decisions or the inbox need: {}", missing);
        }
    }

    /** What has to be granted; nothing if there is no such table. */
    private static String grants(Handle handle, List<String> rights, String quoted) {
        List<String> lacking = handle.createQuery("SELECT name FROM pg_catalog.unnest(:rights) name WHERE NOT COALESCE("
                        + "pg_catalog.has_table_privilege(CAST(pg_catalog.to_regclass(:table) AS oid), name), true)")
                .bindArray("rights", String.class, rights)
                .bind("table", quoted)
                .mapTo(String.class)
                .list();
        return lacking.isEmpty() ? "" : "GRANT " + String.join(", ", lacking) + " ON " + quoted;
    }

    private static void warnOfEncoding(Handle handle) {
        String encoding = handle.createQuery("SELECT pg_catalog.current_setting('server_encoding')")
                .mapTo(String.class)
                .one();
        if (!encoding.equals("UTF8")) {
            LOG.warn(
                    "The encoding of the database is {}: a key with a character that it does not have is refused for ever."
                            + " Create the database with ENCODING 'UTF8'",
                    encoding);
        }
    }
}

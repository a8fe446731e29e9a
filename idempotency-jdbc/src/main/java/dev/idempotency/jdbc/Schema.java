package dev.idempotency.jdbc;

import dev.idempotency.store.UnknownFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jdbi.v3.core.Handle;

/** The table in its versions. A database is brought forward one version at a time, all in one transaction. */
final class Schema {
    /** The script that leads to version 1 is the first, and so on. */
    static final List<String> SCRIPTS = List.of("schema.sql");

    static final List<String> BY_DAY_SCRIPTS = List.of("schema-by-day.sql");

    /** The second number, where there is one: the oldest version that a library must know to use the table. */
    private static final Pattern COMMENT = Pattern.compile(
            "idempotency records, schema version (\\d{1,9})(?:, for libraries that know version (\\d{1,9}))?");

    private final Table table;
    private final List<String> scripts;

    Schema(Table table, List<String> scripts) {
        this.table = table;
        this.scripts = scripts;
    }

    /** The script with the table's own names. */
    static String script(String resource, Table table) {
        try (InputStream in = Objects.requireNonNull(Schema.class.getResourceAsStream(resource), resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("${schema}", table.schema())
                    .replace("${table}", table.name());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int newest() {
        return scripts.size();
    }

    /** Creates the table, or brings it forward; of many processes that do so at once, one does it. Answers the version. */
    int create(Handle handle) {
        return handle.inTransaction(transaction -> {
            transaction
                    .createQuery("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(:table, 0))")
                    .bind("table", table.quoted())
                    .mapTo(String.class)
                    .one();
            for (int version = version(transaction).orElse(0); version < newest(); version++) {
                transaction.createScript(script(scripts.get(version), table)).execute();
            }
            return newest();
        });
    }

    /**
     * The version that the database is on.
     *
     * @return 0 or more; nothing when there is no such table
     * @throws IllegalStateException if the table is not one of ours
     * @throws UnknownFormatException if libraries must be newer than this one to use it
     */
    Optional<Integer> version(Handle handle) {
        return handle.createQuery("SELECT COALESCE(pg_catalog.obj_description(c.oid, 'pg_class'), '') FROM"
                        + " pg_catalog.pg_class c"
                        + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p')")
                .bind("schema", table.schema())
                .bind("name", table.name())
                .mapTo(String.class)
                .findOne()
                .map(this::versionIn);
    }

    /** Of a table that this library may find, whoever brought it forward. */
    private int versionIn(String comment) {
        Matcher matcher = COMMENT.matcher(comment);
        if (!matcher.matches()) {
            throw new IllegalStateException("The table " + table.quoted()
                    + " has no comment with its schema version, so it is not a table of this library; choose another"
                    + " name, or run the script that comes with the library");
        }
        if (matcher.group(2) != null && Integer.parseInt(matcher.group(2)) > newest()) {
            throw new UnknownFormatException("The table " + table.quoted(), false, null);
        }
        return Integer.parseInt(matcher.group(1));
    }
}

package dev.idempotency.jdbc;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The table's name, safe to put into SQL.
 *
 * @param schema the schema that the table is in
 * @param name the table's own name
 * @param partitioned whether it is partitioned by day
 */
record Table(String schema, String name, boolean partitioned) {
    /** Room for the suffixes of indexes and partitions in PostgreSQL's 63 bytes. */
    static final int MAX_NAME = 40;

    private static final Pattern SCHEMA = Pattern.compile("[\\p{L}\\p{N}_.-]+");
    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]*");

    Table {
        requireSchema(schema);
        requireName("table", name, MAX_NAME);
    }

    /** Whoever named the schema need not have had our names in mind, as those of one schema for each tenant show. */
    static String requireSchema(String value) {
        Objects.requireNonNull(value, "schema");
        if (value.getBytes(StandardCharsets.UTF_8).length > 63
                || !SCHEMA.matcher(value).matches()) {
            throw new IllegalArgumentException("schema is \"" + value
                    + "\"; it must be 1 to 63 bytes of letters, digits, underscores, hyphens and dots");
        }
        return value;
    }

    static String requireName(String argument, String value, int max) {
        Objects.requireNonNull(value, argument);
        if (value.length() > max || !IDENTIFIER.matcher(value).matches()) {
            throw new IllegalArgumentException(argument + " is \"" + value + "\"; it must be 1 to " + max
                    + " lower-case letters, digits and underscores, and not begin with a digit");
        }
        return value;
    }

    /** As it stands in statements. */
    String quoted() {
        return quoted(name);
    }

    /** Another table of the same schema, such as a partition. */
    String quoted(String other) {
        return "\"" + schema + "\".\"" + other + "\"";
    }
}

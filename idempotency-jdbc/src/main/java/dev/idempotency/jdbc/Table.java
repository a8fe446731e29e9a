package dev.idempotency.jdbc;

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

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]*");

    Table {
        requireName("schema", schema, 63);
        requireName("table", name, MAX_NAME);
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

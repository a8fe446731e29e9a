package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.testkit.StoredFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What each format has left on a server is kept as SQL, and read by the code of today. {@code -Dstored.format.write=true} writes
 * the newest one anew.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class StoredFormatTest {
    private static final int NEWEST = 1;
    private static final String NAME = "idempotency_record";

    private final String schema = Database.schema();
    private final Jdbi jdbi = Jdbi.create(Database.pool());

    private static Path file(int format, String name) {
        return Path.of("src/test/resources/dev/idempotency/jdbc/format-" + format, name);
    }

    private JdbcIdempotencyStore store() {
        return JdbcIdempotencyStore.builder(Database.pool())
                .schema(schema)
                .createSchema()
                .build();
    }

    private static String described(JdbcIdempotencyStore store) {
        return StoredFormat.describe(store, store.inbox(), store.versionGuard());
    }

    /** Every row as an INSERT on one line. */
    private List<String> rows() {
        return jdbi.withHandle(handle -> {
            var rows = new ArrayList<String>();
            for (String table : List.of(NAME, NAME + "_audit", NAME + "_inbox", NAME + "_version")) {
                List<String> columns = columns(handle, table);
                String values = columns.stream()
                        .map(column -> "quote_nullable(\"" + column + "\"::text)")
                        .collect(Collectors.joining(" || ', ' || "));
                String names = columns.stream().map(name -> '"' + name + '"').collect(Collectors.joining(", "));
                handle.createQuery("SELECT " + values + " FROM \"" + schema + "\".\"" + table + "\" ORDER BY 1")
                        .mapTo(String.class)
                        .forEach(row -> rows.add("INSERT INTO \"${schema}\".\"" + table + "\" (" + names
                                + ") OVERRIDING SYSTEM VALUE VALUES (" + row + ")"));
            }
            return rows;
        });
    }

    private List<String> columns(Handle handle, String table) {
        return handle.createQuery("SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND"
                        + " table_name = ? AND is_generated = 'NEVER' ORDER BY ordinal_position")
                .bind(0, schema)
                .bind(1, table)
                .mapTo(String.class)
                .list();
    }

    private static List<String> withoutTimes(List<String> rows) {
        return rows.stream()
                .map(row -> row.replaceAll("'\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d[^']*'", "'time'"))
                .toList();
    }

    private static String withoutTokens(String row, List<AttemptToken> tokens) {
        return tokens.stream()
                .map(AttemptToken::value)
                .reduce(row, (left, token) -> left.replace(token, "f".repeat(32)));
    }

    /** A change here is a change of the format: a version of its own once one was released. */
    @Test
    @Order(1)
    void newestFormat_isWrittenAsItIsKept() throws IOException {
        var store = store();
        List<AttemptToken> tokens = StoredFormat.fill(store, store.inbox(), store.versionGuard());
        List<String> rows =
                rows().stream().map(row -> withoutTokens(row, tokens)).toList();
        String script = script("schema.sql");
        if (Boolean.getBoolean("stored.format.write")) {
            Files.createDirectories(file(NEWEST, "rows.sql").getParent());
            Files.writeString(file(NEWEST, "schema.sql"), script);
            Files.write(file(NEWEST, "rows.sql"), rows);
            Files.writeString(file(NEWEST, "reads.txt"), described(store));
        }

        assertThat(script).isEqualTo(Files.readString(file(NEWEST, "schema.sql")));
        assertThat(withoutTimes(rows)).isEqualTo(withoutTimes(Files.readAllLines(file(NEWEST, "rows.sql"))));
    }

    private static String script(String name) throws IOException {
        try (var in = Schema.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void format_asItIsKept_isReadAndGoesOn(int format) throws Exception {
        String script = Files.readString(file(format, "schema.sql"))
                .replace("${schema}", schema)
                .replace("${table}", NAME);
        List<String> rows = Files.readAllLines(file(format, "rows.sql"));
        jdbi.useHandle(handle -> {
            handle.createScript(script).execute();
            try (Statement statement = handle.getConnection().createStatement()) {
                for (String row : rows) {
                    statement.execute(row.replace("${schema}", schema));
                }
            }
        });

        assertThat(described(store())).isEqualTo(Files.readString(file(format, "reads.txt")));
    }
}

package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.store.UnknownFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SchemaTest {
    private final String schema = Database.schema();
    private final Jdbi jdbi = Jdbi.create(Database.pool());

    private JdbcIdempotencyStore.Builder builder() {
        return JdbcIdempotencyStore.builder(Database.pool()).schema(schema);
    }

    @Test
    void open_withoutTable_saysWhatToDo() {
        assertThatThrownBy(() -> builder().build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("There is no table \"" + schema + "\".\"idempotency_record\"")
                .hasMessageContaining("createSchema()");
    }

    @Test
    void createSchema_again_changesNothing() {
        var key = Writes.key();
        builder().createSchema().build().reserve(Writes.reservation(key));

        var again = builder().createSchema().build();

        assertThat(again.find(key).record()).isNotNull();
    }

    @Test
    void createSchema_byManyAtOnce_isDoneOnce() throws Exception {
        var threads = Executors.newFixedThreadPool(8);
        try {
            var all = threads.invokeAll(IntStream.range(0, 8)
                    .mapToObj(i -> (Callable<Object>) builder()::createSchema)
                    .toList());
            for (var each : all) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }

        assertThat(builder().build().reserve(Writes.reservation(Writes.key())).applied())
                .isTrue();
    }

    @Test
    void table_withAnotherName_isTheOneUsed() {
        var named = builder().table("write_once_2").createSchema().build();
        named.reserve(Writes.reservation(Writes.key()));

        assertThat(count("write_once_2")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a b",
                "Records",
                "1st",
                "r\"; DROP TABLE x; --",
                "a23456789012345678901234567890123456789012345678901234567890"
            })
    void table_withAnUnsafeName_isRefused(String name) {
        assertThatThrownBy(() -> builder().table(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("table is \"" + name + "\"");
    }

    @Test
    void createSchema_overATableOfSomebodyElse_isRefused() {
        jdbi.useHandle(handle -> handle.execute("CREATE TABLE " + schema + ".idempotency_record (id int)"));

        assertThatThrownBy(() -> builder().createSchema())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not a table of this library");
    }

    @Test
    void createSchema_onAnOlderVersion_bringsItForwardAndKeepsTheRecords() {
        var key = Writes.key();
        builder().createSchema().build().reserve(Writes.reservation(key));
        List<String> two = List.of("schema.sql", "forward.sql");

        builder().createSchema(two);

        var table = new Table(schema, "idempotency_record", false);
        int version =
                jdbi.withHandle(handle -> new Schema(table, two).version(handle).orElseThrow());
        assertThat(version).isEqualTo(2);
        assertThat(columns("idempotency_record")).contains("added_in_2");
        var opened = builder().build();
        assertThat(opened.find(key).record()).isNotNull();
        assertThat(opened.reserve(Writes.reservation(Writes.key())).applied())
                .as("the older library goes on beside the newer schema")
                .isTrue();
    }

    @Test
    void open_onAnOlderVersion_saysWhatToDo() {
        builder().createSchema();
        jdbi.useHandle(handle -> handle.execute(
                "COMMENT ON TABLE " + schema + ".idempotency_record IS 'idempotency records, schema version 0'"));

        assertThatThrownBy(() -> builder().build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("has schema version 0")
                .hasMessageContaining("needs 1");
    }

    @Test
    void open_onAVersionThatNeedsANewerLibrary_saysWhatToDo() {
        builder().createSchema();
        jdbi.useHandle(handle -> handle.execute("COMMENT ON TABLE " + schema
                + ".idempotency_record IS 'idempotency records, schema version 7, for libraries that know version 6'"));

        assertThatThrownBy(() -> builder().build())
                .isInstanceOf(UnknownFormatException.class)
                .hasMessageContaining("idempotency_record")
                .hasMessageContaining("update this process");
        assertThatThrownBy(() -> builder().createSchema()).isInstanceOf(UnknownFormatException.class);
    }

    @Test
    void open_onANewerVersionForThisLibraryToo_goesOn() {
        builder().createSchema();
        jdbi.useHandle(handle -> handle.execute("COMMENT ON TABLE " + schema
                + ".idempotency_record IS 'idempotency records, schema version 7, for libraries that know version 1'"));

        var store = builder().createSchema().build();

        assertThat(store.reserve(Writes.reservation(Writes.key())).applied()).isTrue();
    }

    @Test
    void script_thatFails_leavesNothingBehind() {
        assertThatThrownBy(() -> builder().createSchema(List.of("schema.sql", "failing.sql")));

        assertThatThrownBy(() -> builder().build()).hasMessageContaining("There is no table");
    }

    /** Two scripts, because users copy them; one schema. */
    @Test
    void scriptByDay_isTheOtherOneWithADay() {
        var script = script("schema.sql")
                .replaceFirst("of the schema\\.", "of the schema, partitioned by the day of the key.")
                .replaceFirst("\\(\n", "(\n    day                   date             NOT NULL,\n")
                .replaceFirst(
                        "PRIMARY KEY \\(scope, key\\)\n\\);",
                        "PRIMARY KEY (day, scope, key)\n) PARTITION BY RANGE (day);");

        assertThat(script("schema-by-day.sql")).isEqualTo(script);
    }

    private static String script(String resource) {
        return Schema.script(resource, new Table("the_schema", "the_table", false));
    }

    private List<String> columns(String table) {
        return jdbi.withHandle(handle -> handle.createQuery("SELECT column_name FROM information_schema.columns WHERE"
                        + " table_schema = ? AND table_name = ? ORDER BY ordinal_position")
                .bind(0, schema)
                .bind(1, table)
                .mapTo(String.class)
                .collect(Collectors.toCollection(ArrayList::new)));
    }

    private int count(String table) {
        return jdbi.withHandle(handle -> handle.createQuery("SELECT count(*) FROM " + schema + "." + table)
                .mapTo(Integer.class)
                .one());
    }
}

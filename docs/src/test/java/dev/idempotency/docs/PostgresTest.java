package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What the guide on PostgreSQL says, on a real one. */
final class PostgresTest {
    /** As careless as a server can be, to see what the store says of it. */
    private static final PostgresServer SERVER =
            PostgresServer.start(Map.of("fsync", "off", "full_page_writes", "off", "synchronous_commit", "off"));

    private static final Markdown GUIDE = Markdown.of("docs/postgresql.md");

    @AfterAll
    static void stop() {
        SERVER.close();
    }

    @Test
    void columnsAndIndexes_areThoseOfTheTable() {
        PostgresSnippets.open(SERVER.dataSource()).close();
        Jdbi jdbi = Jdbi.create(SERVER.dataSource());

        List<List<String>> columns = jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
                                + " WHERE a.attrelid = 'idempotency_record'::regclass AND a.attnum > 0 ORDER BY a.attnum")
                .map((row, context) ->
                        List.of(row.getString(1), row.getString(2).replace("timestamp with time zone", "timestamptz")))
                .list());
        assertThat(GUIDE.table("Column", "Type", "What it holds").stream().map(row -> row.subList(0, 2)))
                .isEqualTo(columns);
        List<String> indexes = jdbi.withHandle(
                handle -> handle.createQuery("SELECT replace(indexname, 'idempotency_record', '') FROM pg_indexes"
                                + " WHERE tablename = 'idempotency_record'")
                        .mapTo(String.class)
                        .list());
        assertThat(indexes).containsExactlyInAnyOrder("_pkey", "_purge", "_unresolved");
        assertThat(GUIDE.table("Index", "On", "For").stream().map(row -> row.get(0)))
                .containsExactly("primary key", "_purge", "_unresolved");
    }

    /** The one row about a standby has a test in the store's own module. */
    @Test
    void settings_thatTheTableCallsLossy_areThoseThatTheProbeFinds() {
        var store = JdbcIdempotencyStore.builder(SERVER.dataSource())
                .table("probed")
                .createSchema()
                .build();
        List<String> found = store.probes().get(0).reasons().stream()
                .map(reason -> reason.replaceFirst(" is off:.*", "=off"))
                .toList();
        Pattern setting = Pattern.compile("\\w+=off");

        List<String> told = GUIDE.table("Found", "Store class", "Why").stream()
                .filter(row -> row.get(1).equals("LOSSY"))
                .flatMap(row -> setting.matcher(row.get(0)).results().map(MatchResult::group))
                .toList();

        assertThat(told).containsExactlyInAnyOrderElementsOf(found);
    }

    @Test
    void tests_thatTheGuideNames_exist() {
        for (List<String> row : GUIDE.table("What happens", "Seen", "Test")) {
            assertThat(Markdown.ROOT.resolve(
                            "idempotency-jdbc/src/test/java/dev/idempotency/jdbc/" + row.get(2) + ".java"))
                    .exists();
        }
    }

    @Test
    void partitions_areCreatedAndDropped() {
        assertThat(PostgresSnippets.partitions(SERVER.dataSource(), LocalDate.of(2026, 11, 22)))
                .isTrue();
    }
}

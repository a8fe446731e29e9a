package dev.idempotency.jdbc;

import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The SQL for one table. Every statement is a transaction of its own, and reads the server's clock once. */
final class Statements {
    static final String SERVER_CLOCK = "pg_catalog.clock_timestamp()";

    private static final String UNRESOLVED = "state IN ('IN_FLIGHT', 'IN_DOUBT')";

    private static final String COLUMNS =
            "generation, fingerprint_algorithm, fingerprint, state, version, token, attempt, native_key, recovery,"
                    + " when_missing, quiescence_micros, resend_within_micros, result_kind, result_codec, result,"
                    + " request_codec, request, evidence, created_at, first_sent_at, state_since, lease_until, expires_at, forget_at";

    private static final String EXPIRES_AT =
            "GREATEST(CAST(? AS timestamptz), clock.now + CAST(? AS bigint) * interval '1 microsecond')";

    private static final String WRITTEN = COLUMNS + ", purge_at";

    /** What {@link Rows#bind} binds. */
    private static final String VALUES =
            "CAST(? AS integer), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS text),"
                    + " CAST(? AS integer), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint),"
                    + " CAST(? AS bigint), CAST(? AS text), CAST(? AS text), CAST(? AS bytea), CAST(? AS text),"
                    + " CAST(? AS bytea), CAST(? AS json),"
                    + " COALESCE(CAST(? AS timestamptz), clock.now), COALESCE(CAST(? AS timestamptz), clock.now),"
                    + " COALESCE(CAST(? AS timestamptz), clock.now),"
                    + " COALESCE(CAST(? AS timestamptz), clock.now + CAST(? AS bigint) * interval '1 microsecond'), "
                    + EXPIRES_AT + ","
                    + " COALESCE(CAST(? AS timestamptz), " + EXPIRES_AT
                    + " + CAST(? AS bigint) * interval '1 microsecond'), " + EXPIRES_AT;

    /** Whether each of the values travels in an array of bytes or of text. */
    private static final List<String> VALUE_TYPES = Pattern.compile("CAST\\(\\? AS (\\w+)\\)")
            .matcher(VALUES)
            .results()
            .map(parameter -> parameter.group(1).equals("bytea") ? "bytea" : "text")
            .toList();

    private static final String VALUE_NAMES =
            IntStream.range(0, VALUE_TYPES.size()).mapToObj(i -> "v" + i).collect(Collectors.joining(", "));

    /** As {@link #VALUES}, out of a row that the parameters were unnested into. */
    private static final String NAMED_VALUES = named(VALUES);

    private static String named(String values) {
        var named = new StringBuilder();
        String[] between = values.split("\\?", -1);
        for (int i = 0; i < between.length; i++) {
            named.append(between[i]).append(i < between.length - 1 ? "i.v" + i : "");
        }
        return named.toString();
    }

    private static final String SETTINGS =
            "SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true), pg_catalog.set_config('enable_seqscan', 'off', true),"
                    + " pg_catalog.set_config('enable_hashjoin', 'off', true), pg_catalog.set_config('enable_mergejoin', 'off', true),"
                    + " pg_catalog.set_config('lock_timeout', '100ms', true); ";

    /**
     * Inserts, or does nothing. Only where nothing stands: an insert would wait for a transaction that has replaced the record
     * and is still open.
     */
    final String reserve;

    /** Replaces one version of one attempt. */
    final String replace;

    final String find;

    /**
     * Finds, reservations and replacements of many keys, each key at most once. Answers what stands of the first two, and
     * what was written. The settings, which end with it, keep its plan from reading whole tables and from being made anew
     * each time, and keep it from waiting for somebody else's transaction with so many callers behind it.
     */
    final String combined;

    /** What each of these statements answers first: which one it is. */
    final String reserveSaid;

    final String replaceSaid;
    final String findSaid;
    final String combinedSaid;

    final boolean partitioned;
    final String firstUnresolved;
    final String nextUnresolved;
    private final String withClock;

    Statements(Table table, String clockExpression) {
        String withClock = "WITH clock AS MATERIALIZED (SELECT " + clockExpression + " AS now)";
        String t = table.quoted();
        String clock = "(SELECT " + clockExpression + " AS now) clock";
        String keyIs = (table.partitioned() ? "r.day = ? AND " : "") + "r.scope = ? AND r.key = ?";
        partitioned = table.partitioned();
        reserveSaid = "reserve in " + t;
        replaceSaid = "replace in " + t;
        findSaid = "find in " + t;
        combinedSaid = "batch in " + t;
        reserve = "INSERT INTO " + t + " (" + (table.partitioned() ? "day, " : "") + "scope, key, " + WRITTEN
                + ") SELECT "
                + (table.partitioned() ? "CAST(? AS date), " : "") + "CAST(? AS text), CAST(? AS text), " + VALUES
                + " FROM " + clock + " WHERE NOT EXISTS (SELECT FROM " + t + " r WHERE " + keyIs
                + ") ON CONFLICT DO NOTHING RETURNING " + said(reserveSaid) + ", created_at AS now";
        replace = "UPDATE " + t + " r SET (" + WRITTEN + ") = ROW(" + VALUES + ") FROM " + clock + " WHERE " + keyIs
                + " AND r.token = ? AND r.version = ? RETURNING " + said(replaceSaid) + ", clock.now";
        find = withClock + " SELECT " + said(findSaid) + ", clock.now, r.scope, r.key, " + qualified("r")
                + " FROM clock LEFT JOIN " + t + " r ON " + keyIs;
        combined = SETTINGS + combined(withClock, t, table.partitioned(), said(combinedSaid));
        String unresolved = "SELECT scope, key, " + COLUMNS + " FROM " + t + " WHERE " + UNRESOLVED;
        String inOrder = " ORDER BY state_since, scope, key LIMIT ?";
        firstUnresolved = unresolved + inOrder;
        nextUnresolved = unresolved + " AND (state_since, scope, key) > (?, ?, ?)" + inOrder;
        this.withClock = withClock;
    }

    private static String combined(String withClock, String t, boolean partitioned, String said) {
        String keys = partitioned ? "day, scope, key" : "scope, key";
        String keyIs = (partitioned ? "r.day = CAST(i.day AS date) AND " : "") + "r.scope = i.scope AND r.key = i.key";
        return withClock + unnested("sought", keys, soughtTypes(partitioned))
                + unnested("reserved", keys + ", " + VALUE_NAMES, reservedTypes(partitioned))
                + unnested("expected", keys + ", " + VALUE_NAMES + ", token, version", expectedTypes(partitioned))
                + ", standing AS (SELECT r.scope, r.key, " + qualified("r") + " FROM (SELECT " + keys
                + " FROM sought UNION ALL SELECT " + keys + " FROM reserved) i JOIN " + t + " r ON " + keyIs
                + "), written AS (INSERT INTO " + t + " (" + keys + ", " + WRITTEN + ") SELECT "
                + (partitioned ? "CAST(i.day AS date), " : "") + "i.scope, i.key, " + NAMED_VALUES
                + " FROM clock, reserved i WHERE NOT EXISTS (SELECT FROM " + t + " r WHERE " + keyIs
                + ") ON CONFLICT DO NOTHING RETURNING scope, key), replaced AS (UPDATE " + t + " r SET (" + WRITTEN
                + ") = ROW(" + NAMED_VALUES + ") FROM clock, expected i WHERE " + keyIs
                + " AND r.token = i.token AND r.version = CAST(i.version AS bigint) RETURNING r.scope, r.key)"
                + " SELECT " + said + ", clock.now, false AS applied, r.scope, r.key, " + qualified("r")
                + " FROM clock LEFT JOIN standing r ON true"
                + " UNION ALL SELECT " + said + ", clock.now, true, scope, key, " + nulls() + " FROM clock, written"
                + " UNION ALL SELECT " + said + ", clock.now, true, scope, key, " + nulls() + " FROM clock, replaced";
    }

    /** With several arrays this is syntax, and always PostgreSQL's own function. */
    private static String unnested(String name, String columns, List<String> types) {
        return ", " + name + " AS (SELECT * FROM unnest("
                + types.stream().map(type -> "CAST(? AS " + type + "[])").collect(Collectors.joining(", ")) + ") AS i("
                + columns + "))";
    }

    /** The columns of what is sought in {@link #combined}, first of its three lists. */
    static List<String> soughtTypes(boolean partitioned) {
        return Collections.nCopies(partitioned ? 3 : 2, "text");
    }

    static List<String> reservedTypes(boolean partitioned) {
        return Stream.concat(soughtTypes(partitioned).stream(), VALUE_TYPES.stream())
                .toList();
    }

    static List<String> expectedTypes(boolean partitioned) {
        return Stream.concat(reservedTypes(partitioned).stream(), Stream.of("text", "text"))
                .toList();
    }

    /**
     * Locks what is due and not locked by anybody, and drops it by its place on disk. A row that was written since it was
     * found has moved, and is left alone. A partitioned table has one such statement for each partition.
     */
    String purge(String quotedTable) {
        return withClock + ", due AS MATERIALIZED (SELECT r.ctid, r.forget_at <= clock.now AS forgettable FROM "
                + quotedTable + " r, clock WHERE r.purge_at <= clock.now AND NOT " + UNRESOLVED
                + " ORDER BY r.purge_at LIMIT ? FOR UPDATE OF r SKIP LOCKED),"
                + " forgotten AS (DELETE FROM " + quotedTable
                + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE forgettable)) RETURNING 1),"
                + " dropped AS (UPDATE " + quotedTable
                + " SET result_kind = NULL, result_codec = NULL, result = NULL, purge_at = forget_at"
                + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE NOT forgettable)) RETURNING 1)"
                + " SELECT (SELECT pg_catalog.count(*) FROM forgotten) + (SELECT pg_catalog.count(*) FROM dropped)";
    }

    /** Whether a partition has anything that must be kept. */
    static String holdsLive(String quotedTable) {
        return "SELECT EXISTS (SELECT FROM " + quotedTable + " WHERE " + UNRESOLVED + ") OR EXISTS (SELECT FROM "
                + quotedTable + " WHERE forget_at > " + SERVER_CLOCK + ")";
    }

    /** Text beyond all doubt: a session that runs another statement answers something else. */
    private static String said(String statement) {
        return "CAST('" + statement + "' AS text) AS said";
    }

    private static String nulls() {
        return "NULL AS " + COLUMNS.replace(", ", ", NULL AS ");
    }

    private static String qualified(String alias) {
        return alias + "." + COLUMNS.replace(", ", ", " + alias + ".");
    }
}

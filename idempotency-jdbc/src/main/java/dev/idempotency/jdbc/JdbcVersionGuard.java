package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/** Versions in their table. Thread-safe. */
final class JdbcVersionGuard implements VersionGuard {
    private final Connections connections;
    private final String advance;
    private final String standing;
    private final String compare;
    private final String purge;

    JdbcVersionGuard(Connections connections, Table table, String time) {
        this.connections = connections;
        String t = table.quoted(table.name() + "_version");
        advance = "WITH clock AS MATERIALIZED (SELECT " + time + " AS now) INSERT INTO " + t
                + " AS standing (scope, key, number, deleted, tie_break, expires_at)"
                + " SELECT ?, ?, ?, ?, ?, now + CAST(? AS bigint) * interval '1 microsecond' FROM clock"
                + " ON CONFLICT (scope, key) DO UPDATE SET number = EXCLUDED.number, deleted = EXCLUDED.deleted,"
                + " tie_break = EXCLUDED.tie_break, expires_at = EXCLUDED.expires_at"
                + " WHERE standing.expires_at <= (SELECT now FROM clock) OR (EXCLUDED.number, EXCLUDED.deleted,"
                + " EXCLUDED.tie_break) > (standing.number, standing.deleted, standing.tie_break)";
        standing = "SELECT FROM " + t + " WHERE scope = ? AND key = ? AND number = ? AND deleted = ? AND tie_break = ?";
        compare = "SELECT CASE WHEN (told.number, told.deleted, told.tie_break) = (standing.number, standing.deleted,"
                + " standing.tie_break) THEN 1 WHEN (told.number, told.deleted, told.tie_break) > (standing.number,"
                + " standing.deleted, standing.tie_break) THEN 2 ELSE 0 END FROM " + t
                + " AS standing, (VALUES (CAST(? AS"
                + " text) COLLATE \"C\", CAST(? AS text) COLLATE \"C\", CAST(? AS bigint), CAST(? AS boolean), CAST(? AS"
                + " text) COLLATE \"C\")) AS told (scope, key, number, deleted, tie_break) WHERE standing.scope ="
                + " told.scope AND standing.key = told.key AND standing.expires_at > (SELECT " + time + ")";
        purge = "WITH due AS MATERIALIZED (SELECT scope, key FROM " + t + " WHERE expires_at <= (SELECT " + time
                + ") ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED) DELETE FROM " + t
                + " AS standing USING due WHERE standing.scope = due.scope AND standing.key = due.key";
    }

    @Override
    public Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
        long span = Bounds.positive("retention", retention);
        Verdict verdict = advance(entity, version, span);
        if (verdict != Verdict.NEWER) {
            connections.confirm("advance");
        }
        return verdict;
    }

    private Verdict advance(IdempotencyKey entity, EntityVersion version, long span) {
        return connections.plain("advance", connection -> {
            if (isNewer(connection, entity, version, span)) {
                return Verdict.NEWER;
            }
            try (PreparedStatement statement = connection.prepareStatement(standing)) {
                bind(statement, entity, version);
                try (ResultSet row = statement.executeQuery()) {
                    // Whatever else stands by now, or has just been purged, was greater.
                    return row.next() ? Verdict.SAME : Verdict.STALE;
                }
            }
        });
    }

    @Override
    public Verdict compare(IdempotencyKey entity, EntityVersion version) {
        return connections.plain("compare", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(compare)) {
                bind(statement, entity, version);
                try (ResultSet row = statement.executeQuery()) {
                    int order = row.next() ? row.getInt(1) : 2;
                    return order == 2 ? Verdict.NEWER : order == 1 ? Verdict.SAME : Verdict.STALE;
                }
            }
        });
    }

    private boolean isNewer(Connection connection, IdempotencyKey entity, EntityVersion version, long span)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(advance)) {
            statement.setLong(bind(statement, entity, version), span);
            if (statement.executeUpdate() == 0) {
                return false;
            }
            connections.requireReplicated("advance", statement.getWarnings());
            return true;
        }
    }

    private static int bind(PreparedStatement statement, IdempotencyKey entity, EntityVersion version)
            throws SQLException {
        int i = 1;
        statement.setString(i++, entity.scope());
        statement.setString(i++, entity.value());
        statement.setLong(i++, version.number());
        statement.setBoolean(i++, version.deleted());
        statement.setString(i++, version.tieBreak());
        return i;
    }

    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        return connections.plain("purge", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(purge)) {
                statement.setInt(1, limit);
                return statement.executeUpdate();
            }
        });
    }
}

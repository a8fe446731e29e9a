package dev.idempotency.jdbc;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The audit trail in its table. It is only ever inserted into and selected from. Thread-safe. */
final class Trail {
    private static final String COLUMNS =
            "id, phase, at, scope, key, version, token, generation, act, who, why, evidence, fingerprint_algorithm,"
                    + " fingerprint, detail";
    private static final String OF_KEY = "scope = ? AND key = ?";

    private final Connections connections;
    private final String insert;
    private final String standing;
    private final String page;
    private final String after;
    private final String newestFirst;

    Trail(Connections connections, Table table, String clock) {
        this.connections = connections;
        String t = table.quoted(table.name() + "_audit");
        insert = "INSERT INTO " + t + " (" + COLUMNS + ") VALUES (?, ?, " + clock
                + ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, phase) DO NOTHING RETURNING at";
        standing = "SELECT " + COLUMNS + " FROM " + t + " WHERE id = ? AND phase = ?";
        page = "SELECT " + COLUMNS + " FROM " + t + " WHERE true";
        after = " AND number < (SELECT number FROM " + t + " WHERE id = ? AND phase = ?)";
        newestFirst = " ORDER BY number DESC LIMIT ?";
    }

    AuditEntry append(AuditEntry entry) {
        Optional<AuditEntry> appended = connections.plain("append", connection -> tryAppend(connection, entry));
        return appended.orElseGet(() -> {
            connections.confirm("append");
            return connections.plain("append", connection -> standing(connection, entry));
        });
    }

    private Optional<AuditEntry> tryAppend(Connection connection, AuditEntry entry) throws SQLException {
        Fingerprint fingerprint = entry.fingerprint();
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            int i = 1;
            statement.setString(i++, entry.id());
            statement.setString(i++, entry.phase().name());
            statement.setString(i++, entry.key().scope());
            statement.setString(i++, entry.key().value());
            statement.setLong(i++, entry.version());
            statement.setString(i++, entry.token().value());
            statement.setInt(i++, entry.generation());
            statement.setString(i++, entry.act().name());
            statement.setString(i++, entry.who());
            statement.setString(i++, entry.why());
            statement.setString(i++, entry.evidence());
            statement.setString(i++, fingerprint == null ? null : fingerprint.algorithm());
            statement.setString(i++, fingerprint == null ? null : fingerprint.digest());
            statement.setString(i, entry.detail());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                connections.requireReplicated("append", statement.getWarnings());
                return Optional.of(entry.at(Rows.instant(row, "at")));
            }
        }
    }

    /** An insert waits for one of the same phase until that is committed, so the entry is there. */
    private AuditEntry standing(Connection connection, AuditEntry entry) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(standing)) {
            statement.setString(1, entry.id());
            statement.setString(2, entry.phase().name());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    throw new StoreException("The audit trail has lost an entry of act " + entry.id(), false, null);
                }
                return entry(row);
            }
        }
    }

    List<AuditEntry> page(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        String sql = page + (key == null ? "" : " AND " + OF_KEY) + (before == null ? "" : after) + newestFirst;
        return connections.plain("audit", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int i = 1;
                if (key != null) {
                    statement.setString(i++, key.scope());
                    statement.setString(i++, key.value());
                }
                if (before != null) {
                    statement.setString(i++, before.id());
                    statement.setString(i++, before.phase().name());
                }
                statement.setInt(i, limit);
                List<AuditEntry> entries = new ArrayList<>();
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        entries.add(entry(row));
                    }
                }
                return entries;
            }
        });
    }

    private static AuditEntry entry(ResultSet row) throws SQLException {
        String algorithm = row.getString("fingerprint_algorithm");
        try {
            return new AuditEntry(
                    row.getString("id"),
                    Rows.instant(row, "at"),
                    new IdempotencyKey(row.getString("scope"), row.getString("key")),
                    row.getLong("version"),
                    new AttemptToken(row.getString("token")),
                    row.getInt("generation"),
                    AuditEntry.Act.valueOf(row.getString("act")),
                    AuditEntry.Phase.valueOf(row.getString("phase")),
                    row.getString("who"),
                    row.getString("why"),
                    row.getString("evidence"),
                    algorithm == null ? null : new Fingerprint(algorithm, row.getString("fingerprint")),
                    row.getString("detail"));
        } catch (IllegalArgumentException e) {
            throw new UnknownFormatException("An entry of the audit trail", false, e);
        }
    }
}

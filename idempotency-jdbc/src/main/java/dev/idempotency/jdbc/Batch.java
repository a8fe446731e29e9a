package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.postgresql.PGConnection;

/** Steps on different keys, in one statement. For one thread. */
final class Batch {
    private final Map<IdempotencyKey, Member> members = new HashMap<>();
    private final List<Member> sought = new ArrayList<>();
    private final List<Member> reserved = new ArrayList<>();
    private final List<Member> replaced = new ArrayList<>();

    /** @param members in the order of their keys, each key once */
    Batch(List<Member> members) {
        for (Member member : members) {
            this.members.put(member.key(), member);
            List<Member> kind = member.write() == null ? sought : member.expected() == null ? reserved : replaced;
            kind.add(member);
        }
    }

    /** Answers what became of each step; nothing, or nothing in it, where only taking it by itself can tell. */
    Map<IdempotencyKey, Optional<Snapshot>> run(Connections connections, Connection connection, Statements statements)
            throws SQLException {
        if (connection.unwrap(PGConnection.class).getPrepareThreshold() < 0) {
            // A driver that is told to have all answers in binary form mixes up those of a text with two statements.
            return Map.of();
        }
        boolean partitioned = statements.partitioned;
        try (PreparedStatement statement = connection.prepareStatement(statements.combined)) {
            int i = columns(Statements.soughtTypes(partitioned), sought).bind(connection, statement, 1);
            i = columns(Statements.reservedTypes(partitioned), reserved).bind(connection, statement, i);
            columns(Statements.expectedTypes(partitioned), replaced).bind(connection, statement, i);
            statement.execute();
            // The settings answer first.
            statement.getMoreResults();
            try (ResultSet row = statement.getResultSet()) {
                if (!row.next()) {
                    throw new SQLException("a batch without an answer");
                }
                connections.requireAnswerOf(statements.combinedSaid, row.getString(1), connection, "batch");
                Map<IdempotencyKey, Optional<Snapshot>> answers = read(row);
                if (!reserved.isEmpty() || !replaced.isEmpty()) {
                    connections.requireReplicated("batch", statement.getWarnings());
                }
                return answers;
            }
        }
    }

    private static Columns columns(List<String> types, List<Member> members) throws SQLException {
        var columns = new Columns(types, members.size());
        for (Member member : members) {
            columns.nextRow();
            if (member.day() != null) {
                columns.text(member.day().toString());
            }
            columns.text(member.key().scope());
            columns.text(member.key().value());
            if (member.write() != null) {
                Rows.put(columns, member.write());
            }
            if (member.expected() != null) {
                columns.text(member.expected().token().value());
                columns.number(member.expected().version());
            }
        }
        return columns;
    }

    /** From the first row on, on which the answer stands already. */
    private Map<IdempotencyKey, Optional<Snapshot>> read(ResultSet row) throws SQLException {
        Map<IdempotencyKey, Optional<Snapshot>> answers = new HashMap<>();
        Instant now = Rows.instant(row, "now");
        do {
            if (row.getString("scope") != null) {
                var key = new IdempotencyKey(row.getString("scope"), row.getString("key"));
                answers.put(key, row.getBoolean("applied") ? written(key, now) : standing(row, now));
            }
        } while (row.next());
        for (Member member : sought) {
            answers.putIfAbsent(member.key(), Optional.of(new Snapshot(false, null, now)));
        }
        return answers;
    }

    private Optional<Snapshot> written(IdempotencyKey key, Instant now) {
        Member member = members.get(key);
        if (member == null || member.write() == null) {
            throw new IllegalStateException("a record that no step of the batch has written: " + key);
        }
        return Optional.of(new Snapshot(true, member.write().at(now), now));
    }

    /** A record that cannot be read is not the other callers' concern. */
    private static Optional<Snapshot> standing(ResultSet row, Instant now) throws SQLException {
        try {
            return Optional.of(new Snapshot(false, Rows.record(row), now));
        } catch (StoreException e) {
            return Optional.empty();
        }
    }
}

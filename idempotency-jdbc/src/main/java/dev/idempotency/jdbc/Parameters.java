package dev.idempotency.jdbc;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** The parameters of a statement, from one index on. */
final class Parameters implements Values {
    private final PreparedStatement statement;
    private int next;

    Parameters(PreparedStatement statement, int first) {
        this.statement = statement;
        this.next = first;
    }

    int next() {
        return next;
    }

    @Override
    public void text(@Nullable String value) throws SQLException {
        statement.setString(next++, value);
    }

    @Override
    public void number(@Nullable Long value) throws SQLException {
        if (value == null) {
            statement.setNull(next++, Types.BIGINT);
        } else {
            statement.setLong(next++, value);
        }
    }

    @Override
    public void bytes(byte @Nullable [] value) throws SQLException {
        statement.setBytes(next++, value);
    }

    @Override
    public void time(@Nullable Instant value) throws SQLException {
        if (value == null) {
            statement.setNull(next++, Types.TIMESTAMP_WITH_TIMEZONE);
        } else {
            statement.setObject(next++, value.atOffset(ZoneOffset.UTC));
        }
    }
}

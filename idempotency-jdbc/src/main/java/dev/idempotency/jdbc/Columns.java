package dev.idempotency.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Values of many rows, column by column, as arrays that the server unnests. Whatever is not bytes goes as text, and is cast
 * there.
 */
final class Columns implements Values {
    private final Object[][] columns;
    private final List<String> types;
    private int row = -1;
    private int column;

    Columns(List<String> types, int rows) {
        this.types = types;
        this.columns = new Object[types.size()][];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = isBytes(i) ? new byte[rows][] : new String[rows];
        }
    }

    private boolean isBytes(int index) {
        return types.get(index).equals("bytea");
    }

    Columns nextRow() {
        row++;
        column = 0;
        return this;
    }

    @Override
    @SuppressWarnings("NullAway") // arrays of the driver's have nulls in them
    public void text(@Nullable String value) {
        columns[column++][row] = value;
    }

    @Override
    public void number(@Nullable Long value) {
        text(value == null ? null : value.toString());
    }

    @Override
    @SuppressWarnings("NullAway") // arrays of the driver's have nulls in them
    public void bytes(byte @Nullable [] value) {
        columns[column++][row] = value;
    }

    /** PostgreSQL knows no sign before a year of five digits. */
    @Override
    public void time(@Nullable Instant value) {
        if (value == null) {
            text(null);
        } else {
            String time = DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(value.atOffset(ZoneOffset.UTC));
            text(time.startsWith("+") ? time.substring(1) : time);
        }
    }

    /** Sets one parameter for each column; answers the next index. */
    int bind(Connection connection, PreparedStatement statement, int first) throws SQLException {
        int i = first;
        for (int index = 0; index < columns.length; index++) {
            Array array = connection.createArrayOf(isBytes(index) ? "bytea" : "text", columns[index]);
            statement.setArray(i++, array);
        }
        return i;
    }
}

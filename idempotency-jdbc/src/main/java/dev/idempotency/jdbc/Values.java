package dev.idempotency.jdbc;

import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Takes values one by one, in the order in which {@link Statements} has them. */
interface Values {
    void text(@Nullable String value) throws SQLException;

    void number(@Nullable Long value) throws SQLException;

    void bytes(byte @Nullable [] value) throws SQLException;

    void time(@Nullable Instant value) throws SQLException;
}

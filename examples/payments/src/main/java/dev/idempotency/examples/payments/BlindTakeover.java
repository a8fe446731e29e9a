package dev.idempotency.examples.payments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;

/**
 * What most idempotency libraries do, to compare with: a record is reserved in one atomic step, others wait, a recorded charge
 * is given again. A call that throws frees its record, and a record whose lease has lapsed, because its process died, is taken
 * over: in both cases the next caller calls again, whether the provider has charged or not. Like most of them it does not
 * compare payloads, and passes no native key on. Thread-safe.
 */
final class BlindTakeover implements Callers.Charging {
    private static final String CREATE = """
            CREATE TABLE IF NOT EXISTS payments_example_blind (
                id text PRIMARY KEY, lapses_at timestamptz NOT NULL, charge text)""";
    private static final String RESERVE = """
            INSERT INTO payments_example_blind AS record (id, lapses_at)
            VALUES (?, clock_timestamp() + ? * interval '1 millisecond')
            ON CONFLICT (id) DO UPDATE SET lapses_at = excluded.lapses_at
            WHERE record.charge IS NULL AND record.lapses_at < clock_timestamp()""";
    private static final String COMPLETE = "UPDATE payments_example_blind SET charge = ? WHERE id = ?";
    private static final String FREE = "DELETE FROM payments_example_blind WHERE id = ? AND charge IS NULL";
    private static final String FIND = "SELECT charge FROM payments_example_blind WHERE id = ? AND charge IS NOT NULL";
    private static final JsonMapper JSON = new JsonMapper();

    private final HikariDataSource pool;
    private final Duration lease;
    private final Callers.Charging provider;

    /** Another caller is at it; its callers try again. */
    static final class InProgressException extends Exception {
        private static final long serialVersionUID = 1L;

        InProgressException(String id) {
            super("another caller charges " + id);
        }
    }

    /**
     * Protects calls.
     *
     * @param pool where the records are
     * @param lease longer than a call may take
     */
    BlindTakeover(HikariDataSource pool, Duration lease, Callers.Charging provider) {
        this.pool = pool;
        this.lease = lease;
        this.provider = provider;
    }

    /** An empty table. */
    static void prepare(HikariDataSource pool) throws SQLException {
        try (var connection = pool.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(CREATE);
            statement.execute("DELETE FROM payments_example_blind");
        }
    }

    @Override
    public Charge charge(Order order) throws Exception {
        if (update(RESERVE, order.id(), lease.toMillis()) == 0) {
            return recorded(order.id());
        }
        Charge charge;
        try {
            charge = provider.charge(order);
        } catch (Exception e) {
            update(FREE, order.id());
            throw e;
        }
        update(COMPLETE, JSON.writeValueAsString(charge), order.id());
        return charge;
    }

    private Charge recorded(String id) throws SQLException, InProgressException, JsonProcessingException {
        try (var connection = pool.getConnection();
                PreparedStatement statement = connection.prepareStatement(FIND)) {
            statement.setString(1, id);
            try (var row = statement.executeQuery()) {
                if (!row.next()) {
                    throw new InProgressException(id);
                }
                return JSON.readValue(row.getString(1), Charge.class);
            }
        }
    }

    private int update(String sql, Object... values) throws SQLException {
        try (var connection = pool.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}

package dev.idempotency.testkit.chaos;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * Counts the connections that are borrowed from a data source and given back, and notes each one that comes back otherwise than
 * it went out: auto-commit, read only, isolation, network timeout, catalog or schema. Many pools reset none of them, and the next
 * borrower gets the connection as it is. Thread-safe.
 *
 * @since 0.1.0
 */
public final class CheckedDataSource implements DataSource {
    private final DataSource dataSource;
    private final AtomicInteger borrowed = new AtomicInteger();
    private final AtomicInteger returned = new AtomicInteger();
    private final List<String> changed = new CopyOnWriteArrayList<>();

    /**
     * Creates a way to a data source.
     *
     * @param dataSource gives the connections
     * @throws NullPointerException if it is null
     */
    public CheckedDataSource(DataSource dataSource) {
        this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
    }

    /**
     * How many connections were handed out.
     *
     * @return since the start
     */
    public int borrowed() {
        return borrowed.get();
    }

    /**
     * How many connections were closed by whoever had borrowed them.
     *
     * @return since the start
     */
    public int returned() {
        return returned.get();
    }

    /**
     * Which connections came back changed.
     *
     * @return for each of them what it was before and is now; a snapshot
     */
    public List<String> changed() {
        return List.copyOf(changed);
    }

    @Override
    public Connection getConnection() throws SQLException {
        return lend(dataSource.getConnection());
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return lend(dataSource.getConnection(user, password));
    }

    private Connection lend(Connection connection) throws SQLException {
        Map<String, String> before = state(connection);
        borrowed.incrementAndGet();
        var open = new AtomicBoolean(true);
        return (Connection) Proxy.newProxyInstance(
                CheckedDataSource.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("close") && open.compareAndSet(true, false)) {
                        compare(before, connection);
                        returned.incrementAndGet();
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                    }
                });
    }

    private void compare(Map<String, String> before, Connection connection) throws SQLException {
        // What is closed goes to nobody else.
        if (!connection.isClosed()) {
            Map<String, String> after = state(connection);
            before.keySet().retainAll(after.keySet());
            after.keySet().retainAll(before.keySet());
            if (!after.equals(before)) {
                changed.add("went out as " + before + " and came back as " + after);
            }
        }
    }

    private static Map<String, String> state(Connection connection) throws SQLException {
        var state = new TreeMap<String, String>();
        note(state, "autoCommit", connection::getAutoCommit);
        note(state, "readOnly", connection::isReadOnly);
        note(state, "networkTimeout", connection::getNetworkTimeout);
        note(state, "catalog", connection::getCatalog);
        note(state, "isolation", connection::getTransactionIsolation);
        note(state, "schema", connection::getSchema);
        if (!connection.isClosed() && !connection.getAutoCommit()) {
            // The questions to the server have begun a transaction.
            connection.rollback();
        }
        return state;
    }

    /** A connection in a failed transaction, or to a server that is gone, cannot tell everything. */
    private static void note(Map<String, String> state, String name, Callable<?> value) {
        try {
            state.put(name, String.valueOf(value.call()));
        } catch (Exception e) {
            state.remove(name);
        }
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return dataSource.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        dataSource.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        dataSource.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return dataSource.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return dataSource.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return dataSource.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return dataSource.isWrapperFor(type);
    }
}

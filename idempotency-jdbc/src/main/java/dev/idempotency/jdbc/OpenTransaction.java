package dev.idempotency.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The connection of an open transaction that its user may do everything with but end it. */
final class OpenTransaction implements InvocationHandler {
    private static final Set<String> ENDINGS = Set.of("commit", "rollback", "close", "abort", "setAutoCommit");

    private final Connection connection;

    private OpenTransaction(Connection connection) {
        this.connection = connection;
    }

    static Connection of(Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                OpenTransaction.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                new OpenTransaction(connection));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        boolean toSavepoint = method.getName().equals("rollback") && method.getParameterCount() == 1;
        if (ENDINGS.contains(method.getName()) && !toSavepoint) {
            throw new SQLException(
                    method.getName() + " is not for the call: its transaction is committed with the record", "25000");
        }
        try {
            return method.invoke(connection, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

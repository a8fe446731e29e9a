package dev.idempotency.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.Parser;

/**
 * The connection of an open transaction that its user may do everything with but end it, and the statements that come from it.
 * What gets past it, by way of the driver's own classes, is noticed when the transaction is over.
 */
final class OpenTransaction implements InvocationHandler {
    private static final Set<String> ENDINGS = Set.of("commit", "rollback", "close", "abort", "setAutoCommit");

    /** Texts that end a transaction, whatever blanks and comments they begin with. */
    private static final Pattern ENDING = Pattern.compile(
            "(?s)(?:\\s|--[^\\n]*+(?:\\n|$)|/\\*.*?\\*/)*+"
                    + "(?:COMMIT|END|ABORT|PREPARE\\s+TRANSACTION|ROLLBACK(?!\\s+(?:(?:WORK|TRANSACTION)\\s+)?TO\\b))\\b.*",
            Pattern.CASE_INSENSITIVE);

    private final Connection connection;

    private OpenTransaction(Connection connection) {
        this.connection = connection;
    }

    static Connection of(Connection connection) {
        return proxy(Connection.class, new OpenTransaction(connection));
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(
                Proxy.newProxyInstance(OpenTransaction.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        String name = method.getName();
        boolean toSavepoint = name.equals("rollback") && method.getParameterCount() == 1;
        if (ENDINGS.contains(name) && !toSavepoint) {
            throw refused(name);
        }
        if (name.startsWith("prepare")) {
            refuseEnding(arguments);
        }
        if (name.equals("unwrap") && arguments != null && arguments[0] == Connection.class) {
            return proxy;
        }
        Object answer = run(connection, method, arguments);
        return answer instanceof Statement statement ? statement((Connection) proxy, statement) : answer;
    }

    /** Statements know their connection, too. */
    private static Statement statement(Connection of, Statement statement) {
        InvocationHandler handler = (self, method, arguments) -> {
            if (method.getName().equals("getConnection")) {
                return of;
            }
            if (method.getName().startsWith("execute") || method.getName().equals("addBatch")) {
                refuseEnding(arguments);
            }
            return run(statement, method, arguments);
        };
        if (statement instanceof CallableStatement) {
            return proxy(CallableStatement.class, handler);
        }
        return statement instanceof PreparedStatement
                ? proxy(PreparedStatement.class, handler)
                : proxy(Statement.class, handler);
    }

    private static void refuseEnding(Object @Nullable [] arguments) throws SQLException {
        if (arguments != null && arguments.length > 0 && arguments[0] instanceof String sql && ends(sql)) {
            throw refused("an SQL text that ends the transaction");
        }
    }

    /** A text may have several statements. */
    private static boolean ends(String sql) throws SQLException {
        if (ENDING.matcher(sql).matches()) {
            return true;
        }
        return sql.indexOf(';') >= 0
                && Parser.parseJdbcSql(sql, true, false, true, false, false).stream()
                        .anyMatch(
                                statement -> ENDING.matcher(statement.nativeSql).matches());
    }

    private static SQLException refused(String what) {
        return new SQLException(what + " is not for the call: its transaction is committed with the record", "25000");
    }

    private static @Nullable Object run(Object target, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

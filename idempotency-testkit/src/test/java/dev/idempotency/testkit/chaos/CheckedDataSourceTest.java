package dev.idempotency.testkit.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

final class CheckedDataSourceTest {
    /** As a pool of one that resets nothing. */
    private final Map<String, Object> settings = new HashMap<>(Map.of(
            "AutoCommit",
            true,
            "ReadOnly",
            false,
            "NetworkTimeout",
            0,
            "Catalog",
            "db",
            "TransactionIsolation",
            Connection.TRANSACTION_READ_COMMITTED,
            "Schema",
            "public"));

    private final CheckedDataSource dataSource = new CheckedDataSource(pool());

    @Test
    void connection_thatComesBackAsItWent_isOnlyCounted() throws Exception {
        Connection connection = dataSource.getConnection();
        connection.setAutoCommit(false);
        connection.setAutoCommit(true);

        assertThat(dataSource.borrowed()).isEqualTo(1);
        assertThat(dataSource.returned()).isZero();
        connection.close();
        connection.close();
        assertThat(dataSource.returned()).isEqualTo(1);
        assertThat(dataSource.changed()).isEmpty();
    }

    @Test
    void connection_changedInAnyWay_isNoted() throws Exception {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
        }
        try (Connection connection = dataSource.getConnection()) {
            connection.setReadOnly(true);
        }
        try (Connection connection = dataSource.getConnection()) {
            connection.setNetworkTimeout(Runnable::run, 10_000);
        }
        try (Connection connection = dataSource.getConnection()) {
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        }
        try (Connection connection = dataSource.getConnection()) {
            connection.setCatalog("other");
        }
        try (Connection connection = dataSource.getConnection()) {
            connection.setSchema("other");
        }

        assertThat(dataSource.changed()).hasSize(6);
        assertThat(dataSource.changed().get(2)).contains("networkTimeout=0").contains("networkTimeout=10000");
    }

    private DataSource pool() {
        return proxy(DataSource.class, (name, argument) -> proxy(Connection.class, this::set));
    }

    private Object set(String method, Object last) {
        if (method.startsWith("set")) {
            settings.put(method.substring(3), last);
            return null;
        }
        return method.equals("isClosed") ? Boolean.FALSE : settings.get(method.replaceFirst("^(get|is)", ""));
    }

    private interface Answer {
        Object to(String method, Object last);
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader() == null ? CheckedDataSourceTest.class.getClassLoader() : type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) ->
                        answer.to(method.getName(), arguments == null ? null : arguments[arguments.length - 1])));
    }
}

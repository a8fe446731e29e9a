package dev.idempotency.testkit.process;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A real Redis 7.0 in a process of its own, on a free port of the loopback interface, with an append-only file that is synced
 * with every write: what it acknowledged survives {@link #kill}. Nothing needs to be installed; it runs as root or as an
 * ordinary user, on Linux and macOS. Not thread-safe.
 *
 * <p>Needs {@code org.signal:embedded-redis} on the class path, for its binaries only; it is an optional dependency of the kit.
 *
 * @since 0.1.0
 */
public final class RedisServer implements AutoCloseable {
    private static final Duration STARTUP = Duration.ofMinutes(1);

    private static @Nullable Path binary;

    private final List<String> options;
    private final Path directory;
    private final int port;
    private Process process;

    private RedisServer(Map<String, String> settings, List<String> options) {
        this.options = options;
        this.port = freePort();
        try {
            this.directory = Files.createTempDirectory("idempotency-redis");
            var lines = new StringBuilder();
            settings.forEach((name, value) ->
                    lines.append(name).append(' ').append(value).append('\n'));
            Files.writeString(
                    directory.resolve("redis.conf"),
                    "bind 127.0.0.1\nport " + port + "\ndir " + directory + "\nlogfile " + directory.resolve("log")
                            + "\n" + lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // Whatever becomes of the test, neither a server nor its data are left behind.
        Runtime.getRuntime().addShutdownHook(new Thread(this::close));
        launch();
    }

    /**
     * Starts an empty server.
     *
     * @return a running server
     * @throws UncheckedIOException if it cannot be started
     */
    public static RedisServer start() {
        return start(Map.of());
    }

    /**
     * Starts an empty server with settings of its own, such as {@code appendfsync} or {@code replicaof}.
     *
     * @param settings lines of its configuration file, by name; win over the defaults
     * @return a running server
     * @throws UncheckedIOException if it cannot be started
     */
    public static RedisServer start(Map<String, String> settings) {
        var all = new LinkedHashMap<String, String>();
        all.put("save", "\"\"");
        all.put("appendonly", "yes");
        all.put("appendfsync", "always");
        all.putAll(settings);
        return new RedisServer(all, List.of());
    }

    /**
     * Starts a Sentinel that watches a server, and alone decides half a second after its death that a replica takes over.
     *
     * @param master a running server
     * @param name what the Sentinel calls it
     * @return a running Sentinel
     * @throws UncheckedIOException if it cannot be started
     */
    public static RedisServer sentinelOf(RedisServer master, String name) {
        var settings = new LinkedHashMap<String, String>();
        settings.put("sentinel monitor", name + " 127.0.0.1 " + master.port() + " 1");
        settings.put("sentinel down-after-milliseconds", name + " 500");
        settings.put("sentinel failover-timeout", name + " 5000");
        return new RedisServer(settings, List.of("--sentinel"));
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
     * The URI of this server.
     *
     * @return a {@code redis://} URI
     */
    public String uri() {
        return uri(port);
    }

    /**
     * The URI of this server as it is reached through another port, such as a proxy's.
     *
     * @param otherPort a port on this machine
     * @return a {@code redis://} URI
     */
    public static String uri(int otherPort) {
        return "redis://127.0.0.1:" + otherPort;
    }

    /**
     * The number of the server's process.
     *
     * @return the process id
     */
    public long pid() {
        return process.pid();
    }

    /** Kills the server as a power failure would, with {@code kill -9}. Returns when it is gone. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Starts the server again on its data, after {@link #kill}. Returns when it has read them. */
    public void restart() {
        launch();
    }

    private void launch() {
        try {
            var command = new ArrayList<String>();
            command.add(binary().toString());
            command.add(directory.resolve("redis.conf").toString());
            command.addAll(options);
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("out").toFile())
                    .start();
            long until = System.nanoTime() + STARTUP.toNanos();
            while (!isUp()) {
                if (process.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > until) {
                    throw new IOException("redis-server does not start: "
                            + Files.readString(directory.resolve("out"))
                            + (Files.exists(directory.resolve("log"))
                                    ? Files.readString(directory.resolve("log"))
                                    : ""));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while redis-server was starting", e);
        }
    }

    private boolean isUp() {
        try {
            // Whoever answers on this port need not be the server that was started for it.
            return ask("PING").equals("PONG") && ask("INFO", "server").contains("process_id:" + process.pid() + "\r");
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /**
     * Sends one command on a connection of its own, as {@code redis-cli} would.
     *
     * @param command the command and its arguments
     * @return the reply as text: of an array its elements, a line each; nothing for none; an error with its {@code -}
     * @throws UncheckedIOException if the server cannot be asked
     */
    public String ask(String... command) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            var out = new ByteArrayOutputStream();
            out.writeBytes(("*" + command.length + "\r\n").getBytes(StandardCharsets.UTF_8));
            for (var part : command) {
                var bytes = part.getBytes(StandardCharsets.UTF_8);
                out.writeBytes(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.UTF_8));
                out.writeBytes(bytes);
                out.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
            }
            socket.getOutputStream().write(out.toByteArray());
            return reply(new BufferedInputStream(socket.getInputStream()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String reply(InputStream in) throws IOException {
        var line = line(in);
        var rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+', ':' -> rest;
            case '-' -> line;
            case '$' -> {
                var length = Integer.parseInt(rest);
                if (length < 0) {
                    yield "";
                }
                var bytes = in.readNBytes(length);
                line(in);
                yield new String(bytes, StandardCharsets.UTF_8);
            }
            case '*' -> {
                var lines = new StringBuilder();
                for (var i = 0; i < Integer.parseInt(rest); i++) {
                    lines.append(i == 0 ? "" : "\n").append(reply(in));
                }
                yield lines.toString();
            }
            default -> throw new IOException("not a reply: " + line);
        };
    }

    private static String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (var next = in.read(); next != '\r'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the server has closed the connection");
            }
            line.write(next);
        }
        in.read();
        return line.toString(StandardCharsets.UTF_8);
    }

    static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static synchronized Path binary() throws IOException {
        if (binary == null) {
            var os = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
            var arch = switch (System.getProperty("os.arch")) {
                case "aarch64", "arm64" -> "arm64";
                default -> "amd64";
            };
            var name = "/redis-server-7.0.15-" + os + "-" + arch;
            try (var in = RedisServer.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new IOException(name + " is not on the class path: add org.signal:embedded-redis");
                }
                var file = Files.createTempFile("redis-server", "");
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
                if (!file.toFile().setExecutable(true)) {
                    throw new IOException(file + " cannot be made executable");
                }
                file.toFile().deleteOnExit();
                binary = file;
            }
        }
        return binary;
    }

    /** Stops the server and removes its data. */
    @Override
    public synchronized void close() {
        kill();
        if (Files.exists(directory)) {
            Directories.delete(directory);
        }
    }
}

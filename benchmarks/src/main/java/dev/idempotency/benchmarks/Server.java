package dev.idempotency.benchmarks;

import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A server to measure on: one that is started for it, or one that is there.
 *
 * @param url where it is
 * @param pid its first process; -1 where it is not one of this machine's that was started here
 * @param settings how it is set, for the report
 * @param stop stops it
 */
record Server(String url, long pid, String settings, Runnable stop) implements AutoCloseable {
    static Server postgres(@Nullable String url) {
        if (url != null) {
            return new Server(url, -1, "as it was found", () -> {});
        }
        PostgresServer server = PostgresServer.start(Map.of(
                "shared_buffers", "1GB", "max_wal_size", "4GB", "max_connections", "200", "log_min_messages", "fatal"));
        return new Server(
                server.jdbcUrl(),
                server.postmaster(),
                "fsync on, synchronous_commit on, shared_buffers 1 GB",
                server::close);
    }

    static Server redis(@Nullable String url, String appendFsync) {
        if (url != null) {
            return new Server(url, -1, "as it was found", () -> {});
        }
        RedisServer server = RedisServer.start(Map.of("appendfsync", appendFsync, "auto-aof-rewrite-percentage", "0"));
        return new Server(server.uri(), server.pid(), "append-only file, appendfsync " + appendFsync, server::close);
    }

    /** The CPU time of its processes. */
    long cpuNanos() {
        return Processor.ofServer(pid);
    }

    @Override
    public void close() {
        stop.run();
    }
}

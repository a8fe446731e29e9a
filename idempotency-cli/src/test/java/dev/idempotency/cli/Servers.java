package dev.idempotency.cli;

import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import io.lettuce.core.RedisClient;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.postgresql.ds.PGSimpleDataSource;

/** The servers that all tests of this module share, and a place on them for each test. */
final class Servers {
    private Servers() {}

    /**
     * Records of one test.
     *
     * @param store as the program has it
     * @param options where they stand, as the command line says it
     */
    record Place(AuditedStore store, List<String> options) {}

    private static final class Postgres {
        static final PostgresServer SERVER = PostgresServer.start(Map.of("fsync", "off"));

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(SERVER::close));
        }
    }

    private static final class Redis {
        static final RedisServer SERVER = RedisServer.start(Map.of("appendonly", "no"));
        static final RedisClient CLIENT = RedisClient.create(SERVER.uri());
    }

    static String jdbcUrl() {
        return Postgres.SERVER.jdbcUrl();
    }

    static Place postgres() {
        var source = new PGSimpleDataSource();
        source.setUrl(jdbcUrl());
        String table = "t" + UUID.randomUUID().toString().replace("-", "");
        var store =
                JdbcIdempotencyStore.builder(source).table(table).createSchema().build();
        return new Place(store, List.of("--jdbc-url", jdbcUrl(), "--table", table));
    }

    static Place redis() {
        String prefix = "test:" + UUID.randomUUID();
        var store = RedisIdempotencyStore.builder(Redis.CLIENT).prefix(prefix).build();
        return new Place(store, List.of("--redis-url", Redis.SERVER.uri(), "--prefix", prefix));
    }
}

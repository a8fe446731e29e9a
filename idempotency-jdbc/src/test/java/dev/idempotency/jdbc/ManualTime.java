package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** A real table whose statements take a test's clock for the server's. One at a time. */
public final class ManualTime implements IdempotencyStore {
    private static final String SCHEMA = Database.schema();
    /** Thousands of steps, none of which must outlive a crash. */
    private static final DataSource POOL =
            Database.pool(Database.server().jdbcUrl() + "&options=-csynchronous_commit=off");

    private static final Jdbi JDBI = Jdbi.create(POOL);
    private static final JdbcIdempotencyStore STORE;

    static {
        JDBI.useHandle(handle -> {
            handle.execute("CREATE TABLE " + SCHEMA + ".clock (now timestamptz NOT NULL)");
            handle.execute("INSERT INTO " + SCHEMA + ".clock VALUES (now())");
            handle.execute(
                    "CREATE FUNCTION " + SCHEMA + ".now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now"
                            + " FROM " + SCHEMA + ".clock'");
        });
        STORE = JdbcIdempotencyStore.builder(POOL)
                .schema(SCHEMA)
                .clock(SCHEMA + ".now()")
                .createSchema()
                .build();
    }

    private final InstantSource clock;
    private @Nullable Instant told;

    public ManualTime(InstantSource clock) {
        this.clock = clock;
        JDBI.useHandle(handle -> handle.execute("TRUNCATE " + SCHEMA + ".idempotency_record"));
    }

    private IdempotencyStore store() {
        Instant now = clock.instant();
        if (!now.equals(told)) {
            JDBI.useHandle(
                    handle -> handle.execute("UPDATE " + SCHEMA + ".clock SET now = ?", now.atOffset(ZoneOffset.UTC)));
            told = now;
        }
        return STORE;
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.DURABLE;
    }

    @Override
    public Snapshot reserve(Write write) {
        return store().reserve(write);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        return store().replace(expected, write);
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return store().find(key);
    }

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        return store().listUnresolved(after, limit);
    }

    @Override
    public int purge(int limit) {
        return store().purge(limit);
    }
}

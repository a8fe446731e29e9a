package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.StoreClass;
import dev.idempotency.testkit.ForwardingStore;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** A real table whose statements take a test's clock for the server's. One at a time. */
public final class ManualTime extends ForwardingStore {
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
        super(STORE);
        this.clock = clock;
        JDBI.useHandle(handle -> handle.execute("TRUNCATE " + SCHEMA + ".idempotency_record"));
    }

    @Override
    protected IdempotencyStore store() {
        Instant now = clock.instant();
        if (!now.equals(told)) {
            JDBI.useHandle(
                    handle -> handle.execute("UPDATE " + SCHEMA + ".clock SET now = ?", now.atOffset(ZoneOffset.UTC)));
            told = now;
        }
        return super.store();
    }

    @Override
    public StoreClass storeClass() {
        return StoreClass.DURABLE;
    }
}

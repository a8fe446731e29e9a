package dev.idempotency.jdbc;

import dev.idempotency.Attempt;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/**
 * A table of bookings beside the records, and any number of "processes" that write to both in one transaction. A commit of a
 * booking waits while {@link #holdCommits} is in force.
 */
final class Bookings implements AutoCloseable {
    record Order(String id, int amount) {}

    record Booking(int id, int amount) {}

    static final Order ORDER = new Order("o-1", 100);
    static final IdempotencyKey KEY = new IdempotencyKey("book", "o-1");
    static final Duration LEASE = Duration.ofMillis(400);

    private static final Duration DEADLINE = Duration.ofSeconds(60);

    final String schema;
    final JdbcIdempotencyStore store;
    final Jdbi jdbi;
    /** Another one: a thread that is in a transaction of a Jdbi gets that transaction again and again. */
    final Jdbi outside;

    final Queue<IdempotencyEvent> events = new ConcurrentLinkedQueue<>();

    private final List<Idempotency> instances = new ArrayList<>();

    private Bookings(DataSource dataSource, DataSource direct, String schema) {
        this.jdbi = Jdbi.create(direct);
        this.outside = Jdbi.create(direct);
        this.schema = schema;
        this.store = JdbcIdempotencyStore.builder(dataSource).schema(schema).build();
    }

    /** On a schema of its own. */
    static Bookings open() {
        return open(Database.pool());
    }

    /** On a schema of its own, which the store reaches in some way. */
    static Bookings open(DataSource way) {
        String schema = Database.schema();
        JdbcIdempotencyStore.builder(Database.pool()).schema(schema).createSchema();
        Jdbi.create(Database.pool()).useHandle(handle -> {
            handle.execute("CREATE TABLE " + schema + ".booking (id serial PRIMARY KEY, order_id text NOT NULL, amount"
                    + " integer NOT NULL, account text UNIQUE DEFERRABLE INITIALLY DEFERRED)");
            handle.execute("CREATE FUNCTION " + schema + ".held() RETURNS trigger LANGUAGE plpgsql AS"
                    + " 'BEGIN PERFORM pg_advisory_xact_lock_shared(" + lock(schema) + "); RETURN NULL; END'");
            handle.execute("CREATE CONSTRAINT TRIGGER held AFTER INSERT ON " + schema + ".booking DEFERRABLE INITIALLY"
                    + " DEFERRED FOR EACH ROW EXECUTE FUNCTION " + schema + ".held()");
        });
        return new Bookings(way, Database.pool(), schema);
    }

    /** On a schema that another process has set up. */
    static Bookings in(DataSource way, String schema) {
        return new Bookings(way, way, schema);
    }

    private static int lock(String schema) {
        return schema.hashCode();
    }

    Operation.Builder<Order, Booking> book() {
        return book(store);
    }

    Operation.Builder<Order, Booking> book(IdempotencyStore on) {
        var instance = Idempotency.builder(on).listener(events::add).build();
        instances.add(instance);
        return instance.operation("book", Order.class, Booking.class).key(Order::id);
    }

    /** An attempt of this operation is taken for dead soon. */
    Operation.Builder<Order, Booking> shortLived() {
        return book().lease(LEASE).callTimeout(Duration.ofMillis(10)).waitAtMost(DEADLINE);
    }

    Operation<Order, Booking> booking() {
        return book().lease(LEASE).waitAtMost(DEADLINE).callingInTransactionOf(store, this::insert);
    }

    Booking insert(Order order, Attempt attempt, Handle handle) {
        int id = handle.createQuery("INSERT INTO " + schema + ".booking (order_id, amount) VALUES (?, ?) RETURNING id")
                .bind(0, order.id())
                .bind(1, order.amount())
                .mapTo(Integer.class)
                .one();
        return new Booking(id, order.amount());
    }

    /** The bookings that are committed. */
    List<Integer> committed() {
        return outside.withHandle(handle -> handle.createQuery("SELECT id FROM " + schema + ".booking ORDER BY id")
                .mapTo(Integer.class)
                .list());
    }

    IdempotencyRecord record() {
        return Objects.requireNonNull(store.find(KEY).record(), "record");
    }

    List<IdempotencyEvent.Type> happened() {
        return events.stream().map(IdempotencyEvent::type).toList();
    }

    /** Keeps every transaction that has booked something in its commit, until it is closed. */
    Handle holdCommits() {
        Handle handle = jdbi.open();
        handle.execute("SELECT pg_advisory_lock(" + lock(schema) + ")");
        return handle;
    }

    void letCommit(Handle held) {
        held.execute("SELECT pg_advisory_unlock(" + lock(schema) + ")");
        held.close();
    }

    /** The backend that waits in its commit. */
    int awaitHeldCommit() {
        awaitTrue("a commit that waits", () -> !heldCommits().isEmpty());
        return heldCommits().get(0);
    }

    private List<Integer> heldCommits() {
        return outside.withHandle(handle -> handle.createQuery(
                        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ?")
                .bind(0, Integer.toUnsignedLong(lock(schema)))
                .mapTo(Integer.class)
                .list());
    }

    /** Somebody waits for the row of the record. */
    void awaitWaitForRow() {
        awaitTrue(
                "a statement that waits for the record's row",
                () -> outside.withHandle(handle -> handle.createQuery(
                                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ?")
                                .bind(0, "%UPDATE \"" + schema + "\"%")
                                .mapTo(Integer.class)
                                .one()
                        > 0));
    }

    void awaitLapse() {
        awaitTrue("the lease to lapse", () -> {
            var now = store.find(KEY);
            return Objects.requireNonNull(now.record()).isLapsed(now.now());
        });
    }

    static void awaitTrue(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("never came: " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        instances.forEach(Idempotency::close);
    }
}

package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.store.AsyncStore;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.store.UnknownFormatException;
import dev.idempotency.store.WakingStore;
import dev.idempotency.store.Write;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records on PostgreSQL 14 or later. Thread-safe, and shared by all processes that use the same table.
 *
 * <p>Every step is one statement in a transaction of its own, on a connection of its own: nothing that the caller's
 * transaction does undoes a reservation. Only steps of very many callers share their statements. Times are the server's. Give the store a small pool of its own; a caller that holds
 * a connection while the store waits for another one of the same pool can wait for itself.
 *
 * <p>A call whose effect is in the same database can write it in one transaction with its record: one of the store's own
 * ({@link Operation.Builder#callingInTransactionOf}), or one of the caller's ({@link #joining(Handle, Joining)}).
 *
 * @since 0.1.0
 */
public final class JdbcIdempotencyStore implements TransactionalStore<Handle>, AsyncStore, WakingStore, AuditedStore {
    private static final Logger LOG = LoggerFactory.getLogger(JdbcIdempotencyStore.class);
    /** A competing insert that is just being committed is not visible yet; one more look finds it. */
    private static final int LOOKS = 100;

    private static final int MOST_UNREADABLE = 1_000;

    /**
     * What is run in a transaction of the caller's.
     *
     * @param <R> what comes out
     * @param <X> what it may throw
     */
    @FunctionalInterface
    public interface Joining<R extends @Nullable Object, X extends Exception> {
        /**
         * Runs it.
         *
         * @return what comes out
         * @throws X if it failed
         */
        R run() throws X;
    }

    private final Connections connections;
    private final Transactions transactions;
    private final Table table;
    private final @Nullable Function<IdempotencyKey, LocalDate> dayOf;
    private final Statements statements;
    private final Trail trail;
    private final InboxStore inbox;
    private final VersionGuard versionGuard;
    private final JdbcProbe probe;
    private final @Nullable WakeUps wakeUps;
    private final Batches batches;

    /** Unresolved records that nobody is warned of again. */
    private final Set<Place> unreadable = ConcurrentHashMap.newKeySet();

    /** What an open transaction of this store's has ended the attempt of. */
    private final Map<Handle, IdempotencyKey> endings = new ConcurrentHashMap<>();

    private JdbcIdempotencyStore(
            Connections connections,
            Table table,
            @Nullable Function<IdempotencyKey, LocalDate> dayOf,
            Statements statements,
            Trail trail,
            InboxStore inbox,
            VersionGuard versionGuard,
            JdbcProbe probe,
            @Nullable WakeUps wakeUps,
            int singleSteps,
            ThreadFactory threads) {
        this.connections = connections;
        this.transactions = new Transactions(connections);
        this.table = table;
        this.dayOf = dayOf;
        this.statements = statements;
        this.trail = trail;
        this.inbox = inbox;
        this.versionGuard = versionGuard;
        this.probe = probe;
        this.wakeUps = wakeUps;
        this.batches = new Batches(connections, statements, singleSteps, threads);
    }

    /**
     * A store on the table {@code idempotency_record}, as it is found on the search path.
     *
     * @param dataSource gives connections to the primary, not bound to any transaction of the caller
     * @return a store with the default settings
     * @throws IllegalStateException as {@link Builder#build} says
     * @throws StoreException if the server cannot be asked
     * @throws NullPointerException if {@code dataSource} is null
     */
    public static JdbcIdempotencyStore create(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /**
     * Describes a store.
     *
     * @param dataSource gives connections to the primary, not bound to any transaction of the caller
     * @return a builder with the default settings
     * @throws NullPointerException if {@code dataSource} is null
     */
    public static Builder builder(DataSource dataSource) {
        return new Builder(dataSource);
    }

    /** Settings of a store. Not thread-safe. */
    public static final class Builder {
        private final DataSource dataSource;
        private @Nullable String schema;
        private String table = "idempotency_record";
        private Duration timeout = Duration.ofSeconds(10);
        private boolean standbysAreNeverPromoted;
        private @Nullable Function<IdempotencyKey, LocalDate> dayOf;
        private String clock = Statements.SERVER_CLOCK;
        private @Nullable DataSource wakeUps;
        private int singleSteps = 16;
        private ThreadFactory threads = Batches::thread;

        private Builder(DataSource dataSource) {
            this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
        }

        /**
         * Sets the schema of the table. Without it the first one on the search path that has the table is taken, or the
         * current schema when the table is still to be created.
         *
         * @param name letters, digits, underscores, hyphens and dots, as the schema was created, upper and lower case being
         *     different
         * @return this
         * @throws IllegalArgumentException if the name has anything else, or more than 63 bytes
         * @throws NullPointerException if {@code name} is null
         */
        public Builder schema(String name) {
            schema = Table.requireSchema(name);
            return this;
        }

        /**
         * Sets the name of the table, {@code idempotency_record} by default.
         *
         * @param name lower-case letters, digits and underscores
         * @return this
         * @throws IllegalArgumentException if the name has anything else, or more than 40 characters
         * @throws NullPointerException if {@code name} is null
         */
        public Builder table(String name) {
            table = Table.requireName("table", name, Table.MAX_NAME);
            return this;
        }

        /**
         * Sets how long a statement may go without an answer, 10 seconds by default. A connection that has a network
         * timeout of its own keeps it.
         *
         * @param value from 1 second to 10 minutes
         * @return this
         * @throws IllegalArgumentException if it is out of range
         * @throws NullPointerException if {@code value} is null
         */
        public Builder timeout(Duration value) {
            if (value.compareTo(Duration.ofSeconds(1)) < 0 || value.compareTo(Duration.ofMinutes(10)) > 0) {
                throw new IllegalArgumentException("timeout is " + value + "; it must be from PT1S to PT10M");
            }
            timeout = value;
            return this;
        }

        /**
         * Says that no asynchronous standby of this server will ever take its place, so that one that is connected does not
         * make the store {@link StoreClass#LOSSY}.
         *
         * @return this
         */
        public Builder standbysAreNeverPromoted() {
            standbysAreNeverPromoted = true;
            return this;
        }

        /**
         * Uses a table that is partitioned by day, where a day's records go with its partition. Only for keys that tell
         * their day by themselves, such as those with a date or a UUID of version 7 in them. A step on a key for which the
         * function throws, or answers null, is a {@link StoreException} that is not retryable; nothing was sent.
         *
         * @param day the day of a key; must always be the same for the same key, and never null
         * @return this
         * @throws NullPointerException if {@code day} is null
         */
        public Builder partitionedByDay(Function<IdempotencyKey, LocalDate> day) {
            dayOf = Objects.requireNonNull(day, "day");
            return this;
        }

        /**
         * Lets runs that wait for an attempt of another process be told when it ends, by LISTEN and NOTIFY. Without this
         * they look from time to time. All processes of the table must have it; one that has not tells nobody.
         *
         * <p>One connection is taken out and kept, in a daemon thread, from the first reservation or wait on until there was
         * neither for a minute. It must lead to the primary, and not through a proxy that shares connections between
         * transactions, such as PgBouncer's transaction pooling.
         *
         * @param value gives that connection; the data source of the store will do, if its pool has one more for this
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder wakeUps(DataSource value) {
            wakeUps = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Sets how many steps at once go to the server each by itself, 16 by default. Steps of more callers than that are
         * gathered, up to 128 in one statement. Set it to the number of connections that the store's pool has.
         *
         * @param value from 0, which gathers always; {@link Integer#MAX_VALUE} never does
         * @return this
         * @throws IllegalArgumentException if it is negative
         * @apiNote Experimental: may change or go in any version.
         */
        public Builder singleSteps(int value) {
            if (value < 0) {
                throw new IllegalArgumentException("singleSteps is " + value + "; it must not be negative");
            }
            singleSteps = value;
            return this;
        }

        /** For tests in which threads cannot be had. */
        Builder threads(ThreadFactory factory) {
            threads = factory;
            return this;
        }

        /** For tests that make time pass. */
        Builder clock(String expression) {
            clock = expression;
            return this;
        }

        /**
         * Creates the table, or brings an older one forward, now. Needs the right to create tables; a database whose schema
         * is kept by Flyway or Liquibase does not need it. Of many processes that do so at once, one does it.
         *
         * @return this
         * @throws IllegalStateException if there is a table of that name that is not the library's
         * @throws StoreException if the server refused
         */
        public Builder createSchema() {
            return createSchema(scripts());
        }

        Builder createSchema(List<String> scripts) {
            var connections = new Connections(dataSource, timeout);
            connections.notice();
            var created = new Schema(resolve(connections), scripts);
            connections.jdbi("create schema", created::create);
            return this;
        }

        /**
         * Asks the server for its version, durability and role, and for the table's version, and makes the store.
         *
         * @return a store
         * @throws IllegalStateException if the server is older than 14, a standby, or read only by default; or if the table
         *     is missing, not the library's, of an older version, or not to be read and written by the account
         * @throws StoreException if the server cannot be asked; an {@link UnknownFormatException} if the table is of a version
         *     that this library is too old for
         */
        public JdbcIdempotencyStore build() {
            var connections = new Connections(dataSource, timeout);
            connections.notice();
            JdbcProbe server = connections.jdbi("probe", handle -> JdbcProbe.ask(handle, standbysAreNeverPromoted));
            Table found = resolve(connections);
            requireVersion(found, connections);
            JdbcProbe probe = server.and(connections.jdbi("probe", handle -> TableProbe.reasons(handle, found)));
            probe.reasons().forEach(reason -> LOG.warn("PostgreSQL may lose acknowledged writes: {}", reason));
            return new JdbcIdempotencyStore(
                    connections,
                    found,
                    dayOf,
                    new Statements(found, clock),
                    new Trail(connections, found, clock),
                    new JdbcInbox(connections, found, clock),
                    new JdbcVersionGuard(connections, found, clock),
                    probe,
                    wakeUps == null ? null : new WakeUps(new Connections(wakeUps, timeout), connections, found),
                    singleSteps,
                    threads);
        }

        private List<String> scripts() {
            return dayOf == null ? Schema.SCRIPTS : Schema.BY_DAY_SCRIPTS;
        }

        /** Resolved once: another session's search path may differ. */
        private Table resolve(Connections connections) {
            if (schema != null) {
                return new Table(schema, table, dayOf != null);
            }
            Optional<String> found = connections.jdbi(
                    "probe",
                    handle -> handle.createQuery(
                                    "SELECT COALESCE((SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
                                            + " c.relnamespace WHERE c.oid = pg_catalog.to_regclass(:table)), pg_catalog.current_schema())")
                            .bind("table", table)
                            .mapTo(String.class)
                            .findOne());
            return new Table(
                    found.orElseThrow(() -> new IllegalStateException(
                            "No schema on the search path exists; name one with schema(...)")),
                    table,
                    dayOf != null);
        }

        private void requireVersion(Table table, Connections connections) {
            var schema = new Schema(table, scripts());
            int version = connections
                    .jdbi("probe", schema::version)
                    .orElseThrow(() -> new IllegalStateException("There is no table " + table.quoted()
                            + "; create it with createSchema(), or with the script that comes with the library"));
            if (version < schema.newest()) {
                throw new IllegalStateException("The table " + table.quoted() + " has schema version " + version
                        + "; this library needs " + schema.newest() + ". Bring it forward with createSchema()");
            }
        }
    }

    /**
     * What the server said of itself when this store was built.
     *
     * @return one report, of the primary
     */
    public List<JdbcProbe> probes() {
        return List.of(probe);
    }

    Table table() {
        return table;
    }

    @Override
    public StoreClass storeClass() {
        return probe.storeClass();
    }

    @Override
    public Snapshot reserve(Write write) {
        IdempotencyKey key = write.next().key();
        if (wakeUps != null) {
            wakeUps.needed();
        }
        Connection joined = transactions.joined();
        if (joined != null) {
            // What the joined transaction has completed itself, no other connection sees.
            Snapshot standing = find(joined, key);
            return standing.record() != null ? standing : reserveAlone(key, write);
        }
        return batches.take(() -> member(key, null, write), () -> reserveAlone(key, write));
    }

    @Override
    public CompletionStage<Snapshot> reserveAsync(Write write) {
        IdempotencyKey key = write.next().key();
        if (isJoined()) {
            return now(() -> reserve(write));
        }
        if (wakeUps != null) {
            wakeUps.needed();
        }
        return batches.start(() -> member(key, null, write), () -> reserveAlone(key, write));
    }

    /** Another thread has not joined what this one has. */
    private static CompletionStage<Snapshot> now(Supplier<Snapshot> step) {
        try {
            return CompletableFuture.completedFuture(step.get());
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private Member member(IdempotencyKey key, @Nullable IdempotencyRecord expected, @Nullable Write write) {
        return new Member(key, dayOf == null ? null : Partitions.day(key, dayOf), expected, write);
    }

    private Snapshot reserveAlone(IdempotencyKey key, Write write) {
        for (int looks = 1; looks <= LOOKS; looks++) {
            Optional<Snapshot> snapshot =
                    connections.plain("reserve", connection -> tryReserve(connection, key, write));
            if (snapshot.isPresent()) {
                return snapshot.get().applied() ? snapshot.get() : confirmed(snapshot.get());
            }
        }
        throw new StoreException("reserve met a record of " + key + " that it could not see", false, null);
    }

    private Optional<Snapshot> tryReserve(Connection connection, IdempotencyKey key, Write write) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(statements.reserve)) {
            int i = Rows.bind(statement, Rows.bindKey(statement, 1, key, dayOf), write);
            Rows.bindKey(statement, i, key, dayOf);
            try (ResultSet row = statement.executeQuery()) {
                if (row.next()) {
                    connections.requireAnswerOf(statements.reserveSaid, row.getString(1), connection, "reserve");
                    connections.requireReplicated("reserve", statement.getWarnings());
                    Instant now = Rows.instant(row, "now");
                    return Optional.of(new Snapshot(true, write.at(now), now));
                }
            }
        }
        Snapshot standing = tryFind(connection, key);
        return standing.record() == null ? Optional.empty() : Optional.of(standing);
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        Snapshot answer = isJoined()
                ? replaceAlone(expected, write)
                : batches.take(() -> member(expected.key(), expected, write), () -> replaceAlone(expected, write));
        tell(answer, expected, write);
        return answer;
    }

    @Override
    public CompletionStage<Snapshot> replaceAsync(IdempotencyRecord expected, Write write) {
        CompletableFuture<Snapshot> answer =
                batches.start(() -> member(expected.key(), expected, write), () -> replaceAlone(expected, write));
        var unused = answer.thenAccept(snapshot -> tell(snapshot, expected, write));
        return answer;
    }

    private void tell(Snapshot answer, IdempotencyRecord expected, Write write) {
        if (wakeUps != null && answer.applied() && endsAttempt(expected, write)) {
            wakeUps.ended(expected.key());
        }
    }

    private Snapshot replaceAlone(IdempotencyRecord expected, Write write) {
        Optional<Instant> written = connections.plain("replace", connection -> tryReplace(connection, expected, write));
        if (written.isPresent()) {
            return new Snapshot(true, write.at(written.get()), written.get());
        }
        Snapshot standing = findAlone(expected.key());
        IdempotencyRecord record = standing.record();
        if (record != null
                && record.version() == expected.version()
                && record.token().equals(expected.token())) {
            throw new StoreException(
                    "replace changed nothing, and what it expects is there: a trigger has kept it from it, or another"
                            + " statement has answered",
                    true,
                    null);
        }
        return standing;
    }

    /**
     * What another try of ours, or anybody else, has written is an answer only once the standby has it. Only after a commit
     * that was cut short is there anything to do.
     */
    private Snapshot confirmed(Snapshot standing) {
        if (standing.record() != null) {
            connections.confirm("confirm");
        }
        return standing;
    }

    private static boolean endsAttempt(IdempotencyRecord expected, Write write) {
        return expected.state() == State.IN_FLIGHT && write.next().state() != State.IN_FLIGHT;
    }

    private Optional<Instant> tryReplace(Connection connection, IdempotencyRecord expected, Write write)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(statements.replace)) {
            int i = Rows.bindKey(statement, Rows.bind(statement, 1, write), expected.key(), dayOf);
            statement.setString(i++, expected.token().value());
            statement.setLong(i, expected.version());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                connections.requireAnswerOf(statements.replaceSaid, row.getString(1), connection, "replace");
                connections.requireReplicated("replace", statement.getWarnings());
                return Optional.of(Rows.instant(row, "now"));
            }
        }
    }

    @Override
    public Snapshot find(IdempotencyKey key) {
        return isJoined() ? findAlone(key) : batches.take(() -> member(key, null, null), () -> findAlone(key));
    }

    @Override
    public CompletionStage<Snapshot> findAsync(IdempotencyKey key) {
        return isJoined() ? now(() -> find(key)) : batches.start(() -> member(key, null, null), () -> findAlone(key));
    }

    /** What the joined transaction has written itself, no other connection sees. */
    private Snapshot findAlone(IdempotencyKey key) {
        Connection joined = transactions.joined();
        return joined == null
                ? confirmed(connections.plain("find", connection -> tryFind(connection, key)))
                : find(joined, key);
    }

    private Snapshot find(Connection transaction, IdempotencyKey key) {
        try {
            return tryFind(transaction, key);
        } catch (SQLException e) {
            throw connections.failed("find", e);
        }
    }

    private Snapshot tryFind(Connection connection, IdempotencyKey key) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(statements.find)) {
            Rows.bindKey(statement, 1, key, dayOf);
            try (ResultSet row = statement.executeQuery()) {
                String said = row.next() ? row.getString(1) : null;
                connections.requireAnswerOf(statements.findSaid, said, connection, "find");
                return new Snapshot(
                        false, row.getString("scope") == null ? null : Rows.record(row), Rows.instant(row, "now"));
            }
        }
    }

    // ---- waiting

    /**
     * As {@link WakingStore#watch} says, if the store was built with {@link Builder#wakeUps}; else nobody is ever told. An
     * attempt that ends in a transaction which was {@link #joining(Handle, Joining) joined} is not told of.
     */
    @Override
    public Watch watch(IdempotencyKey key, Runnable wake) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(wake, "wake");
        return wakeUps == null ? () -> {} : wakeUps.watch(key, wake);
    }

    Batches batches() {
        return batches;
    }

    @Nullable
    WakeUps wakeUps() {
        return wakeUps;
    }

    // ---- transactions

    /**
     * Runs work in one READ COMMITTED transaction, whatever isolation the pool has, and commits it. The handle can do
     * everything but end the transaction.
     */
    @Override
    public <R extends @Nullable Object> R inTransaction(Work<? super Handle, R> work) throws Exception {
        Objects.requireNonNull(work, "work");
        return wakeUps == null || isJoined() ? transactions.run(work) : inTransaction(wakeUps, work);
    }

    private <R extends @Nullable Object> R inTransaction(WakeUps wakeUps, Work<? super Handle, R> work)
            throws Exception {
        var opened = new AtomicReference<Handle>();
        try {
            R result = transactions.run(transaction -> {
                opened.set(transaction);
                return work.run(transaction);
            });
            IdempotencyKey ended = endings.get(opened.get());
            if (ended != null) {
                wakeUps.ended(ended);
            }
            return result;
        } finally {
            if (opened.get() != null) {
                endings.remove(opened.get());
            }
        }
    }

    @Override
    public Snapshot replace(Handle transaction, IdempotencyRecord expected, Write write) {
        Connection connection = transaction.getConnection();
        try {
            Optional<Instant> written = tryReplace(connection, expected, write);
            if (wakeUps != null && !isJoined() && written.isPresent() && endsAttempt(expected, write)) {
                endings.put(transaction, expected.key());
            }
            return written.isPresent()
                    ? new Snapshot(true, write.at(written.get()), written.get())
                    : tryFind(connection, expected.key());
        } catch (SQLException e) {
            throw connections.failed("replace", e);
        }
    }

    @Override
    public boolean isJoined() {
        return transactions.joined() != null;
    }

    /**
     * Lets calls of this thread write in a transaction of the caller's, with their records: those of operations that were
     * built with {@link Operation.Builder#callingInTransactionOf}. Each is under a savepoint, so that a call that fails
     * leaves nothing behind. What they answer becomes true when the caller commits. If he rolls back, the key stays reserved
     * until its lease is over, and the next run makes the call again.
     *
     * <p>The reservation itself is committed at once, on a connection of the store's: let the caller's pool be another one.
     *
     * @param transaction an open READ COMMITTED transaction on the database of the store; stays open
     * @param run executes operations, on this thread
     * @param <R> what comes out
     * @param <X> what {@code run} may throw
     * @return what {@code run} returned
     * @throws X if {@code run} throws it
     * @throws IllegalStateException if the transaction is none, is aborted, or is not READ COMMITTED; nothing was written
     * @throws StoreException if its connection is broken; nothing was written
     * @throws NullPointerException if an argument is null
     */
    public <R extends @Nullable Object, X extends Exception> R joining(Handle transaction, Joining<R, X> run) throws X {
        Objects.requireNonNull(transaction, "transaction");
        Objects.requireNonNull(run, "run");
        return transactions.joining(transaction, run);
    }

    /**
     * As {@link #joining(Handle, Joining)}, in the transaction of a connection, such as the one that a framework has bound to
     * this thread.
     *
     * @param transaction an open READ COMMITTED transaction on the database of the store; stays open
     * @param run executes operations, on this thread
     * @param <R> what comes out
     * @param <X> what {@code run} may throw
     * @return what {@code run} returned
     * @throws X if {@code run} throws it
     * @throws IllegalStateException if the transaction is none, is aborted, or is not READ COMMITTED; nothing was written
     * @throws StoreException if its connection is broken; nothing was written
     * @throws NullPointerException if an argument is null
     */
    public <R extends @Nullable Object, X extends Exception> R joining(Connection transaction, Joining<R, X> run)
            throws X {
        Objects.requireNonNull(transaction, "transaction");
        return joining(Jdbi.open(transaction), run);
    }

    // ---- audit trail

    @Override
    public AuditEntry append(AuditEntry entry) {
        return trail.append(entry);
    }

    @Override
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        Bounds.requireLimit(limit);
        return trail.page(key, before, limit);
    }

    // ---- keeping house

    @Override
    public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
        Bounds.requireLimit(limit);
        return connections.plain("list unresolved", connection -> {
            List<IdempotencyRecord> page = new ArrayList<>();
            @Nullable
            Place from = after == null
                    ? null
                    : new Place(
                            after.times().stateSince(),
                            after.key().scope(),
                            after.key().value());
            while (true) {
                int asked = limit - page.size();
                List<Place> read = readUnresolved(connection, from, asked, page);
                if (read.size() < asked || page.size() == limit) {
                    return page;
                }
                from = read.get(read.size() - 1);
            }
        });
    }

    /** Where a row stands among the unresolved ones, whatever else is in it. */
    private record Place(Instant since, String scope, String key) {}

    /** A record that cannot be read keeps nobody from those behind it. Answers the places of all, and adds what can be read. */
    private List<Place> readUnresolved(
            Connection connection, @Nullable Place from, int limit, List<IdempotencyRecord> page) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(from == null ? statements.firstUnresolved : statements.nextUnresolved)) {
            int i = 1;
            if (from != null) {
                statement.setObject(i++, from.since().atOffset(ZoneOffset.UTC));
                statement.setString(i++, from.scope());
                statement.setString(i++, from.key());
            }
            statement.setInt(i, limit);
            List<Place> places = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    var place =
                            new Place(Rows.instant(row, "state_since"), row.getString("scope"), row.getString("key"));
                    places.add(place);
                    try {
                        page.add(Rows.record(row));
                    } catch (UnknownFormatException e) {
                        leftOut(place, e);
                    }
                }
            }
            return places;
        }
    }

    private void leftOut(Place place, UnknownFormatException failure) {
        if (unreadable.size() < MOST_UNREADABLE && unreadable.add(place)) {
            LOG.warn("An unresolved record is left out of the list, because it cannot be read", failure);
        }
    }

    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        if (dayOf == null) {
            return purge(table.quoted(), limit);
        }
        int done = 0;
        for (String partition : connections.jdbi("purge", new Partitions(table)::all)) {
            done += done < limit ? purge(partition, limit - done) : 0;
        }
        return done;
    }

    private int purge(String quotedTable, int limit) {
        return connections.jdbi(
                "purge",
                handle -> handle.createQuery(statements.purge(quotedTable))
                        .bind(0, limit)
                        .mapTo(Integer.class)
                        .one());
    }

    /**
     * Creates the partitions of some days, where they are missing. A key whose day has no partition is refused: create them
     * well ahead.
     *
     * @param first the first day
     * @param last the last day; nothing happens when it is before the first
     * @throws IllegalStateException if the store is not {@link Builder#partitionedByDay partitioned}
     * @throws StoreException if the server refused, or cannot be asked
     * @throws NullPointerException if an argument is null
     */
    public void createPartitions(LocalDate first, LocalDate last) {
        Objects.requireNonNull(first, "first");
        Objects.requireNonNull(last, "last");
        Partitions partitions = partitions();
        connections.jdbi("create partitions", handle -> partitions.create(handle, first, last));
    }

    /**
     * Drops the partition of a day with all its records, if all of them may be forgotten. From then on the keys of that day
     * are refused. Takes the table's lock for a moment, and gives up when it does not get it within a second.
     *
     * @param day which day
     * @return true when the partition is gone; false when it holds a record that is unresolved or still to be kept
     * @throws IllegalStateException if the store is not {@link Builder#partitionedByDay partitioned}
     * @throws StoreException if the lock was not to be had, or the server cannot be asked
     * @throws NullPointerException if {@code day} is null
     */
    public boolean dropPartition(LocalDate day) {
        Objects.requireNonNull(day, "day");
        Partitions partitions = partitions();
        return connections.jdbi("drop partition", handle -> partitions.drop(handle, day));
    }

    private Partitions partitions() {
        if (dayOf == null) {
            throw new IllegalStateException(
                    "The table is not partitioned; say partitionedByDay when the store is built");
        }
        return new Partitions(table);
    }

    // ---- inbox

    /**
     * The inbox beside this store's table, on the same data source. Each step is one statement in a transaction of its own.
     *
     * @return the same inbox each time
     */
    public InboxStore inbox() {
        return inbox;
    }

    /**
     * The version guard beside this store's table, on the same data source. Each step is a transaction of its own.
     *
     * @return the same guard each time
     */
    public VersionGuard versionGuard() {
        return versionGuard;
    }
}

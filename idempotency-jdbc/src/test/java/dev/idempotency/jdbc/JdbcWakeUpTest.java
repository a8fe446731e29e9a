package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.process.ChildJvm;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.TcpProxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.ds.PGSimpleDataSource;

/** Two stores on one table are two processes as far as the server can tell; one test has a real one. */
final class JdbcWakeUpTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String schema = Database.schema();
    private final JdbcIdempotencyStore here = store(schema, Database.server().jdbcUrl());
    private final JdbcIdempotencyStore there = store(schema, Database.server().jdbcUrl());

    private static JdbcIdempotencyStore store(String schema, String url) {
        return JdbcIdempotencyStore.builder(plain(url, "steps"))
                .schema(schema)
                .createSchema()
                .wakeUps(plain(url, schema))
                .build();
    }

    private static DataSource plain(String url, String application) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        dataSource.setApplicationName(application);
        return dataSource;
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(5_000_000);
        }
    }

    private static IdempotencyRecord reserved(JdbcIdempotencyStore store, IdempotencyKey key) {
        return store.reserve(Writes.reservation(key)).record();
    }

    private static Write move(IdempotencyRecord standing, State state) {
        var next = standing.with().version(standing.version() + 1).state(state).build();
        return new Write(next, false, false, true, Writes.LEASE, Writes.RETENTION, Duration.ZERO);
    }

    private static IdempotencyRecord moved(JdbcIdempotencyStore store, IdempotencyRecord standing, State state) {
        var moved = store.replace(standing, move(standing, state));
        assertThat(moved.applied()).isTrue();
        return moved.record();
    }

    /** The backends of the connections that listen. */
    private List<Integer> listeners() {
        return Jdbi.create(Database.pool())
                .withHandle(handle -> handle.createQuery(
                                "SELECT pid FROM pg_stat_activity WHERE application_name = ? AND state = 'idle'"
                                        + " AND query LIKE 'LISTEN%'")
                        .bind(0, schema)
                        .mapTo(Integer.class)
                        .list());
    }

    @Test
    void watch_ofAnotherStore_isToldWhenTheAttemptEnds() {
        for (State end : State.values()) {
            IdempotencyKey key = Writes.key();
            var reserved = reserved(here, key);
            var told = new AtomicInteger();
            var others = new AtomicInteger();
            int before = here.wakeUps().wishes();
            try (var watch = there.watch(key, told::incrementAndGet);
                    var other = there.watch(Writes.key(), others::incrementAndGet)) {
                until("both are known to be awaited", () -> here.wakeUps().wishes() == before + 2);
                var ended = moved(here, reserved, end);
                if (end == State.IN_FLIGHT) {
                    moved(here, ended, State.COMPLETED);
                }
                until("the end is told", () -> told.get() == 1);
                assertThat(others).hasValue(0);
            }
        }
    }

    @Test
    void watch_ofTheSameStore_isToldToo() {
        IdempotencyKey key = Writes.key();
        var reserved = reserved(here, key);
        var told = new AtomicInteger();
        var first = here.watch(key, () -> {
            throw new AssertionError("closed before");
        });
        try (var watch = here.watch(key, told::incrementAndGet)) {
            first.close();
            first.close();
            until("it is known to be awaited", () -> here.wakeUps().wishes() == 1);
            moved(here, reserved, State.IN_DOUBT);
            until("the end is told", () -> told.get() == 1);
        }
    }

    @Test
    void watch_attemptEndsInATransactionOfTheStore_isTold() throws Exception {
        IdempotencyKey key = Writes.key();
        var reserved = reserved(here, key);
        var told = new AtomicInteger();
        try (var watch = there.watch(key, told::incrementAndGet)) {
            until("it is known to be awaited", () -> here.wakeUps().wishes() == 1);
            here.inTransaction(transaction -> here.replace(transaction, reserved, move(reserved, State.COMPLETED)));
            until("the end is told", () -> told.get() == 1);
        }
    }

    /** Who begins to listen learns what is waited for already. */
    @Test
    void watch_beforeTheOtherStoreListens_isToldAllTheSame() {
        IdempotencyKey key = Writes.key();
        var told = new AtomicInteger();
        try (var watch = there.watch(key, told::incrementAndGet)) {
            until("the waiting store has heard itself", () -> there.wakeUps().wishes() == 1);
            var reserved = reserved(here, key);
            until("it is known to be awaited", () -> here.wakeUps().wishes() == 1);
            moved(here, reserved, State.COMPLETED);
            until("the end is told", () -> told.get() == 1);
        }
    }

    @Test
    void watch_connectionsTerminated_listenAgainAndAreTold() {
        IdempotencyKey before = Writes.key();
        var reserved = reserved(here, before);
        var told = new AtomicInteger();
        try (var watch = there.watch(before, told::incrementAndGet)) {
            until(
                    "it is known to be awaited",
                    () -> here.wakeUps().wishes() == 1 && listeners().size() == 2);
            List<Integer> first = listeners();
            Jdbi.create(Database.pool())
                    .useHandle(handle -> first.forEach(pid -> handle.select("SELECT pg_terminate_backend(?)", pid)
                            .mapTo(Boolean.class)
                            .one()));
            until(
                    "both listen again",
                    () -> listeners().stream()
                                    .filter(pid -> !first.contains(pid))
                                    .count()
                            == 2);

            moved(here, reserved, State.COMPLETED);
            until("the end is told", () -> told.get() == 1);
            IdempotencyKey after = Writes.key();
            try (var next = there.watch(after, told::incrementAndGet)) {
                until("the next is known to be awaited", () -> here.wakeUps().wishes() == 2);
                moved(here, reserved(here, after), State.COMPLETED);
                until("its end is told", () -> told.get() == 2);
            }
        }
    }

    @Test
    void execution_thatNobodyWaitsFor_notifiesNobody() throws Exception {
        try (Connection connection =
                        plain(Database.server().jdbcUrl(), "eavesdropper").getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("LISTEN " + here.wakeUps().channel());
            for (int i = 0; i < 20; i++) {
                moved(here, reserved(here, Writes.key()), State.COMPLETED);
            }
            assertThat(noticesUntilTheNextWish(connection)).containsOnly("who");

            IdempotencyKey key = Writes.key();
            try (var watch = there.watch(key, () -> {})) {
                until("it is known to be awaited", () -> here.wakeUps().wishes() == 2);
                moved(here, reserved(here, key), State.COMPLETED);
                assertThat(noticesUntilTheNextWish(connection)).contains("end");
            }
        }
    }

    /** What a store has to say comes in its order: a wish of its own comes after all that it said before. */
    private Set<String> noticesUntilTheNextWish(Connection connection) throws SQLException {
        Set<String> kinds = new HashSet<>();
        IdempotencyKey last = Writes.key();
        int before = here.wakeUps().wishes();
        try (var watch = here.watch(last, () -> {})) {
            until("the last wish is heard", () -> here.wakeUps().wishes() > before);
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT 1");
        }
        for (PGNotification notice : connection.unwrap(PGConnection.class).getNotifications()) {
            kinds.add(notice.getParameter().split(" ")[0]);
        }
        kinds.remove("wait");
        return kinds;
    }

    @Test
    void watch_withoutTheSetting_isNeverTold() {
        var without =
                JdbcIdempotencyStore.builder(Database.pool()).schema(schema).build();
        try (var watch = without.watch(Writes.key(), () -> {
            throw new AssertionError("told");
        })) {
            assertThat(without.wakeUps()).isNull();
            assertThat(listeners()).isEmpty();
        }
    }

    /** A process that reserves the key of its first argument, and completes it when it gets a line. */
    static final class Owner {
        private Owner() {}

        public static void main(String[] args) throws IOException {
            JdbcIdempotencyStore store = store(args[0], args[1]);
            var reserved = reserved(store, new IdempotencyKey("charge", args[2]));
            System.out.println("reserved");
            until("it is known to be awaited", () -> store.wakeUps().wishes() == 1);
            System.out.println("awaited");
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            moved(store, reserved, State.COMPLETED);
        }
    }

    @Test
    void watch_ofAnotherProcess_isTold() throws Exception {
        IdempotencyKey key = Writes.key();
        var told = new CountDownLatch(1);
        try (var owner = ChildJvm.start(Owner.class, schema, Database.server().jdbcUrl(), key.value());
                var watch = here.watch(key, told::countDown)) {
            owner.await("awaited"::equals, PATIENCE);
            assertThat(told.getCount()).isEqualTo(1);
            owner.send("end it");

            assertThat(told.await(1, TimeUnit.MINUTES)).isTrue();
            assertThat(here.find(key).record().state()).isEqualTo(State.COMPLETED);
        }
    }

    /** What is lost costs time only: the waiting run's store hears nothing, and the run ends by looking. */
    @Test
    void wait_listenerStalled_endsAllTheSame() throws Exception {
        try (var proxy = TcpProxy.start(Database.server().port())) {
            proxy.stall();
            var deaf = JdbcIdempotencyStore.builder(Database.pool())
                    .schema(schema)
                    .wakeUps(plain(PostgresServer.jdbcUrl(proxy.port()), "deaf"))
                    .build();
            try (var owning = Idempotency.on(here);
                    var waiting = Idempotency.on(deaf)) {
                var started = new CountDownLatch(1);
                var answer = new CountDownLatch(1);
                Operation.Call<String, String> call = (request, attempt) -> {
                    started.countDown();
                    assertThat(answer.await(1, TimeUnit.MINUTES)).isTrue();
                    return "done";
                };
                var owner = CompletableFuture.supplyAsync(
                        () -> charging(owning, call).execute("k"));
                assertThat(started.await(1, TimeUnit.MINUTES)).isTrue();
                var waiter = charging(waiting, call).executeAsync("k");
                answer.countDown();

                assertThat(owner.get(1, TimeUnit.MINUTES)).isEqualTo("done");
                assertThat(waiter.get(1, TimeUnit.MINUTES)).isEqualTo("done");
            }
        }
    }

    private static Operation<String, String> charging(Idempotency idempotency, Operation.Call<String, String> call) {
        return idempotency
                .operation("charge", String.class, String.class)
                .key(request -> request)
                .calling(call);
    }
}

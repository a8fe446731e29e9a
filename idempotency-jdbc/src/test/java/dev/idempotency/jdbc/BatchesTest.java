package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.TcpProxy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Steps of many callers that share a statement. */
@Timeout(120)
final class BatchesTest {
    private static final LocalDate DAY = LocalDate.of(2026, 11, 22);

    private final String schema = Database.schema();
    private final Held held = new Held();
    private final ExecutorService callers = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        callers.shutdownNow();
    }

    /** A data source that counts what is asked of it, and answers nothing while it is held. */
    private static final class Held {
        private final AtomicInteger asked = new AtomicInteger();
        private volatile CountDownLatch held = new CountDownLatch(0);
        private volatile Runnable onFirst = () -> {};

        DataSource around(DataSource dataSource) {
            return (DataSource) Proxy.newProxyInstance(
                    DataSource.class.getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                        Runnable then = asked.incrementAndGet() == 1 ? onFirst : () -> {};
                        if (!held.await(1, TimeUnit.MINUTES)) {
                            throw new SQLException("held for too long");
                        }
                        try {
                            Object connection = method.invoke(dataSource, arguments);
                            then.run();
                            return connection;
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private JdbcIdempotencyStore.Builder builder() {
        return JdbcIdempotencyStore.builder(held.around(Database.pool()))
                .schema(schema)
                .singleSteps(0);
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** All of them queue behind a find that is kept waiting, and then go together. */
    private List<Future<Snapshot>> together(JdbcIdempotencyStore store, List<Callable<Snapshot>> steps) {
        return together(store, steps, () -> {});
    }

    private List<Future<Snapshot>> together(
            JdbcIdempotencyStore store, List<Callable<Snapshot>> steps, Runnable beforeAll) {
        held.held = new CountDownLatch(1);
        held.asked.set(0);
        var first = callers.submit(() -> store.find(new IdempotencyKey("charge", DAY + "-0")));
        until("the first has left the queue", () -> held.asked.get() == 1);
        List<Future<Snapshot>> all = new ArrayList<>();
        for (Callable<Snapshot> step : steps) {
            all.add(callers.submit(step));
            until("it queues", () -> store.batches().queued() == all.size());
        }
        held.asked.set(0);
        beforeAll.run();
        held.held.countDown();
        until("the first is done", first::isDone);
        return all;
    }

    private static StoreException failure(Future<Snapshot> step) throws InterruptedException {
        try {
            throw new AssertionError("answered " + step.get());
        } catch (ExecutionException e) {
            return (StoreException) e.getCause();
        }
    }

    private static IdempotencyRecord reserved(JdbcIdempotencyStore store) {
        return store.reserve(Writes.reservation(Writes.key())).record();
    }

    @Test
    void steps_ofEveryKind_areOneStatement() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        IdempotencyRecord one = reserved(store);
        IdempotencyRecord other = reserved(store);
        IdempotencyKey fresh = Writes.key();

        var answers = together(
                store,
                List.of(
                        () -> store.reserve(Writes.reservation(fresh)),
                        () -> store.replace(one, Writes.completion(one)),
                        () -> store.reserve(Writes.reservation(other.key())),
                        () -> store.find(Writes.key())));

        Snapshot reserved = answers.get(0).get();
        assertThat(reserved.applied()).isTrue();
        Snapshot replaced = answers.get(1).get();
        assertThat(replaced.applied()).isTrue();
        assertThat(answers.get(2).get()).isEqualTo(new Snapshot(false, other, reserved.now()));
        assertThat(answers.get(3).get()).isEqualTo(new Snapshot(false, null, reserved.now()));
        assertThat(held.asked).as("connections").hasValue(1);
        assertThat(store.find(fresh).record()).isEqualTo(reserved.record());
        assertThat(store.find(one.key()).record()).isEqualTo(replaced.record());
    }

    @Test
    void steps_onOneKey_goOneAfterTheOther() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        IdempotencyRecord one = reserved(store);
        List<Callable<Snapshot>> steps = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            steps.add(() -> store.replace(one, Writes.completion(one)));
        }

        var answers = together(store, steps);

        assertThat(answers.get(0).get().applied()).isTrue();
        for (var late : answers.subList(1, 3)) {
            assertThat(late.get().applied()).isFalse();
            assertThat(late.get().record()).isEqualTo(answers.get(0).get().record());
        }
    }

    @Test
    void step_thatIsRefused_failsAlone() throws Exception {
        JdbcIdempotencyStore store = builder()
                .partitionedByDay(key -> LocalDate.parse(key.value().substring(0, 10)))
                .createSchema()
                .build();
        store.createPartitions(DAY, DAY);
        var here = new IdempotencyKey("charge", DAY + "-1");
        var nowhere = new IdempotencyKey("charge", DAY.plusDays(1) + "-2");
        var hereToo = new IdempotencyKey("charge", DAY + "-3");

        var answers = together(
                store,
                List.of(
                        () -> store.reserve(Writes.reservation(here)),
                        () -> store.reserve(Writes.reservation(nowhere)),
                        () -> store.reserve(Writes.reservation(hereToo))));

        assertThat(answers.get(0).get().applied()).isTrue();
        assertThat(failure(answers.get(1)).mayHaveWritten()).isFalse();
        assertThat(failure(answers.get(1))).hasMessageContaining("no partition for the key's day");
        assertThat(answers.get(2).get().applied()).isTrue();
    }

    @Test
    void day_thatIsNull_failsAtOnceAndSaysThatNothingWasSent() {
        JdbcIdempotencyStore store =
                builder().partitionedByDay(key -> null).createSchema().build();

        assertThatThrownBy(() -> store.find(Writes.key()))
                .isInstanceOfSatisfying(StoreException.class, failure -> {
                    assertThat(failure.mayHaveWritten()).isFalse();
                    assertThat(failure.isRetryable()).isFalse();
                })
                .hasMessageContaining("must have a day for each key");
    }

    /** Somebody's open transaction has written the record that one caller wants to replace. */
    @Test
    void step_thatMustWait_keepsNobodyElse() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        IdempotencyRecord busy = reserved(store);
        IdempotencyRecord idle = reserved(store);
        try (Connection open = Database.pool().getConnection()) {
            open.setAutoCommit(false);
            try (var statement =
                    open.prepareStatement("UPDATE " + schema + ".idempotency_record SET attempt = 2 WHERE key = ?")) {
                statement.setString(1, busy.key().value());
                statement.executeUpdate();
            }
            var answers = together(
                    store,
                    List.of(
                            () -> store.replace(busy, Writes.completion(busy)),
                            () -> store.replace(idle, Writes.completion(idle))));

            assertThat(answers.get(1).get().applied()).isTrue();
            assertThat(answers.get(0)).isNotDone();
            open.commit();
            assertThat(answers.get(0).get().applied()).isTrue();
        }
    }

    @Test
    void record_thatCannotBeRead_failsAlone() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        IdempotencyRecord newer = reserved(store);
        IdempotencyRecord known = reserved(store);
        Jdbi.create(Database.pool())
                .useHandle(handle -> handle.execute(
                        "UPDATE " + schema + ".idempotency_record SET recovery = 'UNHEARD_OF' WHERE key = ?",
                        newer.key().value()));

        var answers = together(
                store,
                List.of(
                        () -> store.find(newer.key()),
                        () -> store.reserve(Writes.reservation(newer.key())),
                        () -> store.find(known.key())));

        assertThat(failure(answers.get(0))).hasMessageContaining("written by a newer version:");
        assertThat(failure(answers.get(1))).hasMessageContaining("written by a newer version:");
        assertThat(answers.get(2).get().record()).isEqualTo(known);
    }

    /** Nothing but what the store asks goes through the proxy. */
    private static HikariDataSource oneConnection(TcpProxy proxy) {
        var config = new HikariConfig();
        config.setJdbcUrl(PostgresServer.jdbcUrl(proxy.port()));
        config.setMaximumPoolSize(1);
        return new HikariDataSource(config);
    }

    /** The batch is committed, and its connection breaks before anybody hears of it. */
    @Test
    void answer_thatIsLost_isInDoubtForEach() throws Exception {
        JdbcIdempotencyStore direct = builder().createSchema().build();
        try (var proxy = TcpProxy.start(Database.server().port());
                var pool = oneConnection(proxy)) {
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(held.around(pool))
                    .schema(schema)
                    .singleSteps(0)
                    .build();
            var writes = List.of(Writes.reservation(Writes.key()), Writes.reservation(Writes.key()));
            List<Callable<Snapshot>> steps = new ArrayList<>();
            writes.forEach(write -> steps.add(() -> store.reserve(write)));

            var answers = together(store, steps, () -> held.onFirst = () -> proxy.cutAnswer(1));

            for (int i = 0; i < 2; i++) {
                assertThat(failure(answers.get(i)).mayHaveWritten()).isTrue();
                Snapshot again = store.reserve(writes.get(i));
                assertThat(again.applied()).isFalse();
                assertThat(again.record().token())
                        .isEqualTo(writes.get(i).next().token());
            }
            assertThat(direct.find(writes.get(0).next().key()).record()).isNotNull();
        }
    }

    @Test
    void server_thatIsNotThere_isToldToEachAtOnce() throws Exception {
        builder().createSchema();
        try (var proxy = TcpProxy.start(Database.server().port())) {
            var proxied = new PGSimpleDataSource();
            proxied.setUrl(PostgresServer.jdbcUrl(proxy.port()));
            JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(held.around(proxied))
                    .schema(schema)
                    .singleSteps(0)
                    .build();

            var answers = together(
                    store,
                    List.of(() -> store.find(Writes.key()), () -> store.reserve(Writes.reservation(Writes.key()))),
                    proxy::cut);

            for (var answer : answers) {
                assertThat(failure(answer).mayHaveWritten()).isFalse();
            }
            assertThat(held.asked).as("connections").hasValue(1);
        }
    }

    /** A plan that was made for an empty table must not read a large one to its end. */
    @Test
    void table_thatGrows_isNeverReadToItsEnd() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        List<Callable<Void>> work = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            work.add(() -> {
                IdempotencyRecord reserved = reserved(store);
                store.find(reserved.key());
                store.replace(reserved, Writes.completion(reserved));
                return null;
            });
        }
        for (var done : callers.invokeAll(work)) {
            done.get();
        }

        until("the server has counted all of it", () -> counted("n_tup_ins") == 300 && counted("n_tup_upd") == 300);
        assertThat(counted("idx_scan")).isGreaterThanOrEqualTo(600);
        assertThat(counted("seq_tup_read")).isZero();
    }

    /** Nobody's thread waits, and nobody's failure is another's. */
    @Test
    void asyncSteps_moreThanGoByThemselves_areFewStatements() {
        JdbcIdempotencyStore store = builder().singleSteps(2).createSchema().build();
        held.held = new CountDownLatch(1);
        held.asked.set(0);
        var writes = Stream.generate(() -> Writes.reservation(Writes.key()))
                .limit(100)
                .toList();
        var answers = writes.stream()
                .map(write -> store.reserveAsync(write).toCompletableFuture())
                .toList();
        until("two steps by themselves, and the first that shares", () -> held.asked.get() >= 3);
        held.held.countDown();

        for (int i = 0; i < writes.size(); i++) {
            assertThat(answers.get(i).join().record().token())
                    .isEqualTo(writes.get(i).next().token());
        }
        assertThat(held.asked).as("connections").hasValueLessThan(10);
    }

    @Test
    void executeAll_onManyKeys_callsEachOnce() throws Exception {
        JdbcIdempotencyStore store = builder().singleSteps(4).createSchema().build();
        held.asked.set(0);
        var calls = new AtomicInteger();
        try (var idempotency = Idempotency.on(store)) {
            Operation<String, String> charge = idempotency
                    .operation("charge", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> "paid " + order + " by call " + calls.incrementAndGet());
            List<String> orders =
                    IntStream.range(0, 500).mapToObj(i -> "order-" + i % 250).toList();

            var answers = charge.executeAll(orders, 200);

            for (int i = 0; i < orders.size(); i++) {
                assertThat(answers.get(i).get(1, TimeUnit.MINUTES)).startsWith("paid " + orders.get(i) + " ");
            }
        }
        assertThat(calls).hasValue(250);
        assertThat(held.asked).as("connections for 500 steps at least").hasValueLessThan(400);
    }

    // ---- threads

    /** Threads that can be had or not, and how many of them live. */
    private static final class Threads implements ThreadFactory {
        private volatile boolean none;
        private final Set<Thread> made = ConcurrentHashMap.newKeySet();

        @Override
        public Thread newThread(Runnable work) {
            var thread = new Thread(work) {
                @Override
                public void start() {
                    if (none) {
                        throw new OutOfMemoryError("unable to create native thread, by order");
                    }
                    super.start();
                }
            };
            thread.setDaemon(true);
            made.add(thread);
            return thread;
        }

        long alive() {
            return made.stream().filter(Thread::isAlive).count();
        }
    }

    private static void assertNothingWasSent(Throwable failure) {
        assertThat(failure)
                .isInstanceOfSatisfying(
                        StoreException.class,
                        e -> assertThat(e.mayHaveWritten()).isFalse())
                .hasMessageContaining("No thread can be had");
    }

    /** One moment at the limit of threads fails the steps of that moment, and no others. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void momentWithoutThreads_failsItsStepsAndNoOthers(int singleSteps) throws Exception {
        var threads = new Threads();
        JdbcIdempotencyStore store = builder()
                .singleSteps(singleSteps)
                .threads(threads)
                .createSchema()
                .build();
        threads.none = true;
        if (singleSteps == 0) {
            assertThatThrownBy(() -> store.find(Writes.key())).satisfies(BatchesTest::assertNothingWasSent);
        }
        var moment = store.reserveAsync(Writes.reservation(Writes.key()))
                .toCompletableFuture()
                .handle((snapshot, failure) -> failure);
        Throwable failure = moment.get(1, TimeUnit.MINUTES);
        // It may find a thread that is idle; then it needs no new one.
        if (failure != null) {
            assertNothingWasSent(failure instanceof CompletionException wrapped ? wrapped.getCause() : failure);
        }

        threads.none = false;
        assertThat(store.find(Writes.key()).record()).isNull();
        assertThat(store.reserveAsync(Writes.reservation(Writes.key()))
                        .toCompletableFuture()
                        .get(1, TimeUnit.MINUTES)
                        .applied())
                .isTrue();
        until("nobody is inside any more", () -> store.batches().inside() == 0);
    }

    /** While somebody leads, who finds no thread is led all the same. */
    @Test
    void momentWithoutThreads_whileAnotherStepIsUnderWay_failsNobody() throws Exception {
        var threads = new Threads();
        JdbcIdempotencyStore store = builder().threads(threads).createSchema().build();
        List<Callable<Snapshot>> steps = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            steps.add(() -> store.find(Writes.key()));
        }
        List<Future<Snapshot>> late = new ArrayList<>();

        List<Future<Snapshot>> answers = new ArrayList<>(together(store, steps, () -> {
            threads.none = true;
            // So many that a second one would lead.
            for (int i = 0; i < 10; i++) {
                late.add(callers.submit(() -> store.find(Writes.key())));
            }
            until("they queue", () -> store.batches().queued() == 70);
        }));

        answers.addAll(late);
        for (var answer : answers) {
            assertThat(answer.get(1, TimeUnit.MINUTES).record()).isNull();
        }
    }

    /** An executor that runs what it is given in the thread that gives it. */
    private static final class InTheCaller extends AbstractExecutorService {
        @Override
        public void execute(Runnable command) {
            command.run();
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }

    /** A call that executes another operation waits for a step that no thread of the store may be kept from. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16})
    void executorThatRunsInTheCaller_withCallsThatExecute_keepsTheStoreFromNothing(int singleSteps) throws Exception {
        JdbcIdempotencyStore store =
                builder().singleSteps(singleSteps).createSchema().build();
        try (var idempotency =
                Idempotency.builder(store).executor(new InTheCaller()).build()) {
            Operation<String, String> inner = idempotency
                    .operation("inner", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> "inner " + order);
            Operation<String, String> outer = idempotency
                    .operation("outer", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) ->
                            inner.executeAsync(order).toCompletableFuture().get(1, TimeUnit.MINUTES));
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String order = "order-" + i;
                answers.add(callers.submit(
                        () -> outer.executeAsync(order).toCompletableFuture().get(1, TimeUnit.MINUTES)));
            }

            for (int i = 0; i < 40; i++) {
                assertThat(answers.get(i).get(1, TimeUnit.MINUTES)).isEqualTo("inner order-" + i);
            }
        }
    }

    /** As many leases as calls may be under way are renewed at the same time. */
    @Test
    void asyncReplaces_twoThousandAtOnce_takeFewThreads() throws Exception {
        var threads = new Threads();
        JdbcIdempotencyStore store =
                builder().singleSteps(16).threads(threads).createSchema().build();
        var reserved = Stream.generate(() ->
                        store.reserveAsync(Writes.reservation(Writes.key())).toCompletableFuture())
                .limit(2_000)
                .toList();
        List<IdempotencyRecord> standing = new ArrayList<>();
        for (var reservation : reserved) {
            standing.add(reservation.get(1, TimeUnit.MINUTES).record());
        }
        held.held = new CountDownLatch(1);
        var answers = standing.stream()
                .map(record ->
                        store.replaceAsync(record, Writes.completion(record)).toCompletableFuture())
                .toList();
        until("the steps queue", () -> store.batches().queued() > 1_000);
        long most = threads.alive();
        held.held.countDown();
        for (var answer : answers) {
            assertThat(answer.get(1, TimeUnit.MINUTES).applied()).isTrue();
            most = Math.max(most, threads.alive());
        }

        assertThat(most).as("threads").isLessThan(64);
        until("nobody is inside any more", () -> store.batches().inside() == 0);
    }

    /** A task that ran there would find itself in the transaction that the waiting thread has joined. */
    @Test
    void wait_onAForkJoinWorker_runsNobodysTasks() throws Exception {
        JdbcIdempotencyStore store = builder().createSchema().build();
        var pool = new ForkJoinPool(1);
        var worker = new AtomicReference<Thread>();
        var waits = new AtomicBoolean();
        var within = new AtomicBoolean();
        held.held = new CountDownLatch(1);
        try {
            var waiting = pool.submit(() -> {
                worker.set(Thread.currentThread());
                var queued = ForkJoinTask.adapt(() -> within.set(waits.get())).fork();
                waits.set(true);
                store.find(Writes.key());
                waits.set(false);
                return queued;
            });
            until(
                    "the worker waits",
                    () -> within.get() || (waits.get() && worker.get().getState() == Thread.State.WAITING));
            held.held.countDown();
            waiting.get(1, TimeUnit.MINUTES).get(1, TimeUnit.MINUTES);

            assertThat(within).isFalse();
        } finally {
            pool.shutdownNow();
        }
    }

    /** The driver can be told to have all answers in binary form, and cannot do that with two statements in one text. */
    @Test
    void driver_thatIsToldToHaveAllAnswersInBinary_answersManyCallers() throws Exception {
        builder().createSchema();
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(Database.server().jdbcUrl());
        dataSource.setPrepareThreshold(-1);
        JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(held.around(dataSource))
                .schema(schema)
                .singleSteps(0)
                .build();

        var answers = together(
                store, List.of(() -> store.reserve(Writes.reservation(Writes.key())), () -> store.find(Writes.key())));

        assertThat(answers.get(0).get().applied()).isTrue();
        assertThat(answers.get(1).get().record()).isNull();
    }

    private long counted(String what) {
        return Jdbi.create(Database.pool())
                .withHandle(handle -> handle.createQuery("SELECT " + what
                                + " FROM pg_stat_user_tables WHERE schemaname = ? AND relname = 'idempotency_record'")
                        .bind(0, schema)
                        .mapTo(Long.class)
                        .one());
    }
}

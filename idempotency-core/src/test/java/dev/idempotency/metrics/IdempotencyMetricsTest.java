package dev.idempotency.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import dev.idempotency.DeclinedException;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IdempotencyMetricsTest {
    private record Order(String id, long amount, String tenant) {
        Order(String id, long amount) {
            this(id, amount, "t-" + id);
        }
    }

    private final AtomicLong nanos = new AtomicLong();
    private final Watched store =
            new Watched(CaffeineIdempotencyStore.create(100_000, nanos::get, Instant.parse("2026-01-01T00:00:00Z")));
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final IdempotencyMetrics metrics = IdempotencyMetrics.of(store, Duration.ofHours(1));
    private final Idempotency idempotency =
            Idempotency.builder(store).listener(metrics).build();

    /** A store whose list can be made to fail, and whose pages are counted. */
    private static final class Watched implements IdempotencyStore {
        private final IdempotencyStore store;
        private final AtomicInteger pages = new AtomicInteger();
        private final AtomicInteger endless = new AtomicInteger();
        private volatile boolean failing;
        private volatile @Nullable Semaphore gate;

        Watched(IdempotencyStore store) {
            this.store = store;
        }

        @Override
        public StoreClass storeClass() {
            return store.storeClass();
        }

        @Override
        public Snapshot reserve(Write write) {
            failIfFailing();
            return store.reserve(write);
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            return store.replace(expected, write);
        }

        @Override
        public Snapshot find(IdempotencyKey key) {
            return store.find(key);
        }

        @Override
        public List<IdempotencyRecord> listUnresolved(@Nullable IdempotencyRecord after, int limit) {
            pages.incrementAndGet();
            Semaphore waiting = gate;
            if (waiting != null) {
                waiting.acquireUninterruptibly();
            }
            failIfFailing();
            if (endless.get() > 0) {
                var page = new ArrayList<IdempotencyRecord>();
                var first = store.listUnresolved(null, 1).get(0);
                while (page.size() < limit) {
                    page.add(first);
                }
                return page;
            }
            return store.listUnresolved(after, limit);
        }

        @Override
        public int purge(int limit) {
            return store.purge(limit);
        }

        private void failIfFailing() {
            if (failing) {
                throw new StoreException("down", false, null);
            }
        }
    }

    @AfterEach
    void close() {
        metrics.close();
        idempotency.close();
    }

    /** Bound without the thread of its own: these tests read by themselves. */
    private IdempotencyMetrics bound() {
        metrics.close();
        metrics.bindTo(registry);
        return metrics;
    }

    private Operation<Order, String> charge(Operation.Call<Order, String> call) {
        return charge("charge", Recovery.hold(), call);
    }

    private Operation<Order, String> charge(
            String name, Recovery<Order, String> recovery, Operation.Call<Order, String> call) {
        return idempotency
                .operation(name, Order.class, String.class)
                .tenant(Order::tenant)
                .key(Order::id)
                .recovery(recovery)
                .lease(Duration.ofHours(1))
                .waitAtMost(Duration.ZERO)
                .calling(call);
    }

    private static void fails(ThrowingCallable execution) {
        assertThat(catchThrowable(execution)).isInstanceOf(IdempotencyException.class);
    }

    private double count(String meter, String... tags) {
        return registry.get(meter).tags(tags).counter().count();
    }

    private long executions(String outcome) {
        return registry.get("idempotency.executions")
                .tags("operation", "charge", "outcome", outcome)
                .timer()
                .count();
    }

    private double inDoubt(String operation) {
        return registry.get("idempotency.in.doubt")
                .tag("operation", operation)
                .gauge()
                .value();
    }

    private double oldest(String operation) {
        return registry.get("idempotency.in.doubt.oldest")
                .tag("operation", operation)
                .gauge()
                .value();
    }

    @Test
    void executions_everyEnding_isCountedOnce() {
        bound();
        var order = new Order("o-1", 1);
        charge((request, attempt) -> "ok").execute(order);
        charge((request, attempt) -> "ok").execute(order);
        fails(() -> charge((request, attempt) -> "ok").execute(new Order("o-1", 2)));
        fails(() -> charge((request, attempt) -> {
                    throw new DeclinedException("no");
                })
                .execute(new Order("o-2", 1)));
        fails(() -> charge((request, attempt) -> {
                    throw new NotExecutedException("circuit open", null);
                })
                .execute(new Order("o-3", 1)));
        fails(() -> charge((request, attempt) -> {
                    throw new IOException("reset");
                })
                .execute(new Order("o-4", 1)));
        fails(() -> charge((request, attempt) -> "ok").execute(new Order("o-4", 1)));

        assertThat(executions("executed")).isEqualTo(1);
        assertThat(executions("replayed")).isEqualTo(1);
        assertThat(executions("mismatched")).isEqualTo(1);
        assertThat(executions("declined")).isEqualTo(1);
        assertThat(executions("not_executed")).isEqualTo(1);
        assertThat(executions("in_doubt")).isEqualTo(2);
        assertThat(registry.get("idempotency.executions").timers().stream()
                        .mapToLong(timer -> timer.count())
                        .sum())
                .isEqualTo(7);
        assertThat(count("idempotency.replays")).isEqualTo(1);
        assertThat(count("idempotency.mismatches")).isEqualTo(1);
        assertThat(count("idempotency.doubts", "how", "ambiguous")).isEqualTo(1);
    }

    @Test
    void executions_sharedInOneProcess_areCountedForEachCaller() throws Exception {
        bound();
        var calling = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var operation = idempotency
                .operation("charge", Order.class, String.class)
                .key(Order::id)
                .calling((request, attempt) -> {
                    calling.countDown();
                    assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
                    return "ok";
                });
        var order = new Order("o-1", 1);
        var first = CompletableFuture.supplyAsync(() -> operation.execute(order));
        assertThat(calling.await(30, TimeUnit.SECONDS)).isTrue();
        var second = operation.executeAsync(order);
        assertThat(count("idempotency.waits")).isEqualTo(1);
        goOn.countDown();

        assertThat(first.get(30, TimeUnit.SECONDS)).isEqualTo(second.get(30, TimeUnit.SECONDS));
        assertThat(executions("executed")).isEqualTo(1);
        assertThat(executions("replayed")).isEqualTo(1);
    }

    @Test
    void executions_whileTheStoreFails_areCountedAsThat() {
        bound();
        store.failing = true;

        assertThatThrownBy(() -> charge((request, attempt) -> "ok").execute(new Order("o-1", 1)))
                .isInstanceOf(StoreException.class);

        assertThat(executions("store_failed")).isEqualTo(1);
        assertThat(registry.get("idempotency.store.steps")
                        .tags("step", "reserve", "outcome", "failed")
                        .timer()
                        .count())
                .isEqualTo(5);
    }

    @Test
    void questions_everyFinding_isCounted() {
        bound();
        var order = new Order("o-1", 1);
        Operation.Call<Order, String> failing = (request, attempt) -> {
            throw new IOException("reset");
        };
        fails(() -> charge("charge", Recovery.lookup((request, attempt) -> Finding.missing()), failing)
                .execute(order));
        fails(() -> charge("charge", Recovery.lookup((request, attempt) -> Finding.unknown("busy")), failing)
                .execute(order));
        fails(() -> charge(
                        "charge",
                        Recovery.lookup((request, attempt) -> {
                            throw new IOException("lookup failed");
                        }),
                        failing)
                .execute(order));
        charge("charge", Recovery.lookup((request, attempt) -> Finding.found("found")), failing)
                .execute(order);

        for (String outcome : List.of("missing", "unknown", "failed", "found")) {
            assertThat(registry.get("idempotency.questions")
                            .tags("operation", "charge", "how", "lookup", "outcome", outcome)
                            .timer()
                            .count())
                    .as(outcome)
                    .isEqualTo(1);
        }
        assertThat(executions("found")).isEqualTo(1);
        assertThat(count("idempotency.resolutions", "how", "found")).isEqualTo(1);
    }

    @Test
    void recoveries_withoutACaller_areCounted() {
        bound();
        var found = new AtomicBoolean();
        var operation = idempotency
                .operation("charge", Order.class, String.class)
                .key(Order::id)
                .keepRequests()
                .recovery(Recovery.lookup(
                        (request, attempt) -> found.get() ? Finding.found("found") : Finding.unknown("busy")))
                .calling((request, attempt) -> {
                    throw new IOException("reset");
                });
        fails(() -> operation.execute(new Order("o-1", 1)));
        for (int i = 0; i < 2; i++) {
            try (var reconciler =
                    Reconciler.on(idempotency).operations(operation).build()) {
                reconciler.sweep();
            }
            found.set(true);
            nanos.addAndGet(Duration.ofHours(2).toNanos());
        }

        for (String outcome : List.of("in_doubt", "found")) {
            assertThat(registry.get("idempotency.recoveries")
                            .tags("operation", "charge", "outcome", outcome)
                            .timer()
                            .count())
                    .as(outcome)
                    .isEqualTo(1);
        }
        assertThat(executions("in_doubt")).isEqualTo(1);
    }

    @Test
    void counters_ofAnOperation_beginWithZero() {
        bound();
        charge((request, attempt) -> "ok").execute(new Order("o-1", 1));

        for (String type : List.of("orphan", "conflict", "contradiction", "duplicate")) {
            assertThat(count("idempotency.alarms", "operation", "charge", "type", type))
                    .isZero();
        }
        assertThat(count("idempotency.lease.losses", "operation", "charge")).isZero();
    }

    @Test
    void people_whatTheyDecide_isCountedAsTheirs() {
        bound();
        var key = new IdempotencyKey("charge", "o-1");
        for (var type :
                List.of(IdempotencyEvent.Type.FOUND, IdempotencyEvent.Type.CLOSED, IdempotencyEvent.Type.OVERRIDDEN)) {
            metrics.ofPeople().on(new IdempotencyEvent(type, key, 1, 1, "Ada"));
        }
        metrics.ofPeople().on(new IdempotencyEvent(IdempotencyEvent.Type.LAPSED, key, 1, 1, "Ada"));
        metrics.on(new IdempotencyEvent(IdempotencyEvent.Type.CLOSED, key, 1, 1, ""));

        assertThat(count("idempotency.resolutions", "how", "found_by_person")).isEqualTo(1);
        assertThat(count("idempotency.resolutions", "how", "closed_by_person")).isEqualTo(1);
        assertThat(count("idempotency.resolutions", "how", "reopened_by_person"))
                .isEqualTo(1);
        assertThat(count("idempotency.resolutions", "how", "found")).isZero();
        assertThat(count("idempotency.resolutions", "how", "closed")).isEqualTo(1);
        assertThat(count("idempotency.doubts", "how", "lapsed")).isEqualTo(1);
    }

    @Test
    void inDoubt_countsDoubtsAndLapsedAttempts_onTheStoresClock() throws Exception {
        bound();
        var calling = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        fails(() -> charge((request, attempt) -> {
                    throw new IOException("reset");
                })
                .execute(new Order("o-1", 1)));
        var running = CompletableFuture.supplyAsync(() -> charge("refund", Recovery.hold(), (request, attempt) -> {
                    calling.countDown();
                    assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
                    return "ok";
                })
                .execute(new Order("o-2", 1)));
        assertThat(calling.await(30, TimeUnit.SECONDS)).isTrue();

        assertThat(inDoubt("charge")).as("before the first reading").isNaN();
        metrics.readDoubts();
        assertThat(inDoubt("charge")).isEqualTo(1);
        assertThat(oldest("charge")).isZero();
        assertThat(inDoubt("refund")).as("in flight, with a lease").isZero();

        nanos.addAndGet(Duration.ofMinutes(61).toNanos());
        metrics.readDoubts();
        assertThat(oldest("charge")).isCloseTo(3660, within(0.001));
        assertThat(inDoubt("refund")).as("its lease is over").isEqualTo(1);
        assertThat(oldest("refund")).isCloseTo(60, within(0.001));

        goOn.countDown();
        running.get(30, TimeUnit.SECONDS);
        metrics.readDoubts();
        assertThat(inDoubt("refund")).isZero();
        assertThat(oldest("refund")).isZero();
    }

    @Test
    void inDoubt_storeFails_isUnknownUntilItIsBack() {
        bound();
        fails(() -> charge((request, attempt) -> {
                    throw new IOException("reset");
                })
                .execute(new Order("o-1", 1)));
        metrics.readDoubts();
        store.failing = true;
        metrics.readDoubts();

        assertThat(inDoubt("charge")).isNaN();
        assertThat(oldest("charge")).isNaN();
        assertThat(registry.get("idempotency.store.steps")
                        .tags("step", "list_unresolved", "outcome", "failed")
                        .timer()
                        .count())
                .isEqualTo(1);
        store.failing = false;
        metrics.readDoubts();
        assertThat(inDoubt("charge")).isEqualTo(1);
    }

    @Test
    void inDoubt_moreThanAReadingTakes_isAtLeastThatMany() {
        bound();
        fails(() -> charge((request, attempt) -> {
                    throw new IOException("reset");
                })
                .execute(new Order("o-1", 1)));
        store.endless.set(1);

        metrics.readDoubts();

        assertThat(inDoubt("charge")).isEqualTo(DoubtReader.MOST);
        assertThat(store.pages).hasValue(DoubtReader.MOST / DoubtReader.PAGE);
    }

    @Test
    void inDoubt_morePagesThanOne_areAllCounted() {
        bound();
        var operation = charge((request, attempt) -> {
            throw new IOException("reset");
        });
        for (int i = 0; i < DoubtReader.PAGE + 1; i++) {
            var order = new Order("o-" + i, 1);
            fails(() -> operation.execute(order));
        }

        metrics.readDoubts();

        assertThat(inDoubt("charge")).isEqualTo(DoubtReader.PAGE + 1);
    }

    /** Whoever asks for the metrics does not wait for the store. */
    @Test
    void scrape_whileTheStoreHangs_doesNotWait() {
        store.gate = new Semaphore(0);
        metrics.bindTo(registry);
        charge((request, attempt) -> "ok").execute(new Order("o-1", 1));
        while (store.pages.get() == 0) {
            Thread.onSpinWait();
        }

        assertThat(inDoubt("charge")).isNaN();
        assertThat(store.pages).hasValue(1);
        store.gate.release(100);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (Double.isNaN(inDoubt("charge")) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(inDoubt("charge")).isZero();
    }

    @Test
    void close_endsTheThread_andBindingAgainDoesNotStartIt() {
        Set<Thread> before = threads();
        metrics.bindTo(registry);
        Set<Thread> own = threads();
        own.removeAll(before);
        assertThat(own).hasSize(1).allMatch(Thread::isDaemon);
        metrics.close();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (own.stream().anyMatch(Thread::isAlive) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(own).noneMatch(Thread::isAlive);
        metrics.bindTo(new SimpleMeterRegistry());
        own = threads();
        own.removeAll(before);
        assertThat(own).isEmpty();
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("idempotency-metrics"))
                .collect(Collectors.toCollection(HashSet::new));
    }

    @Test
    void bindTo_severalRegistries_countsInEach() {
        bound();
        charge((request, attempt) -> "ok").execute(new Order("o-1", 1));
        var later = new SimpleMeterRegistry();
        metrics.bindTo(later);
        assertThat(later.get("idempotency.replays")
                        .tag("operation", "charge")
                        .counter()
                        .count())
                .isZero();
        charge((request, attempt) -> "ok").execute(new Order("o-1", 1));

        assertThat(count("idempotency.replays")).isEqualTo(1);
        assertThat(later.get("idempotency.replays").counter().count()).isEqualTo(1);
    }

    @Test
    void tags_neverHaveTenantsOrKeys() {
        bound();
        charge((request, attempt) -> {
                    throw new DeclinedException("no");
                })
                .executeAsync(new Order("o-4711", 1, "tenant-4711"))
                .handle((result, failure) -> null)
                .join();
        metrics.readDoubts();

        assertThat(registry.getMeters())
                .hasSizeGreaterThan(10)
                .extracting(Meter::getId)
                .allSatisfy(id -> assertThat(id.toString()).doesNotContain("4711"));
    }

    @Test
    void tags_moreNamesThanAFew_areOther() {
        bound();
        var names = new OperationNames();
        for (int i = 0; i < OperationNames.MOST_READ; i++) {
            assertThat(names.read("op" + i)).isEqualTo("op" + i);
        }
        assertThat(names.read("op0")).isEqualTo("op0");
        assertThat(names.read("one-more")).isEqualTo("other");
        assertThat(names.heard("one-more")).as("of this process").isEqualTo("one-more");
        assertThat(names.read("one-more")).isEqualTo("one-more");
        for (int i = 0; i < OperationNames.MOST; i++) {
            names.heard("many" + i);
        }
        assertThat(names.heard("last")).isEqualTo("other");
        assertThat(names.all())
                .hasSizeLessThanOrEqualTo(OperationNames.MOST + 1)
                .contains("other");
        assertThat(new OperationNames().read("<b>\"evil\"\n")).isEqualTo("other");
        assertThat(new OperationNames().read("/t")).isEqualTo("other");
        assertThat(new OperationNames().read("a".repeat(101))).isEqualTo("other");
    }

    @Test
    void of_intervalOutOfRange_isRefused() {
        for (Duration every : List.of(Duration.ofMillis(999), Duration.ofMinutes(61), Duration.ofSeconds(-1))) {
            assertThatThrownBy(() -> IdempotencyMetrics.of(store, every))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(every.toString());
        }
    }
}

package dev.idempotency.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.store.StoreException;
import io.github.resilience4j.core.IntervalFunction;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class InboxMetricsTest {
    private static final Duration MOMENT = Duration.ofMillis(5);

    private final AtomicLong nanos = new AtomicLong();
    private final CaffeineIdempotencyStore store =
            CaffeineIdempotencyStore.create(1000, nanos::get, Instant.parse("2026-01-01T00:00:00Z"));
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final InboxMetrics metrics = InboxMetrics.of(store.inbox(), "orders", Duration.ofHours(1));
    private final Inbox inbox =
            Inbox.builder(store.inbox(), "orders").listener(metrics).build();

    @AfterEach
    void close() {
        metrics.close();
    }

    /** Bound without the thread of its own: these tests read by themselves. */
    private void bind() {
        metrics.close();
        metrics.bindTo(registry);
    }

    private void offer(String key) {
        inbox.offer(key, new byte[0], Map.of());
    }

    private double offers(String outcome) {
        return registry.get("idempotency.inbox.offers")
                .tags("queue", "orders", "outcome", outcome)
                .counter()
                .count();
    }

    private long tasks(String outcome) {
        return registry.get("idempotency.inbox.tasks")
                .tags("queue", "orders", "outcome", outcome)
                .timer()
                .count();
    }

    private double messages(String state) {
        return registry.get("idempotency.inbox.messages")
                .tags("queue", "orders", "state", state)
                .gauge()
                .value();
    }

    private double lag() {
        return registry.get("idempotency.inbox.lag")
                .tag("queue", "orders")
                .gauge()
                .value();
    }

    private double readings(String outcome) {
        return registry.get("idempotency.inbox.readings")
                .tags("queue", "orders", "outcome", outcome)
                .counter()
                .count();
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void offers_newAndKnown_areCounted() {
        bind();
        offer("m-1");
        offer("m-1");
        offer("m-2");

        assertThat(offers("accepted")).isEqualTo(2);
        assertThat(offers("duplicate")).isEqualTo(1);
    }

    @Test
    void tasks_everyEnding_isCountedOnce() {
        bind();
        var calls = new AtomicInteger();
        offer("done");
        offer("hopeless");
        nanos.addAndGet(Duration.ofSeconds(7).toNanos());
        try (var worker = inbox.worker(claim -> {
                    if (claim.message().key().value().equals("hopeless")) {
                        throw new UnprocessableException("never");
                    }
                    if (calls.incrementAndGet() == 1) {
                        throw new IllegalStateException("not yet");
                    }
                })
                .backoff(IntervalFunction.of(MOMENT))
                .pollEvery(MOMENT)
                .start()) {
            until(() -> {
                nanos.addAndGet(MOMENT.toNanos());
                return tasks("done") + tasks("buried") == 2;
            });
        }

        assertThat(tasks("done")).isEqualTo(1);
        assertThat(tasks("buried")).isEqualTo(1);
        assertThat(tasks("retried")).isEqualTo(1);
        assertThat(tasks("lease_lost")).isZero();
        var age = registry.get("idempotency.inbox.age").tag("queue", "orders").timer();
        assertThat(age.count())
                .as("the second claim of a message is not counted")
                .isEqualTo(2);
        assertThat(age.max(TimeUnit.SECONDS)).isGreaterThanOrEqualTo(7);
    }

    @Test
    void leaseLosses_areCounted() throws InterruptedException {
        bind();
        var running = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        offer("m-1");
        try (var worker = inbox.worker(claim -> {
                    running.countDown();
                    assertThat(goOn.await(1, TimeUnit.MINUTES)).isTrue();
                })
                .pollEvery(Duration.ofHours(1))
                .start()) {
            assertThat(running.await(1, TimeUnit.MINUTES)).isTrue();
            nanos.addAndGet(Duration.ofHours(1).toNanos());
            assertThat(store.inbox().claim("orders", 1, Duration.ofHours(1))).hasSize(1);
            goOn.countDown();
            until(() -> tasks("lease_lost") == 1);
        }

        assertThat(tasks("done")).isZero();
    }

    @Test
    void gauges_sayWhatTheStoreSaidLast() {
        bind();
        assertThat(messages("ready")).as("nothing was read yet").isNaN();
        assertThat(lag()).isNaN();
        for (int i = 0; i < 10; i++) {
            offer("m-" + i);
        }
        var claims = store.inbox().claim("orders", 6, Duration.ofHours(1));
        store.inbox().retry(claims.get(0), Duration.ofHours(1), "later");
        store.inbox().bury(claims.get(1), "never");
        store.inbox().bury(claims.get(2), "never");
        nanos.addAndGet(Duration.ofSeconds(90).toNanos());
        metrics.readDepth();

        assertThat(messages("ready")).isEqualTo(4);
        assertThat(messages("delayed")).isEqualTo(1);
        assertThat(messages("claimed")).isEqualTo(3);
        assertThat(messages("dead")).isEqualTo(2);
        assertThat(lag()).isEqualTo(90);
        assertThat(readings("done")).isEqualTo(1);
    }

    @Test
    void gauges_whenTheStoreCannotBeRead_sayThatNothingIsKnown() {
        var failing = new AtomicInteger();
        var broken = (InboxStore) Proxy.newProxyInstance(
                InboxStore.class.getClassLoader(), new Class<?>[] {InboxStore.class}, (proxy, method, arguments) -> {
                    if (failing.get() == 1) {
                        throw new StoreException("down", false, null);
                    }
                    try {
                        return method.invoke(store.inbox(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        try (var other = InboxMetrics.of(broken, "orders")) {
            other.close();
            other.bindTo(registry);
            other.readDepth();
            assertThat(messages("ready")).isZero();
            assertThat(lag()).isZero();

            failing.set(1);
            other.readDepth();
            assertThat(messages("ready")).isNaN();
            assertThat(messages("dead")).isNaN();
            assertThat(lag()).isNaN();
            assertThat(readings("failed")).isEqualTo(1);

            failing.set(0);
            other.readDepth();
            assertThat(lag()).isZero();
            assertThat(readings("done")).isEqualTo(2);
        }
    }

    @Test
    void binding_beginsToRead_andClosingEndsIt() {
        offer("m-1");
        metrics.bindTo(registry);
        until(() -> messages("ready") == 1);
        metrics.close();

        assertThat(messages("ready")).as("the last value stays").isEqualTo(1);
    }

    @Test
    void counters_beginWithZero() {
        bind();

        assertThat(registry.getMeters())
                .extracting(Meter::getId)
                .allSatisfy(id -> assertThat(id.getDescription()).isNotBlank())
                .allSatisfy(id -> assertThat(id.getTag("queue")).isEqualTo("orders"));
        assertThat(offers("duplicate")).isZero();
        assertThat(tasks("buried")).isZero();
    }

    @Test
    void anotherQueue_isNotCounted() {
        bind();
        metrics.on(new InboxEvent(
                InboxEvent.Type.OFFERED, new IdempotencyKey("bills", "m-1"), 0, Duration.ZERO, Duration.ZERO, ""));

        assertThat(offers("accepted")).isZero();
    }

    @Test
    void registryThatFails_changesNothing() {
        bind();
        metrics.bindTo(registry);
        registry.config().onMeterAdded(meter -> {
            throw new IllegalStateException("no more meters");
        });
        registry.clear();

        assertThat(inbox.offer("m-1", new byte[0], Map.of())).isEqualTo(InboxStore.Offered.ACCEPTED);
        assertThat(inbox.depth()).isEqualTo(new InboxDepth(1, 0, 0, 0, Duration.ZERO));
    }

    @Test
    void settings_outOfRange_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> InboxMetrics.of(store.inbox(), "orders", Duration.ofMillis(999)));
        assertThatIllegalArgumentException().isThrownBy(() -> InboxMetrics.of(store.inbox(), " "));
    }
}

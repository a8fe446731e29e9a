package dev.idempotency.testkit.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.inbox.InboxEvent.Type;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxWorker;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.ForwardingInbox;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

final class InboxWorkerTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration MOMENT = Duration.ofMillis(5);

    private final InboxStore store = CaffeineIdempotencyStore.create().inbox();
    private final Queue<InboxEvent> events = new ConcurrentLinkedQueue<>();
    private final Inbox inbox = inbox(store);

    private Inbox inbox(InboxStore on) {
        return Inbox.builder(on, "events").listener(events::add).build();
    }

    private static InboxWorker.Builder quick(Inbox inbox, InboxWorker.Task task) {
        return inbox.worker(task).pollEvery(MOMENT).backoff(IntervalFunction.of(MOMENT));
    }

    private void offer(String key) {
        inbox.offer(key, new byte[] {1}, Map.of());
    }

    private List<Type> typesOf(String key) {
        return events.stream()
                .filter(event -> event.key().value().equals(key))
                .map(InboxEvent::type)
                .toList();
    }

    private long count(Type type) {
        return events.stream().filter(event -> event.type() == type).count();
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + MINUTE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting until " + what).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void worker_manyMessages_runsEachOnceAndNoMoreAtOnceThanAllowed() {
        Queue<String> handled = new ConcurrentLinkedQueue<>();
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        for (int i = 0; i < 200; i++) {
            offer("message-" + i);
            offer("message-" + i);
        }

        try (var worker = quick(inbox, claim -> {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    handled.add(claim.message().key().value());
                    LockSupport.parkNanos(100_000);
                    running.decrementAndGet();
                })
                .concurrency(3)
                .start()) {
            until("all are done", () -> count(Type.DONE) == 200);
        }

        assertThat(handled).hasSize(200).doesNotHaveDuplicates();
        assertThat(most.get()).isBetween(1, 3);
        assertThat(typesOf("message-7")).containsExactly(Type.OFFERED, Type.DUPLICATE, Type.CLAIMED, Type.DONE);
        assertThat(inbox.depth()).isEqualTo(new InboxDepth(0, 0, 0, 0, Duration.ZERO));
    }

    @Test
    void worker_taskThatFails_isRetriedAfterItsDelayUntilItSucceeds() {
        Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
        offer("key");

        try (var worker = quick(inbox, claim -> {
                    attempts.add(claim.attempt());
                    if (claim.attempt() < 3) {
                        throw new IllegalStateException("with a secret");
                    }
                    assertThat(claim.lastReason()).isEqualTo("java.lang.IllegalStateException");
                })
                .start()) {
            until("it is done", () -> count(Type.DONE) == 1);
        }

        assertThat(attempts).containsExactly(1, 2, 3);
        assertThat(typesOf("key"))
                .containsExactly(
                        Type.OFFERED, Type.CLAIMED, Type.RETRIED, Type.CLAIMED, Type.RETRIED, Type.CLAIMED, Type.DONE);
        assertThat(events.toString()).doesNotContain("secret");
    }

    @Test
    void worker_taskThatAlwaysFails_isBuriedAfterItsAttemptsAndCanBeReplayed() {
        var mended = new AtomicInteger();
        offer("key");

        try (var worker = quick(inbox, claim -> {
                    if (mended.get() == 0) {
                        throw new AssertionError("an Error is a failure too");
                    }
                })
                .attempts(3)
                .start()) {
            until("it is buried", () -> count(Type.BURIED) == 1);
            DeadLetter dead = store.deadLetters("events", null, 10).get(0);
            assertThat(dead.attempts()).isEqualTo(3);
            assertThat(dead.reason()).isEqualTo("java.lang.AssertionError");
            assertThat(count(Type.RETRIED)).isEqualTo(2);

            mended.set(1);
            assertThat(store.replay(dead.message().key())).isTrue();
            until("it is done", () -> count(Type.DONE) == 1);
        }
    }

    @Test
    void worker_taskThatGivesUp_isBuriedAtOnceWithItsReason() {
        offer("key");

        try (var worker = quick(inbox, claim -> {
                    throw new UnprocessableException("not one of ours");
                })
                .start()) {
            until("it is buried", () -> count(Type.BURIED) == 1);
        }

        assertThat(typesOf("key")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.BURIED);
        assertThat(store.deadLetters("events", null, 10))
                .singleElement()
                .extracting(DeadLetter::reason)
                .isEqualTo("not one of ours");
    }

    @Test
    void worker_idle_hearsOfAnOfferWithoutAskingTheStore() {
        try (var worker =
                inbox.worker(claim -> {}).pollEvery(Duration.ofDays(1)).start()) {
            for (int i = 1; i <= 20; i++) {
                offer("key-" + i);
                int all = i;
                until("number " + i + " is done", () -> count(Type.DONE) == all);
            }
        }
    }

    @Test
    void worker_messageWhoseProcessesDied_isBuriedWithoutAnotherRun() {
        var runs = new AtomicInteger();
        offer("key");
        for (int i = 0; i < 2; i++) {
            until(
                    "it is due",
                    () -> !store.claim("events", 1, Duration.ofMillis(1)).isEmpty());
        }

        try (var worker =
                quick(inbox, claim -> runs.incrementAndGet()).attempts(2).start()) {
            until("it is buried", () -> count(Type.BURIED) == 1);
        }

        assertThat(runs).hasValue(0);
        assertThat(store.deadLetters("events", null, 10)).hasSize(1);
    }

    @Test
    void worker_taskLongerThanItsLease_keepsItsClaim() throws Exception {
        var counting = new Faulty(store);
        var release = new CountDownLatch(1);
        offer("key");

        try (var worker = quick(inbox(counting), claim -> await(release))
                .lease(Duration.ofMillis(600))
                .start()) {
            until("it was renewed for longer than its lease", () -> counting.renewals.get() >= 6);
            release.countDown();
            until("it is done", () -> count(Type.DONE) == 1);
        }

        assertThat(typesOf("key")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.DONE);
    }

    @Test
    void worker_thatLostItsClaim_saysSoAndEndsNothing() throws Exception {
        var cutOff = new Faulty(store);
        cutOff.failRenewals = true;
        var release = new CountDownLatch(1);
        offer("key");

        try (var first = quick(inbox(cutOff), claim -> await(release))
                .concurrency(1)
                .lease(Duration.ofMillis(50))
                .start()) {
            until("the first one has it", () -> count(Type.CLAIMED) == 1);
            cutOff.failClaims = true;
            try (var second = quick(inbox, claim -> {}).start()) {
                until("the second one is done", () -> count(Type.DONE) == 1);
            }
            release.countDown();
            until("the first one notices", () -> count(Type.LEASE_LOST) > 0);
        }

        assertThat(count(Type.DONE)).isEqualTo(1);
        assertThat(inbox.depth()).isEqualTo(new InboxDepth(0, 0, 0, 0, Duration.ZERO));
    }

    @Test
    void worker_storeThatFailsForAWhile_goesOnAndRepeatsWhatMayHaveBeenWritten() {
        var failing = new Faulty(store);
        failing.failClaims = true;
        failing.lostReplies.set(2);
        offer("key");

        try (var worker = quick(inbox(failing), claim -> {}).start()) {
            until("it was asked in vain", () -> failing.claims.get() > 3);
            failing.failClaims = false;
            until("it is done", () -> count(Type.DONE) == 1);
        }

        assertThat(typesOf("key")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.DONE);
    }

    @Test
    void close_taskUnderWay_waitsForItAndClaimsNoMore() throws Exception {
        var started = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        offer("first");
        var worker = quick(inbox, claim -> {
                    started.countDown();
                    await(release);
                })
                .concurrency(1)
                .start();
        await(started);
        offer("second");
        var closer = new Thread(worker::close);

        closer.start();
        until(
                "it waits for the task",
                () -> Arrays.stream(closer.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("awaitTermination")));
        release.countDown();
        closer.join(MINUTE.toMillis());

        assertThat(closer.isAlive()).isFalse();
        assertThat(typesOf("first")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.DONE);
        assertThat(typesOf("second")).containsExactly(Type.OFFERED);
        assertThat(inbox.depth().ready()).isEqualTo(1);
    }

    @Test
    void close_taskThatDoesNotEnd_isInterruptedAndTriedAgainLater() throws Exception {
        var started = new CountDownLatch(1);
        offer("key");
        var worker = quick(inbox, claim -> {
                    started.countDown();
                    new CountDownLatch(1).await();
                })
                .drain(Duration.ofMillis(200))
                .start();
        await(started);

        worker.close();

        assertThat(typesOf("key")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.RETRIED);
        worker.close();
    }

    @Test
    void listener_thatFails_changesNothing() {
        var loud = Inbox.builder(store, "events")
                .listener(event -> {
                    throw new IllegalStateException("a listener");
                })
                .listener(events::add)
                .build();

        try (var worker = quick(loud, claim -> {}).start()) {
            loud.offer("key", new byte[0], Map.of());
            until("it is done", () -> count(Type.DONE) == 1);
        }
    }

    @Test
    void settings_outOfRange_areRefused() {
        var worker = inbox.worker(claim -> {});
        var refused = new ArrayList<Runnable>();
        refused.add(() -> worker.concurrency(0));
        refused.add(() -> worker.attempts(0));
        refused.add(() -> worker.lease(Duration.ofNanos(1)));
        refused.add(() -> worker.pollEvery(Duration.ZERO));
        refused.add(() -> worker.drain(Duration.ZERO));
        refused.add(() -> Inbox.builder(store, "events").retention(Duration.ZERO));
        Duration forever = Duration.ofSeconds(Long.MAX_VALUE);
        refused.add(() -> worker.lease(forever));
        refused.add(() -> worker.pollEvery(forever));
        refused.add(() -> worker.drain(forever));
        refused.add(() -> Inbox.builder(store, "events").retention(forever));
        refused.add(() -> Inbox.builder(store, " "));
        refused.forEach(setting -> assertThatThrownBy(setting::run).isInstanceOf(IllegalArgumentException.class));
    }

    /** One process's way to the store: its claims and renewals can fail, and replies to what ends a claim can be lost. */
    private static final class Faulty extends ForwardingInbox {
        final AtomicInteger claims = new AtomicInteger();
        final AtomicInteger renewals = new AtomicInteger();
        final AtomicInteger lostReplies = new AtomicInteger();
        volatile boolean failClaims;
        volatile boolean failRenewals;

        Faulty(InboxStore store) {
            super(store);
        }

        @Override
        public List<InboxClaim> claim(String queue, int limit, Duration lease) {
            claims.incrementAndGet();
            if (failClaims) {
                throw new StoreException("no claims now", false, null);
            }
            return super.claim(queue, limit, lease);
        }

        @Override
        public boolean renew(InboxClaim claim, Duration lease) {
            renewals.incrementAndGet();
            if (failRenewals) {
                throw new StoreException("no renewals now", false, null);
            }
            return super.renew(claim, lease);
        }

        @Override
        public boolean done(InboxClaim claim) {
            boolean done = super.done(claim);
            if (lostReplies.getAndDecrement() > 0) {
                throw new StoreException("the reply is lost", true, null);
            }
            return done;
        }
    }

    @Test
    void worker_listenerThatThrowsErrors_handlesAllMessages() {
        Queue<String> handled = new ConcurrentLinkedQueue<>();
        var failing = Inbox.builder(store, "events")
                .listener(event -> {
                    throw new NoClassDefFoundError("a listener");
                })
                .build();
        for (int i = 0; i < 5; i++) {
            failing.offer("message-" + i, new byte[] {1}, Map.of());
        }

        try (var worker = quick(
                        failing, claim -> handled.add(claim.message().key().value()))
                .start()) {
            until("all are handled", () -> handled.size() == 5);
        }

        assertThat(handled).doesNotHaveDuplicates();
    }

    @Test
    void worker_storeThatThrowsErrors_isAskedAgain() {
        var failures = new AtomicInteger(3);
        var done = new AtomicInteger();
        var failing = inbox(new ForwardingInbox(store) {
            @Override
            public List<InboxClaim> claim(String queue, int limit, Duration lease) {
                if (failures.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
                return super.claim(queue, limit, lease);
            }
        });
        offer("key");

        try (var worker = quick(failing, claim -> done.incrementAndGet()).start()) {
            until("it is done", () -> count(Type.DONE) == 1);
        }

        assertThat(done).hasValue(1);
    }

    @Test
    void worker_interruptedByItsOwnListener_goesOn() {
        var handled = new AtomicInteger();
        var interrupting = Inbox.builder(store, "events")
                .listener(event -> Thread.currentThread().interrupt())
                .build();
        offer("first");

        try (var worker =
                quick(interrupting, claim -> handled.incrementAndGet()).start()) {
            until("the first is handled", () -> handled.get() >= 1);
            offer("second");
            until("the second is handled", () -> handled.get() >= 2);
        }
    }

    @Test
    void worker_backoffThatThrows_triesTheMessageAgain() {
        offer("key");

        try (var worker = inbox.worker(claim -> {
                    if (claim.attempt() == 1) {
                        throw new IllegalStateException("once");
                    }
                })
                .pollEvery(MOMENT)
                .backoff(attempt -> {
                    throw new IllegalStateException("no idea");
                })
                .start()) {
            until("it is done", () -> count(Type.DONE) == 1);
        }

        assertThat(typesOf("key")).containsExactly(Type.OFFERED, Type.CLAIMED, Type.RETRIED, Type.CLAIMED, Type.DONE);
    }
}

package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.testkit.ForwardingInbox;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SlackIntakeTest {
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration LONG = Duration.ofMillis(2_999);
    private static final long ROOM = 1 << 20;

    @TempDir
    private Path spill;

    private final FaultyInbox store =
            new FaultyInbox(CaffeineIdempotencyStore.create().inbox());
    private final ExecutorService slack = Executors.newCachedThreadPool();
    private final List<SlackIntake> intakes = new ArrayList<>();

    private SlackIntake intake(InboxStore in, UnaryOperator<SlackIntake.Builder> settings) {
        SlackIntake intake = settings.apply(
                        SlackIntake.builder(Inbox.builder(in, "slack").build()))
                .build();
        intakes.add(intake);
        return intake;
    }

    private SlackIntake intake(UnaryOperator<SlackIntake.Builder> settings) {
        return intake(store, settings);
    }

    @AfterEach
    void close() {
        store.become(FaultyInbox.Mode.WORKS);
        intakes.forEach(SlackIntake::close);
        slack.shutdownNow();
    }

    private static Taken take(SlackIntake intake, String id) {
        return intake.take(Told.message(id, "1.0").parsed(), Transport.SOCKET, 1, "timeout");
    }

    private CompletableFuture<Taken> taking(SlackIntake intake, String id) {
        return CompletableFuture.supplyAsync(() -> take(intake, id), slack);
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(500_000);
        }
    }

    /** The ids of the events in the inbox. */
    private static List<String> ids(InboxStore store) {
        var ids = new ArrayList<String>();
        List<InboxClaim> claims;
        do {
            claims = store.claim("slack", 1_000, Duration.ofMinutes(5));
            claims.forEach(
                    claim -> ids.add(SlackEvent.parse(claim.message().payload()).eventId()));
        } while (!claims.isEmpty());
        return ids;
    }

    private static Set<String> threads() {
        Set<String> names = new HashSet<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().matches("slack-(intake|drain|spill).*")) {
                names.add(thread.getName() + " " + thread.getId());
            }
        }
        return names;
    }

    /* ---- Without a spill buffer ---- */

    @Test
    void event_newAndAgain_isAcceptedAndThenADuplicate() {
        SlackIntake intake = intake(settings -> settings);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.ACCEPTED);
        assertThat(take(intake, "Ev1")).isEqualTo(Taken.DUPLICATE);

        InboxMessage message =
                store.claim("slack", 2, Duration.ofMinutes(5)).get(0).message();
        assertThat(message.payload()).isEqualTo(Told.message("Ev1", "1.0").bytes());
        assertThat(message.attributes())
                .isEqualTo(Map.of("transport", "SOCKET", "retry", "1", "retry_reason", "timeout", "type", "message"));
    }

    @Test
    void taken_isSafe_onlyWhenItCannotBeLost() {
        assertThat(Taken.values())
                .filteredOn(Taken::isSafe)
                .containsExactly(Taken.ACCEPTED, Taken.DUPLICATE, Taken.SPILLED);
    }

    @Test
    void store_thatFails_isNoExceptionAndNotSafe() {
        SlackIntake intake = intake(settings -> settings);
        store.become(FaultyInbox.Mode.FAILS);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.FAILED);

        store.become(FaultyInbox.Mode.WORKS);
        assertThat(take(intake, "Ev1")).isEqualTo(Taken.ACCEPTED);
    }

    @Test
    void store_thatThrowsAnError_isNoExceptionAndNotSafe() {
        SlackIntake intake = intake(
                new ForwardingInbox(store) {
                    @Override
                    public Offered offer(InboxMessage message, Duration retention) {
                        throw new AssertionError("simulated");
                    }
                },
                settings -> settings);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.FAILED);
    }

    /** Each that hangs holds its place; who comes then is shed, and the store is not asked for more than it was allowed. */
    @Test
    void store_thatHangs_failsInTimeAndIsNotAskedForMore() {
        SlackIntake intake = intake(settings -> settings.budget(SHORT).concurrency(2));
        store.become(FaultyInbox.Mode.HANGS);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.FAILED);
        assertThat(take(intake, "Ev2")).isEqualTo(Taken.FAILED);
        assertThat(take(intake, "Ev3")).isEqualTo(Taken.SHED);
        until("both are asked for", () -> store.offers.get() == 2);

        store.become(FaultyInbox.Mode.WORKS);
        until("the places are free", () -> take(intake, "Ev3").isSafe());
        until("both are answered", () -> store.underWay.get() == 0);
        assertThat(ids(store)).containsExactlyInAnyOrder("Ev1", "Ev2", "Ev3");
    }

    @Test
    void waiting_forAPlace_getsItWhenOneIsFree() throws Exception {
        SlackIntake intake = intake(settings -> settings.budget(LONG).concurrency(1));
        store.become(FaultyInbox.Mode.HANGS);
        var first = taking(intake, "Ev1");
        until("the first is under way", () -> store.underWay.get() == 1);
        var second = taking(intake, "Ev2");

        store.become(FaultyInbox.Mode.WORKS);

        assertThat(first.get(1, TimeUnit.MINUTES)).isEqualTo(Taken.ACCEPTED);
        assertThat(second.get(1, TimeUnit.MINUTES)).isEqualTo(Taken.ACCEPTED);
    }

    /** With one at work and one who may wait, nobody else's time is spent: one of two is shed while the other waits. */
    @Test
    void waiting_moreThanMay_areShedAtOnce() throws Exception {
        SlackIntake intake =
                intake(settings -> settings.budget(LONG).concurrency(1).mayWait(1));
        store.become(FaultyInbox.Mode.HANGS);
        var first = taking(intake, "Ev1");
        until("the first is under way", () -> store.underWay.get() == 1);

        var second = taking(intake, "Ev2");
        var third = taking(intake, "Ev3");

        var sooner = CompletableFuture.anyOf(second, third).get(1, TimeUnit.MINUTES);
        assertThat(sooner).isEqualTo(Taken.SHED);
        assertThat(second.isDone() && third.isDone()).isFalse();
        store.become(FaultyInbox.Mode.WORKS);
        assertThat(first.get(1, TimeUnit.MINUTES)).isEqualTo(Taken.ACCEPTED);
        assertThat(List.of(second.get(1, TimeUnit.MINUTES), third.get(1, TimeUnit.MINUTES)))
                .containsExactlyInAnyOrder(Taken.SHED, Taken.ACCEPTED);
    }

    @Test
    void store_isNeverAskedForMoreThanConcurrency() throws Exception {
        SlackIntake intake = intake(settings -> settings.budget(LONG).concurrency(3));
        var all =
                IntStream.range(0, 300).mapToObj(i -> taking(intake, "Ev" + i)).toList();

        for (var one : all) {
            assertThat(one.get(1, TimeUnit.MINUTES)).isEqualTo(Taken.ACCEPTED);
        }
        assertThat(store.mostAtOnce.get()).isBetween(1, 3);
    }

    @Test
    void taker_interrupted_isShedAndStaysInterrupted() {
        SlackIntake intake = intake(settings -> settings.concurrency(1));
        store.become(FaultyInbox.Mode.HANGS);
        try {
            Thread.currentThread().interrupt();
            assertThat(take(intake, "Ev1")).isEqualTo(Taken.SHED);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            assertThat(take(intake, "Ev2")).isEqualTo(Taken.SHED);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void settings_thatCannotBe_areRefused() {
        var builder = SlackIntake.builder(Inbox.builder(store, "slack").build());

        assertThatIllegalArgumentException().isThrownBy(() -> builder.budget(Duration.ofSeconds(3)));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.budget(Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.concurrency(0));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.mayWait(0));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.spill(spill, 0));
    }

    /* ---- With one ---- */

    private SlackIntake spilling() {
        return intake(settings -> settings.budget(LONG).spill(spill, ROOM));
    }

    @Test
    void store_down_eventsGoToTheDiskAndToTheInboxWhenItIsBack() {
        SlackIntake intake = spilling();
        store.become(FaultyInbox.Mode.FAILS);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.SPILLED);
        assertThat(take(intake, "Ev2")).isEqualTo(Taken.SPILLED);
        assertThat(take(intake, "Ev2")).as("again").isEqualTo(Taken.SPILLED);
        assertThat(intake.spilledBytes()).isPositive();

        store.become(FaultyInbox.Mode.WORKS);
        until("the disk is empty", () -> intake.spilledBytes() == 0);
        until("the store is used again", () -> take(intake, "Ev1") == Taken.DUPLICATE);
        List<InboxClaim> claims = store.claim("slack", 10, Duration.ofMinutes(5));
        assertThat(claims)
                .hasSize(2)
                .allSatisfy(claim -> assertThat(claim.message().attributes())
                        .isEqualTo(Map.of(
                                "transport", "SOCKET", "retry", "1", "retry_reason", "timeout", "type", "message")));
        assertThat(claims.get(0).message().payload())
                .isEqualTo(Told.message("Ev1", "1.0").bytes());
    }

    @Test
    void store_thatKeptWhatItFailedOn_hasItOnce() {
        SlackIntake intake = spilling();
        store.become(FaultyInbox.Mode.LIES);
        assertThat(take(intake, "Ev1")).isEqualTo(Taken.SPILLED);

        store.become(FaultyInbox.Mode.WORKS);
        until("the disk is empty", () -> intake.spilledBytes() == 0);

        assertThat(ids(store)).containsExactly("Ev1");
    }

    @Test
    void store_thatHangs_leavesTimeForTheDisk() {
        SlackIntake intake =
                intake(settings -> settings.budget(Duration.ofMillis(800)).spill(spill, ROOM));
        store.become(FaultyInbox.Mode.HANGS);

        until("it is on the disk", () -> take(intake, "Ev1") == Taken.SPILLED);
    }

    @Test
    void buffer_full_isAnsweredAsWithoutIt() {
        SlackIntake intake = intake(settings -> settings.budget(LONG).spill(spill, 10));
        store.become(FaultyInbox.Mode.FAILS);

        assertThat(take(intake, "Ev1")).isEqualTo(Taken.FAILED);
        assertThat(intake.spilledBytes()).isZero();

        store.become(FaultyInbox.Mode.WORKS);
        until("the store is used again", () -> take(intake, "Ev1").isSafe());
        assertThat(ids(store)).containsExactly("Ev1");
    }

    @Test
    void event_shed_goesToTheDisk() throws Exception {
        SlackIntake intake = intake(settings -> settings.budget(Duration.ofMillis(800))
                .concurrency(1)
                .mayWait(1)
                .spill(spill, ROOM));
        store.become(FaultyInbox.Mode.HANGS);
        var first = taking(intake, "Ev1");
        until("the first is under way", () -> store.underWay.get() == 1);

        var others =
                IntStream.range(2, 8).mapToObj(i -> taking(intake, "Ev" + i)).toList();

        Set<Taken> became = new HashSet<>(List.of(first.get(1, TimeUnit.MINUTES)));
        for (var one : others) {
            became.add(one.get(1, TimeUnit.MINUTES));
        }
        // A disk may be slow; who has no time left is not acknowledged.
        assertThat(became).contains(Taken.SPILLED).doesNotContain(Taken.ACCEPTED, Taken.DUPLICATE);
        store.become(FaultyInbox.Mode.WORKS);
        until("the disk is empty", () -> intake.spilledBytes() == 0);
        assertThat(ids(store)).isNotEmpty().doesNotHaveDuplicates();
    }

    /** More may come than one thread takes away from the disk: the first success opens the way to the store. */
    @Test
    void store_back_isUsedBeforeTheDiskIsEmpty() {
        var drained = new AtomicInteger();
        var go = new CountDownLatch(1);
        SlackIntake intake = intake(
                new ForwardingInbox(store) {
                    @Override
                    public Offered offer(InboxMessage message, Duration retention) {
                        if (Thread.currentThread().getName().equals("slack-drain") && drained.get() == 1) {
                            await(go);
                        }
                        Offered offered = super.offer(message, retention);
                        if (Thread.currentThread().getName().equals("slack-drain")) {
                            drained.incrementAndGet();
                        }
                        return offered;
                    }
                },
                settings -> settings.budget(LONG).spill(spill, ROOM));
        store.become(FaultyInbox.Mode.FAILS);
        assertThat(take(intake, "Ev1")).isEqualTo(Taken.SPILLED);
        assertThat(take(intake, "Ev2")).isEqualTo(Taken.SPILLED);
        store.become(FaultyInbox.Mode.WORKS);
        until("one is drained", () -> drained.get() == 1);

        until("the store is used", () -> take(intake, "Ev" + System.nanoTime()) == Taken.ACCEPTED);

        assertThat(intake.spilledBytes()).isPositive();
        go.countDown();
        until("the disk is empty", () -> intake.spilledBytes() == 0);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void buffer_leftByAnotherProcess_isTakenOver() {
        SlackIntake before = spilling();
        store.become(FaultyInbox.Mode.FAILS);
        assertThat(take(before, "Ev1")).isEqualTo(Taken.SPILLED);
        before.close();
        store.become(FaultyInbox.Mode.WORKS);

        SlackIntake after = spilling();

        until("the disk is empty", () -> after.spilledBytes() == 0);
        assertThat(ids(store)).containsExactly("Ev1");
    }

    @Test
    void malformed_isSpilledToo() {
        SlackIntake intake = spilling();
        store.become(FaultyInbox.Mode.FAILS);
        byte[] bytes = {1, 2, 3};

        assertThat(intake.takeMalformed(bytes, Transport.HTTP, 0, "", intake.deadline()))
                .isEqualTo(Taken.SPILLED);

        store.become(FaultyInbox.Mode.WORKS);
        until("the disk is empty", () -> intake.spilledBytes() == 0);
        assertThat(store.claim("slack", 1, Duration.ofMinutes(5))
                        .get(0)
                        .message()
                        .payload())
                .isEqualTo(bytes);
    }

    /* ---- Ends ---- */

    @Test
    void intake_closed_takesNothingAndLeavesNoThread() {
        Set<String> before = threads();
        SlackIntake plain = intake(settings -> settings);
        SlackIntake spilling = spilling();
        take(plain, "Ev1");
        take(spilling, "Ev2");
        assertThat(threads()).hasSizeGreaterThan(before.size());

        plain.close();
        spilling.close();
        spilling.close();

        assertThat(take(plain, "Ev3")).isEqualTo(Taken.SHED);
        assertThat(take(spilling, "Ev4")).isEqualTo(Taken.SHED);
        until("no thread is left", () -> before.containsAll(threads()));
    }

    @Test
    void intake_closedWithAnOfferUnderWay_waitsForIt() throws Exception {
        SlackIntake intake = intake(settings -> settings.budget(LONG));
        store.become(FaultyInbox.Mode.HANGS);
        var under = taking(intake, "Ev1");
        until("it is under way", () -> store.underWay.get() == 1);
        var closing = new Thread(intake::close);
        closing.start();
        until("it waits", () -> closing.getState() == Thread.State.TIMED_WAITING);

        store.become(FaultyInbox.Mode.WORKS);

        assertThat(under.get(1, TimeUnit.MINUTES)).isEqualTo(Taken.ACCEPTED);
        closing.join();
    }

    @Test
    void intake_closedWithAStoreThatHangs_endsAndLeavesNoThread() {
        Set<String> before = threads();
        SlackIntake intake =
                intake(settings -> settings.budget(Duration.ofMillis(400)).spill(spill, ROOM));
        store.become(FaultyInbox.Mode.HANGS);
        until("it is on the disk", () -> take(intake, "Ev1") == Taken.SPILLED);
        until("the drain hangs, too", () -> store.underWay.get() >= 2);

        intake.close();

        until("no thread is left", () -> before.containsAll(threads()));
        assertThat(intake.spilledBytes()).isPositive();
        store.become(FaultyInbox.Mode.WORKS);
        SlackIntake next = spilling();
        until("the disk is empty", () -> next.spilledBytes() == 0);
        assertThat(ids(store)).containsExactly("Ev1");
    }

    /* ---- All of it ---- */

    /** Keeps nothing of what the drain brings. */
    private static final class Forgetful extends ForwardingInbox {
        Forgetful(InboxStore to) {
            super(to);
        }

        @Override
        public Offered offer(InboxMessage message, Duration retention) {
            return Thread.currentThread().getName().equals("slack-drain")
                    ? Offered.ACCEPTED
                    : super.offer(message, retention);
        }
    }

    /** What was safe and is not in the inbox. */
    private Set<String> lost(InboxStore in) throws InterruptedException, ExecutionException, TimeoutException {
        long seed = System.nanoTime();
        SlackIntake intake = intake(
                in,
                settings ->
                        settings.budget(Duration.ofMillis(200)).concurrency(4).spill(spill, ROOM));
        Map<Taken, Integer> counts = new ConcurrentHashMap<>();
        Set<String> safe = Collections.synchronizedSet(new HashSet<>());
        var isOver = new AtomicBoolean();
        // However the threads run, one delivery meets an outage.
        store.become(FaultyInbox.Mode.FAILS);
        Taken first = take(intake, "Ev0");
        counts.merge(first, 1, Integer::sum);
        if (first.isSafe()) {
            safe.add("Ev0");
        }
        var outages = CompletableFuture.runAsync(
                () -> {
                    var random = new Random(seed);
                    while (!isOver.get()) {
                        store.become(FaultyInbox.Mode.values()[random.nextInt(4)]);
                        LockSupport.parkNanos(random.nextInt(30_000_000));
                    }
                },
                slack);
        var senders = IntStream.range(0, 8)
                .mapToObj(sender -> CompletableFuture.runAsync(
                        () -> {
                            for (int i = 0; i < 100; i++) {
                                String id = "Ev" + sender + "." + i;
                                Taken taken = take(intake, id);
                                counts.merge(taken, 1, Integer::sum);
                                if (taken.isSafe()) {
                                    safe.add(id);
                                }
                            }
                        },
                        slack))
                .toList();
        for (var sender : senders) {
            sender.get(1, TimeUnit.MINUTES);
        }
        isOver.set(true);
        outages.get(1, TimeUnit.MINUTES);
        store.become(FaultyInbox.Mode.WORKS);
        until("the disk is empty", () -> intake.spilledBytes() == 0);
        assertThat(counts).as("seed " + seed).containsKey(Taken.SPILLED);
        List<String> kept = ids(in);
        assertThat(kept).as("seed " + seed).doesNotHaveDuplicates();
        safe.removeAll(kept);
        return safe;
    }

    @Test
    void outages_ofAnyKind_loseNothingThatWasSafe() throws Exception {
        assertThat(lost(store)).isEmpty();
    }

    @Test
    void store_thatForgetsWhatTheDiskBrings_isNoticed() throws Exception {
        assertThat(lost(new Forgetful(store))).isNotEmpty();
    }
}

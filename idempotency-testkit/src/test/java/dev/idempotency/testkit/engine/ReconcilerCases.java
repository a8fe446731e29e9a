package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a reconciler does on a store, whichever it is: tests to inherit. */
public abstract class ReconcilerCases {
    private static final Duration LEASE = Duration.ofMillis(100);
    private static final ProviderProfile ENDLESS =
            ProviderProfile.of("simulated", "these tests", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS);

    /** What is to be paid. */
    public record Payment(String id, long amount) {}

    /** What was paid. */
    public record Paid(String effect, long amount) {}

    /** A provider in this process, which counts who is with it for one key at the same time. */
    private static final class Ledger {
        final Map<String, Paid> effects = new ConcurrentHashMap<>();
        final Map<String, AtomicInteger> visits = new ConcurrentHashMap<>();
        final AtomicInteger most = new AtomicInteger();
        private final Map<String, AtomicInteger> present = new ConcurrentHashMap<>();
        private final int company;

        /** @param company a visit lasts until so many visit one key, or for a while */
        Ledger(int company) {
            this.company = company;
        }

        <T> T visit(String id, Callable<T> business) throws Exception {
            visits.computeIfAbsent(id, same -> new AtomicInteger()).incrementAndGet();
            var here = present.computeIfAbsent(id, same -> new AtomicInteger());
            most.accumulateAndGet(here.incrementAndGet(), Math::max);
            try {
                Eventually.orAfter(Duration.ofMillis(200), () -> here.get() >= company);
                return business.call();
            } finally {
                here.decrementAndGet();
            }
        }

        Paid pay(Payment payment) {
            return effects.compute(
                    payment.id(),
                    (id, paid) -> paid == null ? new Paid(UUID.randomUUID().toString(), payment.amount()) : paid);
        }
    }

    private final List<Idempotency> instances = new ArrayList<>();
    private final Queue<IdempotencyEvent> events = new ConcurrentLinkedQueue<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch never = new CountDownLatch(1);
    private final String run = UUID.randomUUID().toString().substring(0, 8);

    /** For subclasses. */
    protected ReconcilerCases() {}

    /** A store; the same for every call in one test. */
    protected abstract IdempotencyStore store();

    @AfterEach
    final void end() {
        never.countDown();
        threads.shutdownNow();
        instances.forEach(Idempotency::close);
    }

    /** Another "process" on the store. */
    private Idempotency another() {
        var instance = Idempotency.builder(store()).listener(events::add).build();
        instances.add(instance);
        return instance;
    }

    private String name(String policy) {
        return policy + "-" + run;
    }

    private Operation.Builder<Payment, Paid> payments(Idempotency on, String policy, Recovery<Payment, Paid> recovery) {
        return on.operation(name(policy), Payment.class, Paid.class)
                .key(Payment::id)
                .recoveryTimeout(Duration.ofSeconds(20))
                .recovery(recovery)
                .keepRequests();
    }

    private static Recovery<Payment, Paid> lookup(Ledger ledger) {
        return Recovery.lookup((payment, attempt) -> ledger.visit(payment.id(), () -> found(ledger, payment)));
    }

    private static Recovery<Payment, Paid> seal(Ledger ledger) {
        return Recovery.seal((payment, attempt) -> ledger.visit(payment.id(), () -> found(ledger, payment)));
    }

    private static Finding<Paid> found(Ledger ledger, Payment payment) {
        Paid paid = ledger.effects.get(payment.id());
        return paid == null ? Finding.missing() : Finding.found(paid);
    }

    /** A process that pays, and is never heard of again: its attempts lapse. */
    private void payAndVanish(
            String policy, Recovery<Payment, Paid> recovery, Ledger ledger, boolean effect, int keys) {
        Set<String> called = ConcurrentHashMap.newKeySet();
        var operation = payments(another(), policy, recovery)
                .lease(LEASE)
                .callTimeout(Duration.ofMillis(10))
                .calling((payment, attempt) -> {
                    if (effect) {
                        ledger.pay(payment);
                    }
                    called.add(payment.id());
                    never.await();
                    throw new IllegalStateException("this process is dead");
                });
        for (int i = 0; i < keys; i++) {
            var payment = payment(i);
            var unused = threads.submit(() -> untilCalled(operation, payment));
        }
        Eventually.holds(
                keys + " lapsed attempts",
                () -> called.size() == keys && unresolved(policy) == keys && lapsed(policy, keys));
    }

    /** On a busy machine a lease may be over before the call: then nothing was sent, and the key is free again. */
    private static Paid untilCalled(Operation<Payment, Paid> operation, Payment payment) {
        while (true) {
            try {
                return operation.execute(payment);
            } catch (NotExecutedException e) {
                // Once more.
            }
        }
    }

    private boolean lapsed(String policy, int keys) {
        for (int i = 0; i < keys; i++) {
            var snapshot = store().find(key(policy, i));
            if (snapshot.record() == null || !snapshot.record().isLapsed(snapshot.now())) {
                return false;
            }
        }
        return true;
    }

    private static Payment payment(int i) {
        return new Payment("order-" + i, 100 + i);
    }

    private IdempotencyKey key(String policy, int i) {
        return new IdempotencyKey(name(policy), payment(i).id());
    }

    private IdempotencyRecord record(String policy, int i) {
        var record = store().find(key(policy, i)).record();
        if (record == null) {
            throw new AssertionError("no record of " + key(policy, i));
        }
        return record;
    }

    private int unresolved(String policy) {
        int count = 0;
        IdempotencyRecord after = null;
        while (true) {
            var page = store().listUnresolved(after, 100);
            count += (int) page.stream()
                    .filter(record -> record.key().scope().equals(name(policy)))
                    .count();
            if (page.size() < 100) {
                return count;
            }
            after = page.get(page.size() - 1);
        }
    }

    private Operation<Payment, Paid> recovering(String policy, Recovery<Payment, Paid> recovery, Ledger ledger) {
        return payments(another(), policy, recovery).calling((payment, attempt) -> {
            attempt.nativeKey();
            return ledger.visit(payment.id(), () -> ledger.pay(payment));
        });
    }

    private Reconciler reconciler(Operation<?, ?>... operations) {
        return Reconciler.on(instances.get(instances.size() - 1))
                .operations(operations)
                .every(Duration.ofMillis(20))
                .build();
    }

    // ---- one reconciler

    @Test
    void lookup_afterAnEffectThatNobodyHeardOf_completesTheKey() {
        var ledger = new Ledger(1);
        payAndVanish("lookup", lookup(ledger), ledger, true, 1);
        var operation = recovering("lookup", lookup(ledger), ledger);

        var sweep = reconciler(operation).sweep();

        assertThat(sweep.resolved()).isEqualTo(1);
        assertThat(record("lookup", 0).state()).isEqualTo(State.COMPLETED);
        assertThat(operation.execute(payment(0))).isEqualTo(ledger.effects.get("order-0"));
        assertThat(ledger.visits.get("order-0")).hasValue(1);
    }

    @Test
    void lookup_withoutAnEffect_leavesTheKeyInDoubt() {
        var ledger = new Ledger(1);
        payAndVanish("lookup", lookup(ledger), ledger, false, 1);

        var sweep = reconciler(recovering("lookup", lookup(ledger), ledger)).sweep();

        assertThat(sweep.inDoubt()).isEqualTo(1);
        assertThat(record("lookup", 0).state()).isEqualTo(State.IN_DOUBT);
        assertThat(ledger.effects).isEmpty();
    }

    @Test
    void nativeKey_isSentAgain() {
        var ledger = new Ledger(1);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, 1);
        Paid first = ledger.effects.get("order-0");

        var sweep = reconciler(recovering("native", Recovery.nativeKey(ENDLESS), ledger))
                .sweep();

        assertThat(sweep.resolved()).isEqualTo(1);
        assertThat(record("native", 0).state()).isEqualTo(State.COMPLETED);
        assertThat(ledger.effects).containsExactly(Map.entry("order-0", first));
    }

    @Test
    void seal_withoutAnEffect_callsAgainWithAnotherNativeKey() {
        var ledger = new Ledger(1);
        payAndVanish("seal", seal(ledger), ledger, false, 1);
        String sealed = record("seal", 0).nativeKey();

        var sweep = reconciler(recovering("seal", seal(ledger), ledger)).sweep();

        assertThat(sweep.resolved()).isEqualTo(1);
        assertThat(record("seal", 0).state()).isEqualTo(State.COMPLETED);
        assertThat(record("seal", 0).nativeKey()).isNotEqualTo(sealed);
        assertThat(ledger.effects).hasSize(1);
    }

    @Test
    void hold_isListedAndLeftToAPerson() {
        var ledger = new Ledger(1);
        payAndVanish("hold", Recovery.hold(), ledger, true, 1);
        var reconciler = reconciler(recovering("hold", Recovery.hold(), ledger));

        assertThat(reconciler.sweep().held()).isEqualTo(1);
        assertThat(reconciler.sweep().held()).isEqualTo(1);
        assertThat(record("hold", 0).state()).isEqualTo(State.IN_DOUBT);
        assertThat(unresolved("hold")).isEqualTo(1);
        assertThat(ledger.visits).isEmpty();
    }

    @Test
    void unregistered_isMarkedInDoubtAndCounted() {
        var ledger = new Ledger(1);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, 1);
        another();

        assertThat(reconciler().sweep().unregistered()).isEqualTo(1);
        assertThat(record("native", 0).state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void inFlight_withALeaseLeft_isLeftAlone() throws Exception {
        var ledger = new Ledger(1);
        var calling = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var slow = payments(another(), "native", Recovery.nativeKey(ENDLESS))
                .lease(Duration.ofMinutes(1))
                .calling((payment, attempt) -> {
                    calling.countDown();
                    finish.await();
                    return ledger.pay(payment);
                });
        Future<Paid> caller = threads.submit(() -> slow.execute(payment(0)));
        calling.await();

        var sweep = reconciler(recovering("native", Recovery.nativeKey(ENDLESS), ledger))
                .sweep();

        assertThat(sweep.inFlight()).isEqualTo(1);
        assertThat(record("native", 0).attempt()).isEqualTo(1);
        finish.countDown();
        assertThat(caller.get(20, TimeUnit.SECONDS)).isEqualTo(ledger.effects.get("order-0"));
    }

    @Test
    void request_isKeptOnlyWhileItsKeyIsUnresolved() {
        var ledger = new Ledger(1);
        payAndVanish("lookup", lookup(ledger), ledger, true, 1);
        assertThat(record("lookup", 0).request()).isNotNull();

        reconciler(recovering("lookup", lookup(ledger), ledger)).sweep();

        assertThat(record("lookup", 0).request()).isNull();
    }

    @Test
    void requestOfAnotherPayload_isNeverSent() {
        var ledger = new Ledger(1);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, 1);
        var other = payments(another(), "native", Recovery.nativeKey(ENDLESS))
                .fingerprint(payment -> payment.amount() + 1)
                .calling((payment, attempt) -> ledger.visit(payment.id(), () -> ledger.pay(payment)));

        var sweep = reconciler(other).sweep();

        assertThat(sweep.failed()).isEqualTo(1);
        assertThat(ledger.visits).isEmpty();
        assertThat(events)
                .anySatisfy(event -> assertThat(event.type()).isEqualTo(IdempotencyEvent.Type.RECOVERY_FAILED));
    }

    @Test
    void failing_isTriedAgainLaterAndNotAtOnce() {
        var ledger = new Ledger(1);
        payAndVanish("lookup", lookup(ledger), ledger, true, 1);
        var asked = new AtomicInteger();
        var operation = payments(another(), "lookup", Recovery.lookup((payment, attempt) -> {
                    asked.incrementAndGet();
                    return Finding.unknown("not now");
                }))
                .calling((payment, attempt) -> ledger.pay(payment));
        var reconciler = Reconciler.on(instances.get(instances.size() - 1))
                .operations(operation)
                .every(Duration.ofHours(1))
                .build();

        assertThat(reconciler.sweep().inDoubt()).isEqualTo(1);
        assertThat(reconciler.sweep().inDoubt()).isEqualTo(1);
        assertThat(asked).hasValue(1);
    }

    @Test
    void recordWhoseRetentionIsOver_isPurgedUnlessItIsSwitchedOff() {
        var purged = new AtomicInteger();
        var listening = Idempotency.builder(store())
                .listener(new IdempotencyListener() {
                    @Override
                    public void on(IdempotencyEvent event) {}

                    @Override
                    public void onPurged(int records) {
                        purged.addAndGet(records);
                    }
                })
                .build();
        instances.add(listening);
        var charge = payments(listening, "purged", Recovery.hold())
                .lease(Duration.ofSeconds(1))
                .retention(Duration.ofSeconds(1))
                .tombstone(Duration.ofDays(1))
                .calling((payment, attempt) -> new Paid("effect", payment.amount()));
        untilCalled(charge, payment(0));
        Eventually.holds("the result's retention is over", () -> {
            var snapshot = store().find(key("purged", 0));
            return snapshot.record() != null && snapshot.record().isExpired(snapshot.now());
        });

        assertThat(reconciler().sweep()).isNotNull();
        var without = Reconciler.on(listening).purge(false).build();
        assertThat(without.sweep().purged()).isZero();

        assertThat(record("purged", 0).result()).isNull();
        assertThat(purged.get()).isPositive();
    }

    @Test
    void started_worksInTheBackground_untilClosed() {
        var ledger = new Ledger(1);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, 3);
        try (var reconciler = reconciler(recovering("native", Recovery.nativeKey(ENDLESS), ledger))) {
            reconciler.start();

            Eventually.holds("resolved", () -> unresolved("native") == 0);
            assertThatThrownBy(reconciler::start).isInstanceOf(IllegalStateException.class);
        }
        assertThat(ledger.effects).hasSize(3);
    }

    @Test
    void closed_startsNothing() {
        var ledger = new Ledger(1);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, 1);
        var reconciler = reconciler(recovering("native", Recovery.nativeKey(ENDLESS), ledger));
        reconciler.close();

        assertThat(reconciler.sweep().unresolved()).isZero();
        assertThat(unresolved("native")).isEqualTo(1);
        assertThatThrownBy(reconciler::start).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void close_waitsForWhatIsUnderWay() throws Exception {
        var ledger = new Ledger(1);
        payAndVanish("lookup", lookup(ledger), ledger, true, 1);
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        var operation = payments(another(), "lookup", Recovery.lookup((payment, attempt) -> {
                    asked.countDown();
                    answer.await();
                    return found(ledger, payment);
                }))
                .calling((payment, attempt) -> ledger.pay(payment));
        var reconciler = reconciler(operation);
        reconciler.start();
        asked.await();
        var closing = new Thread(reconciler::close);
        closing.start();
        Eventually.holds("waits", () -> closing.getState() == Thread.State.TIMED_WAITING);
        assertThat(record("lookup", 0).state()).isEqualTo(State.IN_DOUBT);

        answer.countDown();
        closing.join();

        assertThat(record("lookup", 0).state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void close_whileAKeyWaitsForItsTurn_beginsNothingMore() throws Exception {
        var ledger = new Ledger(1);
        payAndVanish("turns", lookup(ledger), ledger, true, 4);
        var asked = new AtomicInteger();
        var answer = new CountDownLatch(1);
        var operation = payments(another(), "turns", Recovery.lookup((payment, attempt) -> {
                    asked.incrementAndGet();
                    answer.await();
                    return found(ledger, payment);
                }))
                .calling((payment, attempt) -> ledger.pay(payment));
        var reconciler = Reconciler.on(instances.get(instances.size() - 1))
                .operations(operation)
                .parallelism(1)
                .build();
        var sweeping = new Thread(reconciler::sweep);
        sweeping.start();
        Eventually.holds(
                "one is asked about, the next waits for its turn",
                () -> asked.get() == 1 && sweeping.getState() == Thread.State.TIMED_WAITING);
        var closing = new Thread(reconciler::close);
        closing.start();
        Eventually.holds("waits", () -> closing.getState() == Thread.State.TIMED_WAITING);

        answer.countDown();
        closing.join();
        sweeping.join();

        assertThat(asked).as("asked about").hasValue(1);
        assertThat(unresolved("turns")).isEqualTo(3);
    }

    @Test
    void parallelism_isBounded() {
        assertThat(mostAtOnce(3, Duration.ofMillis(100))).isLessThanOrEqualTo(3);
        assertThat(mostAtOnce(4, Eventually.DEADLINE)).as("the count sees more").isEqualTo(4);
    }

    /** How many are at the provider at once, of whom each stays until there are four or his patience is over. */
    private int mostAtOnce(int parallelism, Duration patience) {
        var ledger = new Ledger(1);
        String policy = "lookup-" + parallelism;
        payAndVanish(policy, lookup(ledger), ledger, true, 8);
        var present = new AtomicInteger();
        var most = new AtomicInteger();
        Recovery<Payment, Paid> counted = Recovery.lookup((payment, attempt) -> {
            most.accumulateAndGet(present.incrementAndGet(), Math::max);
            Eventually.orAfter(patience, () -> most.get() >= 4);
            present.decrementAndGet();
            return found(ledger, payment);
        });
        var operation = payments(another(), policy, counted).calling((payment, attempt) -> ledger.pay(payment));
        var reconciler = Reconciler.on(instances.get(instances.size() - 1))
                .operations(operation)
                .parallelism(parallelism)
                .build();

        assertThat(reconciler.sweep().resolved()).isEqualTo(8);
        return most.get();
    }

    // ---- several at once

    private static final int KEYS = 12;
    private static final int PROCESSES = 4;

    private void reconcileAtOnce(String policy, Recovery<Payment, Paid> recovery, Ledger ledger) throws Exception {
        var reconcilers = new ArrayList<Reconciler>();
        for (int i = 0; i < PROCESSES; i++) {
            reconcilers.add(reconciler(recovering(policy, recovery, ledger)));
        }
        var start = new CountDownLatch(1);
        var sweeps = new ArrayList<Future<?>>();
        for (Reconciler reconciler : reconcilers) {
            sweeps.add(threads.submit(() -> {
                start.await();
                do {
                    reconciler.sweep();
                } while (unresolved(policy) > 0);
                return null;
            }));
        }
        start.countDown();
        for (Future<?> sweep : sweeps) {
            sweep.get(60, TimeUnit.SECONDS);
        }
    }

    private void assertOnePerKey(Ledger ledger) {
        assertThat(ledger.most)
                .as("workers at the provider for one key at once")
                .hasValue(1);
        assertThat(ledger.visits).hasSize(KEYS);
        assertThat(ledger.visits.values())
                .as("visits of each key")
                .allSatisfy(visits -> assertThat(visits).hasValue(1));
        assertThat(ledger.effects).hasSize(KEYS);
    }

    @Test
    void severalAtOnce_askForAKeyOneAtATime() throws Exception {
        var ledger = new Ledger(2);
        payAndVanish("lookup", lookup(ledger), ledger, true, KEYS);

        reconcileAtOnce("lookup", lookup(ledger), ledger);

        assertOnePerKey(ledger);
    }

    @Test
    void severalAtOnce_sealAKeyOneAtATime() throws Exception {
        var ledger = new Ledger(2);
        payAndVanish("seal", seal(ledger), ledger, true, KEYS);

        reconcileAtOnce("seal", seal(ledger), ledger);

        assertOnePerKey(ledger);
    }

    @Test
    void severalAtOnce_sendAKeyAgainOnce() throws Exception {
        var ledger = new Ledger(2);
        payAndVanish("native", Recovery.nativeKey(ENDLESS), ledger, true, KEYS);

        reconcileAtOnce("native", Recovery.nativeKey(ENDLESS), ledger);

        assertOnePerKey(ledger);
    }

    /** Callers claim nothing, for they cannot wait: the count above must see them meet at the provider. */
    @Test
    void severalCallersAtOnce_areSeenToMeet() throws Exception {
        var ledger = new Ledger(2);
        payAndVanish("lookup", lookup(ledger), ledger, true, 1);
        var callers = new ArrayList<Future<?>>();
        for (int i = 0; i < PROCESSES; i++) {
            var operation = recovering("lookup", lookup(ledger), ledger);
            callers.add(threads.submit(() -> executed(operation)));
        }
        for (Future<?> caller : callers) {
            caller.get(60, TimeUnit.SECONDS);
        }

        assertThat(ledger.most.get()).isGreaterThan(1);
    }

    private static @Nullable Paid executed(Operation<Payment, Paid> operation) {
        try {
            return operation.execute(payment(0));
        } catch (IdempotencyException e) {
            return null;
        }
    }

    // ---- what is refused

    @Test
    void operations_thatCannotBeRecovered_areRefused() {
        var ledger = new Ledger(1);
        var here = another();
        var forgetful = here.operation("forgetful", Payment.class, Paid.class)
                .key(Payment::id)
                .recovery(lookup(ledger))
                .calling((payment, attempt) -> ledger.pay(payment));
        var elsewhere =
                payments(another(), "elsewhere", lookup(ledger)).calling((payment, attempt) -> ledger.pay(payment));
        var fine = payments(here, "fine", lookup(ledger)).calling((payment, attempt) -> ledger.pay(payment));

        assertThatThrownBy(() -> Reconciler.on(here).operations(forgetful))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "operation 'forgetful' keeps no requests, without which nobody but its callers can recover; build it"
                                + " with keepRequests()");
        assertThatThrownBy(() -> Reconciler.on(here).operations(elsewhere))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("another instance");
        assertThatThrownBy(() -> Reconciler.on(here).operations(fine, fine))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("added before");
        assertThatThrownBy(() -> Reconciler.on(here).parallelism(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Reconciler.on(here)
                        .every(Duration.ofHours(2))
                        .retryWithin(Duration.ofHours(1))
                        .build())
                .isInstanceOf(IllegalArgumentException.class);
    }
}

package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.DeclinedException;
import dev.idempotency.Finding;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.Fault;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.Observation;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.UnreliableProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Ten thousand keys, each executed twice over by sixteen threads, against a provider that fails all the time. */
final class ManyKeysTest {
    private static final int KEYS = 10_000;
    private static final int THREADS = 16;
    private static final int RUNS_PER_KEY = 2;
    private static final String FAULTS = "reply-lost=0.10,error-after=0.10,error-before=0.05,reset-before=0.10,"
            + "reset-after=0.05,refused=0.05,declined=0.05,max=3";

    private final Shop shop = Shop.open();
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final AtomicInteger requests = new AtomicInteger();
    private final Map<String, Set<Object>> answers = new ConcurrentHashMap<>();

    @Test
    void execute_faultyProviderThatKnowsNativeKeys_noKeyTwiceAndAllResolved() throws Throwable {
        long seed = new Random().nextLong();
        run(
                seed,
                ProviderBehavior.none().withNativeKey().withLookup(Duration.ZERO),
                provider -> Recovery.nativeKey(Shop.NATIVE));
    }

    @Test
    void execute_faultyProviderThatCanOnlyBeLookedUp_noKeyTwiceAndAllResolved() throws Throwable {
        long seed = new Random().nextLong();
        run(
                seed,
                ProviderBehavior.none().withLookup(Duration.ZERO),
                provider -> Recovery.lookupThenReexecute(
                        (order, attempt) -> {
                            List<Effect> effects = provider.lookupByKey(attempt.nativeKey());
                            return effects.isEmpty() ? Finding.missing() : Finding.found(receipt(effects.get(0)));
                        },
                        new Quiescence(
                                Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ofMillis(1))));
    }

    private void run(
            long seed, ProviderBehavior behavior, Function<SimulatedProvider, Recovery<Order, Receipt>> recovery)
            throws Throwable {
        var provider = new SimulatedProvider(behavior, ledger, shop.clock);
        var plan = FaultPlan.parse(FAULTS, seed);
        var unreliable = new UnreliableProvider(provider, plan, Duration.ofSeconds(1), Duration.ofSeconds(1));
        Operation<Order, Receipt> charge = shop.charge()
                .recovery(recovery.apply(provider))
                .waitAtMost(Eventually.DEADLINE)
                .calling((order, attempt) -> answered(unreliable.submit(new Submission(
                        "r" + requests.incrementAndGet(), attempt.nativeKey(), order.id(), "" + order.amount()))));
        try {
            List<Future<?>> threads = new ArrayList<>();
            var program = program(seed);
            for (int t = 0; t < THREADS; t++) {
                threads.add(shop.submit(() -> {
                    runAll(charge, program);
                    return null;
                }));
            }
            for (Future<?> thread : threads) {
                Eventually.get(thread);
            }
            resolveAll(charge);
            check(plan);
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed + ": " + e, e);
        } finally {
            shop.close();
        }
    }

    private static Receipt answered(Observation observation) throws IOException {
        if (!(observation instanceof Observation.Answered answered)) {
            throw new IOException("connection reset");
        }
        Reply reply = answered.reply();
        if (reply instanceof Reply.Created created) {
            return receipt(created.effect());
        }
        if (reply instanceof Reply.Replayed replayed) {
            return receipt(replayed.effect());
        }
        if (reply instanceof Reply.Declined declined) {
            throw new DeclinedException(declined.reason());
        }
        if (reply instanceof Reply.RateLimited) {
            throw new NotExecutedException("429", null);
        }
        throw new IOException("not a definite answer: " + reply);
    }

    private static Receipt receipt(Effect effect) {
        return new Receipt(effect.effectId(), Long.parseLong(effect.payload()));
    }

    private static Order order(int number) {
        return new Order("o-" + number, number);
    }

    /** Every key some times over, neighbours close together so that they meet. */
    private static Queue<Integer> program(long seed) {
        var random = new Random(seed);
        var numbers = new ArrayList<Integer>();
        for (int i = 0; i < KEYS * RUNS_PER_KEY; i++) {
            numbers.add(i / RUNS_PER_KEY);
        }
        for (int from = 0; from < numbers.size(); from += THREADS) {
            Collections.shuffle(numbers.subList(from, Math.min(from + THREADS, numbers.size())), random);
        }
        return new ConcurrentLinkedQueue<>(numbers);
    }

    private void runAll(Operation<Order, Receipt> charge, Queue<Integer> program) {
        for (Integer number = program.poll(); number != null; number = program.poll()) {
            tryOnce(charge, order(number));
        }
    }

    /** Whether there was a definite answer. */
    private boolean tryOnce(Operation<Order, Receipt> charge, Order order) {
        Object answer;
        try {
            answer = charge.execute(order);
        } catch (DeclinedException e) {
            answer = e.reason();
        } catch (InDoubtException | NotExecutedException e) {
            return false;
        }
        answers.computeIfAbsent(order.id(), id -> ConcurrentHashMap.newKeySet()).add(answer);
        return true;
    }

    private void resolveAll(Operation<Order, Receipt> charge) {
        List<Order> open = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            open.add(order(i));
        }
        for (int round = 0; !open.isEmpty(); round++) {
            assertThat(round).as("rounds; still open: " + open.size()).isLessThan(20);
            open.removeIf(order -> tryOnce(charge, order));
        }
    }

    private void check(FaultPlan plan) {
        Map<String, Long> amounts = new HashMap<>();
        ledger.effects().forEach(effect -> amounts.put(effect.effectId(), Long.valueOf(effect.payload())));
        assertThat(ledger.duplicates()).isEmpty();
        assertThat(ledger.duplicateKeys()).isEmpty();
        assertThat(answers).hasSize(KEYS);
        var named = new HashSet<String>();
        answers.forEach((id, given) -> {
            assertThat(given).as(id).hasSize(1);
            if (given.iterator().next() instanceof Receipt receipt) {
                assertThat(amounts).as(id).containsEntry(receipt.effect(), receipt.amount());
                assertThat(named.add(receipt.effect())).as(receipt.effect()).isTrue();
                assertThat("o-" + receipt.amount()).isEqualTo(id);
            } else {
                assertThat(ledger.effectsOf(id)).as(id).isEmpty();
            }
        });
        assertThat(named).hasSize(ledger.count());
        for (int i = 0; i < KEYS; i++) {
            assertThat(shop.record(new IdempotencyKey(Shop.OPERATION, "o-" + i)).state())
                    .isEqualTo(State.COMPLETED);
        }
        for (Fault fault : List.of(
                Fault.REPLY_LOST_AFTER_EFFECT,
                Fault.ERROR_500_AFTER_EFFECT,
                Fault.RESET_BEFORE_EFFECT,
                Fault.DECLINED_402)) {
            assertThat(plan.chosen().get(fault)).as(fault.name()).isGreaterThan(100);
        }
    }
}

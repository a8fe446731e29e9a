package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Operation;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SingleFlightTest {
    private static final int CALLERS = 64;

    private final Shop shop = Shop.open();
    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);

    @AfterEach
    void close() {
        shop.close();
    }

    private Operation.Call<Order, Receipt> held() {
        return (order, attempt) -> {
            int call = shop.calls.incrementAndGet();
            started.countDown();
            Eventually.opens(answer);
            return new Receipt("effect-" + call, order.amount());
        };
    }

    private static List<Receipt> all(List<Future<Receipt>> futures) throws Throwable {
        var receipts = new ArrayList<Receipt>();
        for (Future<Receipt> future : futures) {
            receipts.add(Eventually.get(future));
        }
        return receipts;
    }

    @Test
    void execute_sixtyFourThreadsOneKey_oneCallAndOneAnswerAndNoReadByTheWaiters() throws Throwable {
        var charge = shop.charge().waitAtMost(Eventually.DEADLINE).calling(held());
        List<Future<Receipt>> futures = new ArrayList<>();

        for (int i = 0; i < CALLERS; i++) {
            futures.add(shop.submit(() -> charge.execute(ORDER)));
        }
        shop.awaitWaiting(CALLERS);
        answer.countDown();

        assertThat(all(futures)).hasSize(CALLERS).containsOnly(new Receipt("effect-1", 100));
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.store.steps(Kind.RESERVE)).isEqualTo(1);
        assertThat(shop.store.steps(Kind.COMPLETE)).isEqualTo(1);
        assertThat(shop.store.steps()).isEqualTo(2);
    }

    @Test
    void execute_twoInstancesOnOneStore_oneCallInAll() throws Throwable {
        var here = shop.charge().waitAtMost(Eventually.DEADLINE).calling(held());
        var there = shop.charge(shop.another()).waitAtMost(Eventually.DEADLINE).calling(held());
        List<Future<Receipt>> futures = new ArrayList<>();

        for (int i = 0; i < CALLERS / 2; i++) {
            futures.add(shop.submit(() -> here.execute(ORDER)));
            futures.add(shop.submit(() -> there.execute(ORDER)));
        }
        shop.awaitWaiting(CALLERS);
        answer.countDown();

        assertThat(new HashSet<>(all(futures))).containsExactly(new Receipt("effect-1", 100));
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.store.steps(Kind.RESERVE)).isEqualTo(2);
        assertThat(shop.store.steps(Kind.COMPLETE)).isEqualTo(1);
    }

    @Test
    void execute_otherPayloadWhileInFlight_isRefusedAtOnceAndDoesNotDisturbTheFlight() throws Throwable {
        var charge = shop.charge().calling(held());
        var owner = shop.submit(() -> charge.execute(ORDER));
        Eventually.opens(started);

        Failures.mismatch(() -> charge.execute(new Order("o-1", 999)));
        var waiter = shop.submit(() -> charge.execute(ORDER));
        shop.awaitWaiting(2);
        answer.countDown();

        assertThat(Eventually.get(owner)).isEqualTo(Eventually.get(waiter));
        assertThat(shop.calls).hasValue(1);
    }
}

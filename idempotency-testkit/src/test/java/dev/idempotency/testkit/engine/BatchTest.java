package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.DeclinedException;
import dev.idempotency.InDoubtException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class BatchTest {
    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.close();
    }

    private static List<Order> orders(int count) {
        List<Order> orders = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            orders.add(new Order("o-" + i, i));
        }
        return orders;
    }

    @Test
    void executeAll_manyRequests_eachHasItsOwnOutcomeInItsPlace() throws Throwable {
        var charge = shop.charge().calling((order, attempt) -> switch (order.id()) {
            case "o-1" -> throw new DeclinedException("no funds");
            case "o-2" -> throw new IllegalStateException("reset");
            default -> new Receipt(order.id(), order.amount());
        });

        var outcomes = charge.executeAll(orders(5), 2);

        assertThat(Eventually.get(outcomes.get(0)).effect()).isEqualTo("o-0");
        Failures.failed(DeclinedException.class, () -> Eventually.get(outcomes.get(1)));
        Failures.failed(InDoubtException.class, () -> Eventually.get(outcomes.get(2)));
        assertThat(Eventually.get(outcomes.get(3)).effect()).isEqualTo("o-3");
        assertThat(Eventually.get(outcomes.get(4)).effect()).isEqualTo("o-4");
    }

    @Test
    void executeAll_requestWithoutAKey_failsAlone() throws Throwable {
        var charge = shop.charge().calling(shop.working());

        var outcomes = charge.executeAll(List.of(new Order(" ", 1), new Order("o-1", 1)), 1);

        Failures.failed(IllegalArgumentException.class, () -> Eventually.get(outcomes.get(0)));
        assertThat(Eventually.get(outcomes.get(1)).amount()).isEqualTo(1);
    }

    @Test
    void executeAll_moreThanAtOnce_neverMoreCallsUnderWay() throws Throwable {
        var underWay = new AtomicInteger();
        var most = new AtomicInteger();
        Map<String, CompletableFuture<Receipt>> downstream = new ConcurrentHashMap<>();
        var charge = shop.charge().callingAsync((order, attempt) -> {
            most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
            var answer = new CompletableFuture<Receipt>();
            downstream.put(order.id(), answer);
            return answer;
        });

        var outcomes = charge.executeAll(orders(40), 4);
        for (int done = 0; done < 40; done += 4) {
            int expected = done + 4;
            Eventually.holds("four more are called", () -> downstream.size() >= expected);
            for (int i = 0; i < 40; i++) {
                var answer = downstream.get("o-" + i);
                if (answer != null && !answer.isDone()) {
                    underWay.decrementAndGet();
                    answer.complete(new Receipt("o-" + i, i));
                }
            }
        }

        for (var outcome : outcomes) {
            Eventually.get(outcome);
        }
        assertThat(most).hasValueLessThanOrEqualTo(4);
    }

    @Test
    void executeAll_oneKeyManyTimes_isOneWrite() throws Throwable {
        var charge = shop.charge().calling(shop.working());

        for (var outcome : charge.executeAll(List.of(Shop.ORDER, Shop.ORDER, Shop.ORDER), 3)) {
            assertThat(Eventually.get(outcome).effect()).isEqualTo("effect-1");
        }
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void executeAll_callersCodeWaitsForTheNextOutcome_isGivenIt() throws Throwable {
        var downstream = new CompletableFuture<Receipt>();
        var charge = shop.charge().callingAsync((order, attempt) -> downstream.thenApply(receipt -> receipt));
        var outcomes = charge.executeAll(orders(3), 1);

        var both = outcomes.get(0)
                .thenApply(first -> List.of(first, outcomes.get(1).join()));
        downstream.complete(new Receipt("e", 1));

        assertThat(Eventually.get(both)).hasSize(2);
    }

    @Test
    void executeAll_badArguments_writeNothing() {
        var charge = shop.charge().calling(shop.working());

        assertThatThrownBy(() -> charge.executeAll(List.of(Shop.ORDER), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("atOnce is 0");
        List<Order> withNull = new ArrayList<>();
        withNull.add(Shop.ORDER);
        withNull.add(null);
        assertThatThrownBy(() -> charge.executeAll(withNull, 1)).isInstanceOf(NullPointerException.class);
        assertThat(charge.executeAll(List.of(), 1)).isEmpty();
        assertThat(shop.store.steps()).isZero();
    }
}

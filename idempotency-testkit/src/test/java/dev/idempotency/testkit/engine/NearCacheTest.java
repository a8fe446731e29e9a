package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.KEY;
import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.DeclinedException;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.NearCache;
import dev.idempotency.Operation;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Outcomes in this process: what they save, and when they must not be given out. */
final class NearCacheTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Shop shop = Shop.onManualClock();
    private final NearCache near = NearCache.create(1 << 20, MINUTE);
    private final List<Idempotency> opened = new ArrayList<>();

    @AfterEach
    void close() {
        opened.forEach(Idempotency::close);
        shop.close();
    }

    private Operation<Order, Receipt> charge() {
        return charge(near);
    }

    /** Another process, with what is near to it. */
    private Operation<Order, Receipt> charge(NearCache its) {
        var idempotency = Idempotency.builder(shop.store)
                .listener(shop.events)
                .nanoTime(shop.clock::nanoTime)
                .nearCache(its)
                .build();
        opened.add(idempotency);
        return shop.charge(idempotency).retention(Duration.ofHours(1)).calling(shop.working());
    }

    @Test
    void execute_outcomeOfThisProcess_isReplayedWithoutTheStore() {
        var charge = charge();
        Receipt first = charge.execute(ORDER);
        int steps = shop.store.steps();

        assertThat(charge.execute(ORDER)).isEqualTo(first);
        assertThat(shop.store.steps()).isEqualTo(steps);
        assertThat(shop.events.count(Type.REPLAYED)).isEqualTo(1);
    }

    @Test
    void executeAsync_outcomeOfThisProcess_isThereAtOnce() throws Throwable {
        var charge = charge();
        Receipt first = charge.execute(ORDER);
        int steps = shop.store.steps();

        var again = charge.executeAsync(ORDER);

        assertThat(again).isDone();
        assertThat(Eventually.get(again)).isEqualTo(first);
        assertThat(shop.store.steps()).isEqualTo(steps);
    }

    @Test
    void execute_outcomeOfAnotherProcess_takesOneStepAndThenNone() {
        Receipt first = charge(NearCache.create(1 << 20, MINUTE)).execute(ORDER);
        int before = shop.store.steps();
        var charge = charge();

        assertThat(charge.execute(ORDER)).isEqualTo(first);
        assertThat(shop.store.steps()).isEqualTo(before + 1);
        assertThat(charge.execute(ORDER)).isEqualTo(first);
        assertThat(shop.store.steps()).isEqualTo(before + 1);
    }

    @Test
    void execute_otherPayloadUnderTheKey_isAMismatchFromMemoryToo() {
        var charge = charge();
        charge.execute(ORDER);
        int steps = shop.store.steps();

        Failures.mismatch(() -> charge.execute(new Order(ORDER.id(), ORDER.amount() + 1)));
        assertThat(shop.store.steps()).isEqualTo(steps);
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void execute_decline_isReplayedFromMemory() {
        var idempotency = Idempotency.builder(shop.store).nearCache(near).build();
        opened.add(idempotency);
        var charge = shop.charge(idempotency).calling((order, attempt) -> {
            throw new DeclinedException("no funds");
        });
        Failures.declined(() -> charge.execute(ORDER));
        int steps = shop.store.steps();

        assertThat(Failures.declined(() -> charge.execute(ORDER)).reason()).isEqualTo("no funds");
        assertThat(shop.store.steps()).isEqualTo(steps);
    }

    @Test
    void execute_afterTheTimeThatOutcomesAreKept_asksTheStoreAgain() {
        var charge = charge();
        charge.execute(ORDER);
        shop.clock.advance(MINUTE.minusNanos(1));
        int steps = shop.store.steps();
        charge.execute(ORDER);
        assertThat(shop.store.steps()).as("a nanosecond earlier").isEqualTo(steps);

        shop.clock.advance(Duration.ofNanos(1));

        charge.execute(ORDER);
        assertThat(shop.store.steps()).isEqualTo(steps + 1);
    }

    @Test
    void execute_recordHasExpired_runsAnew() {
        var longer = NearCache.create(1 << 20, Duration.ofDays(1));
        var charge = charge(longer);
        Receipt first = charge.execute(ORDER);

        shop.clock.advance(
                Duration.between(shop.clock.instant(), shop.record().times().expiresAt()));

        assertThat(charge.execute(ORDER)).isNotEqualTo(first);
        assertThat(shop.calls).hasValue(2);
    }

    @Test
    void execute_overriddenByAnAdminWithTheCache_runsTheReviewedRequest() {
        var charge = charge();
        charge.execute(ORDER);
        var changed = new Order(ORDER.id(), ORDER.amount() + 1);
        var admin = Admin.builder(shop.audited).nearCache(near).build();
        var wish = admin.requestOverride(KEY, shop.record().version(), charge.fingerprintOf(changed), Shop.by("ann"));

        admin.approveOverride(wish.key(), wish.id(), Shop.by("bob"));

        assertThat(charge.execute(changed).amount()).isEqualTo(changed.amount());
        assertThat(shop.calls).hasValue(2);
    }

    @Test
    void execute_overriddenElsewhere_isSeenWhenTheTimeIsOver() {
        var charge = charge();
        Receipt first = charge.execute(ORDER);
        var changed = new Order(ORDER.id(), ORDER.amount() + 1);
        shop.override(charge, changed);
        assertThat(charge.execute(ORDER)).as("still near").isEqualTo(first);

        shop.clock.advance(MINUTE);

        assertThat(charge.execute(changed).amount()).isEqualTo(changed.amount());
    }

    @Test
    void drop_whileTheOutcomeIsBeingRead_keepsTheLateReadingOut() {
        charge(NearCache.create(1 << 20, MINUTE)).execute(ORDER);
        var charge = charge();
        shop.store.beforeNext(Kind.RESERVE, () -> near.drop(KEY));

        charge.execute(ORDER);
        int steps = shop.store.steps();

        charge.execute(ORDER);
        assertThat(shop.store.steps()).isEqualTo(steps + 1);
    }

    @Test
    void execute_moreThanHasRoom_asksTheStoreForTheRest() {
        var small = NearCache.create(5_000, MINUTE);
        var charge = charge(small);
        for (int i = 0; i < 100; i++) {
            charge.execute(new Order("o-" + i, i));
        }
        int steps = shop.store.steps();

        for (int i = 0; i < 100; i++) {
            charge.execute(new Order("o-" + i, i));
        }
        assertThat(shop.store.steps() - steps).isGreaterThanOrEqualTo(95);
        assertThat(shop.calls).hasValue(100);
    }

    @Test
    void execute_keyInDoubt_isNeverNear() {
        var idempotency = Idempotency.builder(shop.store).nearCache(near).build();
        opened.add(idempotency);
        var charge = shop.charge(idempotency).calling((order, attempt) -> {
            throw new IllegalStateException("reset");
        });
        Failures.inDoubt(() -> charge.execute(ORDER));
        int steps = shop.store.steps();

        Failures.inDoubt(() -> charge.execute(ORDER));
        assertThat(shop.store.steps()).isGreaterThan(steps);
    }

    @Test
    void create_argumentsOutOfRange_areNamed() {
        assertThatThrownBy(() -> NearCache.create(0, MINUTE)).hasMessageContaining("maximumBytes is 0");
        assertThatThrownBy(() -> NearCache.create(1, Duration.ZERO)).hasMessageContaining("atMost is 0 s");
        assertThatThrownBy(() -> NearCache.create(1, Duration.ofDays(2))).hasMessageContaining("atMost is 2 d");
    }
}

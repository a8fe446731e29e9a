package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Operation;
import dev.idempotency.testkit.engine.ProbeStore.Kind;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ExpiryTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration DAY = Duration.ofDays(1);

    private final Shop shop = Shop.onManualClock();

    @AfterEach
    void close() {
        shop.close();
    }

    private Operation<Order, Receipt> kept(Duration tombstone) {
        return shop.charge().lease(LEASE).retention(DAY).tombstone(tombstone).calling(shop.working());
    }

    @Test
    void replay_untilTheRetentionIsOver_givesTheResult() {
        var charge = kept(Duration.ZERO);
        charge.execute(ORDER);
        shop.clock.advance(DAY.minusNanos(1));

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-1", 100));
    }

    @Test
    void execute_retentionOverWithTombstone_isUnavailableAndNothingIsCalled() {
        var charge = kept(DAY);
        charge.execute(ORDER);
        shop.clock.advance(DAY.plus(LEASE));

        Failures.unavailable(() -> charge.execute(ORDER));
        Failures.mismatch(() -> charge.execute(new Order("o-1", 7)));
        shop.store.purge(100);
        Failures.unavailable(() -> charge.execute(ORDER));
        assertThat(shop.calls).hasValue(1);
    }

    @Test
    void execute_tombstoneOver_runsAgain() {
        var charge = kept(DAY);
        charge.execute(ORDER);
        shop.clock.advance(DAY.multipliedBy(2).plus(LEASE));

        assertThat(charge.execute(ORDER)).isEqualTo(new Receipt("effect-2", 100));
        assertThat(shop.record().generation()).isEqualTo(1);
    }

    @Test
    void execute_retentionOverWithoutTombstone_runsAgainForAnyPayload() {
        var charge = kept(Duration.ZERO);
        charge.execute(ORDER);
        shop.clock.advance(DAY.plus(LEASE));

        assertThat(charge.execute(new Order("o-1", 7))).isEqualTo(new Receipt("effect-2", 7));
        assertThat(shop.store.steps(Kind.COMPLETE)).isEqualTo(2);
    }
}

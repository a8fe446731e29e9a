package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.testkit.engine.ProbeStore.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs that most probably are replays look before they reserve; each takes one step either way. */
final class RecentReplaysTest {
    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.close();
    }

    @Test
    void execute_manyReplays_areFoundInsteadOfMetByAReservation() {
        var charge = shop.charge().calling(shop.working());
        for (int i = 0; i < 5; i++) {
            charge.execute(ORDER);
        }
        int reserved = shop.store.steps(Kind.RESERVE);
        int steps = shop.store.steps();

        for (int i = 0; i < 10; i++) {
            charge.execute(ORDER);
        }
        assertThat(shop.store.steps(Kind.RESERVE)).isEqualTo(reserved);
        assertThat(shop.store.steps()).isEqualTo(steps + 10);
    }

    @Test
    void execute_firstAfterManyReplays_isOneStepMoreUntilReplaysAreRare() {
        var charge = shop.charge().calling(shop.working());
        for (int i = 0; i < 20; i++) {
            charge.execute(ORDER);
        }
        int steps = shop.store.steps();
        charge.execute(new Order("o-2", 2));
        assertThat(shop.store.steps()).isEqualTo(steps + 3);

        for (int i = 0; i < 5; i++) {
            charge.execute(new Order("new-" + i, i));
        }
        steps = shop.store.steps();
        charge.execute(new Order("o-3", 3));
        assertThat(shop.store.steps()).isEqualTo(steps + 2);
        assertThat(shop.calls).hasValue(8);
    }
}
